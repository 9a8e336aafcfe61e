// SPDX-License-Identifier: Apache-2.0

// attest oat: what an OpenAttestation server says of hosts.

#include <inttypes.h>
#include <libattest/attest.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "options.h"
#include "text.h"

static const char kPollHelp[] =
    "Usage: attest oat poll HOST... --server HOST --ca FILE [OPTION]...\n"
    "\n"
    "Asks an OpenAttestation (OAT) server, v1.0, v1.5 to v1.7 or v2.x, whether hosts\n"
    "are trusted. How old the server's verdicts are is shown and not judged.\n"
    "\n"
    "  --server HOST           its name or address\n"
    "  --port NUMBER           the default is 8443; v2.x listens on 8181\n"
    "  --ca FILE               the certificates that it is trusted by, and nothing\n"
    "                          else; its own self-signed one will do\n"
    "  --no-name-check         the certificate's name need not be the server's; its\n"
    "                          chain still has to lead to the CA\n"
    "  --api-url PATH          the default is /OpenAttestationWebServices/V1.0; from\n"
    "                          v1.5 on it is /AttestationService/resources\n"
    "  --auth-blob-file FILE   its one line is sent to the server as x-auth-blob\n"
    "  --cert FILE, --key FILE our certificate and its key, for a server that wants\n"
    "                          one\n"
    "  --timeout SECONDS       for all of it; the default is 30\n"
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 all are trusted; 1 one is not, or not known; 2 wrong usage, or\n"
    "the network failed.\n"
    "\n"
    "Example:\n"
    "  attest oat --server oat.example --ca oat.crt poll compute-1 compute-2\n";

struct files {
  struct blob ca;
  struct blob certificate;
  struct blob key;
  struct blob auth_blob;
};

static void files_free(struct files* files) {
  blob_free(&files->ca);
  blob_free(&files->certificate);
  blob_free(&files->key);
  blob_free(&files->auth_blob);
}

static bool read_option(struct blob* out, const struct command* command,
                        const struct options* options, enum option option) {
  const char* const path = options->value[option];
  return path == NULL || read_file(out, command->name, path, SMALL_FILE, ABSENCE_FAILS);
}

static int failed(const struct command* command) {
  complain(command->name, "%s", attest_last_error());
  return STATUS_FAILED;
}

// An editor's line end behind the one line is none of the blob's.
static size_t size_of_line(const struct blob* file) {
  size_t size = file->size;
  if (size > 0 && file->data[size - 1] == '\n') --size;
  if (size > 0 && size < file->size && file->data[size - 1] == '\r') --size;
  return size;
}

static attest_status make_client(attest_oat** out, const struct options* options,
                                 const struct files* files, uint32_t port) {
  attest_oat_options how = ATTEST_OAT_OPTIONS_INIT;
  how.server = options->value[OPTION_SERVER];
  how.port = port;
  how.api_url = options->value[OPTION_API_URL];
  how.ca = (const char*)files->ca.data;
  how.ca_len = files->ca.size;
  how.certificate = (const char*)files->certificate.data;
  how.certificate_len = files->certificate.size;
  how.key = (const char*)files->key.data;
  how.key_len = files->key.size;
  how.auth_blob = (const char*)files->auth_blob.data;
  how.auth_blob_len = size_of_line(&files->auth_blob);
  how.no_name_check = options->value[OPTION_NO_NAME_CHECK] != NULL;
  return attest_oat_new(out, &how);
}

// "2016-02-29T22:29:26Z"; "" where there is no time.
enum { TIME_TEXT = sizeof "-9223372036854775808-02-29T22:29:26Z" };
static void write_time(char out[TIME_TEXT], int64_t seconds) {
  const time_t moment = (time_t)seconds;
  struct tm fields;
  out[0] = '\0';
  if (seconds < 0 || gmtime_r(&moment, &fields) == NULL) return;
  strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &fields);
}

// A name that was refused may hold any bytes; JSON and terminals take text.
static void add_name(struct text* out, const char* name) {
  for (; *name != '\0'; ++name) {
    const unsigned char c = (unsigned char)*name;
    text_add(out, c >= ' ' && c <= '~' && c != '\\' ? "%c" : "\\x%02x", c);
  }
}

static void add_host(struct text* words, struct text* json, const attest_oat_host* host) {
  const char* const reason = attest_oat_reason_name(host->reason);
  const char* const verdict = attest_verdict_name(host->verdict);
  struct text name = {0};
  char time[TIME_TEXT];
  add_name(&name, host->name);
  write_time(time, host->measured_at);
  words->failed = words->failed || name.failed;
  json->failed = json->failed || name.failed;
  text_add(words, "%s: %s", text_or(&name, ""), verdict);
  if (*time != '\0') text_add(words, " at %s", time);
  if (host->reason != ATTEST_OAT_ANSWERED) text_add(words, " (%s)", reason);
  text_add(words, "\n");
  text_add(json, "{\"host\": ");
  text_add_json_string(json, text_or(&name, ""));
  text_add(json, ", \"verdict\": \"%s\", \"measured_at\": ", verdict);
  text_add_json_string(json, time);
  text_add(json, ", \"reason\": \"%s\"}", reason);
  text_free(&name);
}

static int show(const struct command* command, const struct options* options,
                const attest_oat_answer* answer) {
  const size_t ignored = attest_oat_answer_num_ignored(answer);
  struct text words = {0};
  struct text json = {0};
  bool trusted = true;
  text_add(&json, "{\"hosts\": [");
  for (size_t i = 0; i < attest_oat_answer_num_hosts(answer); ++i) {
    attest_oat_host host = ATTEST_OAT_HOST_INIT;
    if (attest_oat_answer_host(&host, answer, i) != ATTEST_OK) words.failed = json.failed = true;
    if (i != 0) text_add(&json, ", ");
    add_host(&words, &json, &host);
    trusted = trusted && host.verdict == ATTEST_VERDICT_TRUSTED;
  }
  text_add(&json, "], \"ignored\": %zu}\n", ignored);
  if (ignored != 0) {
    text_add(&words, "and %zu that were not asked for, which say nothing\n", ignored);
  }
  const bool written =
      text_to_stdout(command->name, options->value[OPTION_JSON] != NULL ? &json : &words);
  text_free(&words);
  text_free(&json);
  if (!written) return STATUS_FAILED;
  return trusted ? STATUS_GOOD : STATUS_BAD;
}

static int poll_hosts(const struct command* command, const struct options* options,
                      const attest_oat* oat, uint32_t timeout_ms) {
  attest_host_name names[MAX_OPERANDS];
  for (size_t i = 0; i < options->num_operands; ++i) {
    names[i].name = options->operands[i];
    names[i].name_len = strlen(options->operands[i]);
  }
  attest_oat_answer* answer = NULL;
  const attest_status status =
      attest_oat_poll(&answer, oat, names, options->num_operands, time(NULL), timeout_ms);
  const int shown = status == ATTEST_OK ? show(command, options, answer) : failed(command);
  attest_oat_answer_free(answer);
  return shown;
}

static int run_poll(const struct command* command, const struct options* options) {
  static const enum option kNeeded[] = {OPTION_SERVER, OPTION_CA};
  for (size_t i = 0; i < sizeof kNeeded / sizeof kNeeded[0]; ++i) {
    if (options->value[kNeeded[i]] == NULL) {
      return usage_error(command, "%s is missing", option_name(kNeeded[i]));
    }
  }
  const char* const port_text = options->value[OPTION_PORT];
  unsigned long port = 8443;
  if (port_text != NULL && !number_option(&port, port_text, 65535)) {
    return usage_error(command, "--port is not a number from 1 to 65535");
  }
  uint32_t timeout_ms = 0;
  if (!timeout_option(&timeout_ms, command, options)) return STATUS_FAILED;
  struct files files = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
  attest_oat* oat = NULL;
  int status = STATUS_FAILED;
  if (read_option(&files.ca, command, options, OPTION_CA) &&
      read_option(&files.certificate, command, options, OPTION_CERT) &&
      read_option(&files.key, command, options, OPTION_KEY) &&
      read_option(&files.auth_blob, command, options, OPTION_AUTH_BLOB_FILE)) {
    status = make_client(&oat, options, &files, (uint32_t)port) == ATTEST_OK
                 ? poll_hosts(command, options, oat, timeout_ms)
                 : failed(command);
  }
  attest_oat_free(oat);
  files_free(&files);
  return status;
}

const struct command kOatPollCommand = {
    .name = "oat poll",
    .help = kPollHelp,
    .accepts = HAS(SERVER) | HAS(PORT) | HAS(CA) | HAS(NO_NAME_CHECK) | HAS(API_URL) |
               HAS(AUTH_BLOB_FILE) | HAS(CERT) | HAS(KEY) | HAS(TIMEOUT) | HAS(JSON),
    .operand = "HOST",
    .many = true,
    .run = run_poll};
