// SPDX-License-Identifier: Apache-2.0

// attest keylime: one command a question to Keylime's registrar, verifier or agents.

#include "keylime.h"

#include <inttypes.h>
#include <libattest/attest.h>
#include <string.h>

#include "print.h"
#include "text.h"

static const char kStatusHelp[] =
    "Usage: attest keylime status UUID [OPTION]...\n"
    "\n"
    "Shows what the verifier says of an agent.\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 trusted; 1 anything else, or not known to the verifier; 2 wrong\n"
    "usage, or the network failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime status d432fbb3-d2f1-4a97-9ef7-75bd81c00000\n";

static const char kWaitHelp[] =
    "Usage: attest keylime wait UUID [OPTION]...\n"
    "\n"
    "Asks the verifier until an agent is trusted, has failed, or is no longer\n"
    "attested.\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 trusted; 1 not; 2 wrong usage, the network failed, or there was\n"
    "no verdict in time.\n"
    "\n"
    "Example:\n"
    "  attest keylime wait d432fbb3-d2f1-4a97-9ef7-75bd81c00000 --timeout 120\n";

static const char kAddHelp[] =
    "Usage: attest keylime add UUID POLICY... [OPTION]...\n"
    "\n"
    "Looks an agent up at the registrar and has the verifier attest it by the\n"
    "policies that are given, at least one of them:\n"
    "  --runtime-policy FILE   a Keylime runtime policy\n"
    "  --allowlist FILE [--excludelist FILE]\n"
    "  --policy-name NAME      a runtime policy that the verifier has stored; with\n"
    "                          one of the above, the name that it is stored under\n"
    "  --tpm-policy FILE       PCR values\n"
    "  --mb-policy FILE        a measured-boot reference state\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 added; 1 the registrar does not know the agent; 2 wrong usage,\n"
    "unreadable or malformed input, the network failed, or the verifier refused.\n"
    "\n"
    "Example:\n"
    "  attest keylime add d432fbb3-d2f1-4a97-9ef7-75bd81c00000 \\\n"
    "      --allowlist allowlist.txt --excludelist exclude.txt\n";

static const char kDeleteHelp[] =
    "Usage: attest keylime delete UUID [OPTION]...\n"
    "\n"
    "Ends an agent's attestation, and returns when the verifier does not know it any\n"
    "more. The registrar keeps it.\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 it is gone, or was never there; 2 wrong usage, or the network\n"
    "failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime delete d432fbb3-d2f1-4a97-9ef7-75bd81c00000\n";

static const char kListHelp[] =
    "Usage: attest keylime list [OPTION]...\n"
    "\n"
    "Lists the verifier's agents, a line each.\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done; 2 wrong usage, or the network failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime list --verifier 192.0.2.1:8881\n";

static const char kQuoteHelp[] =
    "Usage: attest keylime quote UUID [OPTION]...\n"
    "\n"
    "Looks an agent up at the registrar, asks the agent itself for a quote over PCR\n"
    "16 with a fresh nonce, and checks signature, nonce and selection with the key\n"
    "that it registered. The agent must show the certificate that it registered. That\n"
    "the key is this machine's, and what its PCRs mean, is not looked at.\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 the quote is good; 1 it is not, or the registrar does not know\n"
    "the agent; 2 wrong usage, or the network failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime quote d432fbb3-d2f1-4a97-9ef7-75bd81c00000 --json\n";

int keylime_failed(const struct command* command) {
  complain(command->name, "%s", attest_last_error());
  return STATUS_FAILED;
}

static bool read_credential(struct blob* out, const struct command* command,
                            const struct options* options, enum option option,
                            const char* fallback) {
  const char* const path = options->value[option] != NULL ? options->value[option] : fallback;
  return read_file(out, command->name, path, SMALL_FILE, ABSENCE_FAILS);
}

bool keylime_open(struct keylime* out, const struct command* command,
                  const struct options* options) {
  memset(out, 0, sizeof *out);
  struct blob ca = {NULL, 0};
  struct blob certificate = {NULL, 0};
  struct blob key = {NULL, 0};
  bool good =
      timeout_option(&out->timeout_ms, command, options) &&
      read_credential(&ca, command, options, OPTION_CA, CV_CA "cacert.crt") &&
      read_credential(&certificate, command, options, OPTION_CERT, CV_CA "client-cert.crt") &&
      read_credential(&key, command, options, OPTION_KEY, CV_CA "client-private.pem");
  if (good) {
    attest_keylime_options how = ATTEST_KEYLIME_OPTIONS_INIT;
    const char* const verifier = options->value[OPTION_VERIFIER];
    const char* const registrar = options->value[OPTION_REGISTRAR];
    how.verifier = verifier != NULL ? verifier : "127.0.0.1:8881";
    how.registrar = registrar != NULL ? registrar : "127.0.0.1:8891";
    how.ca = (const char*)ca.data;
    how.ca_len = ca.size;
    how.certificate = (const char*)certificate.data;
    how.certificate_len = certificate.size;
    how.key = (const char*)key.data;
    how.key_len = key.size;
    how.no_name_check = options->value[OPTION_NO_NAME_CHECK] != NULL;
    good = attest_keylime_new(&out->client, &how) == ATTEST_OK;
    if (!good) keylime_failed(command);
  }
  blob_free(&ca);
  blob_free(&certificate);
  blob_free(&key);
  return good;
}

void keylime_close(struct keylime* keylime) { attest_keylime_free(keylime->client); }

int keylime_show(const struct command* command, const struct options* options, struct text* words,
                 struct text* json, int status) {
  const bool written =
      text_to_stdout(command->name, options->value[OPTION_JSON] != NULL ? json : words);
  text_free(words);
  text_free(json);
  return written ? status : STATUS_FAILED;
}

// A number, or null for a negative one.
static void add_json_number(struct text* json, int64_t number) {
  if (number < 0) {
    text_add(json, "null");
  } else {
    text_add(json, "%" PRId64, number);
  }
}

static int show_status(const struct command* command, const struct options* options,
                       const attest_keylime_status* s) {
  const char* const verdict = attest_keylime_verdict_name(s->verdict);
  struct text words = {0};
  struct text json = {0};
  text_add(&words, "%s: %s", options->operand, verdict);
  if (s->state < 0) {
    text_add(&words, ": the verifier does not know it\n");
  } else {
    text_add(&words, " (%s", s->state_name);
    if (s->attestation_count >= 0) {
      text_add(&words, ", %" PRId64 " attestations", s->attestation_count);
    }
    text_add(&words, ")");
    if (s->last_event_id[0] != '\0') text_add(&words, ": %s", s->last_event_id);
    text_add(&words, "\n");
  }
  text_add(&json, "{\"uuid\": \"%s\", \"verdict\": \"%s\", \"state\": ", options->operand, verdict);
  add_json_number(&json, s->state);
  text_add(&json, ", \"state_name\": ");
  text_add_json_string(&json, s->state_name);
  text_add(&json, ", \"attestation_count\": ");
  add_json_number(&json, s->attestation_count);
  text_add(&json, ", \"last_event_id\": ");
  text_add_json_string(&json, s->last_event_id);
  text_add(&json, ", \"severity\": ");
  add_json_number(&json, s->severity);
  text_add(&json, "}\n");
  return keylime_show(command, options, &words, &json,
                      s->verdict == ATTEST_KEYLIME_TRUSTED ? STATUS_GOOD : STATUS_BAD);
}

typedef attest_status ask_status(attest_keylime_status* out, const attest_keylime* keylime,
                                 const char* uuid, uint32_t timeout_ms);

static int run_asking(const struct command* command, const struct options* options,
                      ask_status* ask) {
  struct keylime keylime;
  attest_keylime_status s = ATTEST_KEYLIME_STATUS_INIT;
  int status = STATUS_FAILED;
  if (keylime_open(&keylime, command, options)) {
    status = ask(&s, keylime.client, options->operand, keylime.timeout_ms) == ATTEST_OK
                 ? show_status(command, options, &s)
                 : keylime_failed(command);
  }
  keylime_close(&keylime);
  return status;
}

static int run_status(const struct command* command, const struct options* options) {
  return run_asking(command, options, attest_keylime_get_status);
}

static int run_wait(const struct command* command, const struct options* options) {
  return run_asking(command, options, attest_keylime_wait);
}

// What was done to the agent, in a word of the command's.
static int show_done(const struct command* command, const struct options* options, const char* what,
                     int status) {
  struct text words = {0};
  struct text json = {0};
  text_add(&words, "%s: %s\n", options->operand, what);
  text_add(&json, "{\"uuid\": \"%s\", \"result\": \"%s\"}\n", options->operand, what);
  return keylime_show(command, options, &words, &json, status);
}

static int run_delete(const struct command* command, const struct options* options) {
  struct keylime keylime;
  int status = STATUS_FAILED;
  if (keylime_open(&keylime, command, options)) {
    status =
        attest_keylime_delete(keylime.client, options->operand, keylime.timeout_ms) == ATTEST_OK
            ? show_done(command, options, "deleted", STATUS_GOOD)
            : keylime_failed(command);
  }
  keylime_close(&keylime);
  return status;
}

static const enum option kPolicyFiles[] = {OPTION_RUNTIME_POLICY, OPTION_ALLOWLIST,
                                           OPTION_EXCLUDELIST, OPTION_TPM_POLICY, OPTION_MB_POLICY};
enum { NUM_POLICY_FILES = sizeof kPolicyFiles / sizeof kPolicyFiles[0] };

static int add_agent(const struct command* command, const struct options* options,
                     const struct keylime* keylime, const struct blob* files) {
  attest_keylime_add_options how = ATTEST_KEYLIME_ADD_OPTIONS_INIT;
  const char** const texts[] = {&how.runtime_policy, &how.allowlist, &how.excludelist,
                                &how.tpm_policy, &how.mb_policy};
  size_t* const sizes[] = {&how.runtime_policy_len, &how.allowlist_len, &how.excludelist_len,
                           &how.tpm_policy_len, &how.mb_policy_len};
  for (size_t i = 0; i < NUM_POLICY_FILES; ++i) {
    *texts[i] = (const char*)files[i].data;
    *sizes[i] = files[i].size;
  }
  how.policy_name = options->value[OPTION_POLICY_NAME];
  attest_keylime_agent* agent = NULL;
  int status = STATUS_FAILED;
  const bool asked = attest_keylime_lookup(&agent, keylime->client, options->operand,
                                           keylime->timeout_ms) == ATTEST_OK;
  if (asked && agent == NULL) {
    status = show_done(command, options, "not registered", STATUS_BAD);
  } else if (asked &&
             attest_keylime_add(keylime->client, agent, &how, keylime->timeout_ms) == ATTEST_OK) {
    status = show_done(command, options, "added", STATUS_GOOD);
  } else {
    keylime_failed(command);
  }
  attest_keylime_agent_free(agent);
  return status;
}

static int run_add(const struct command* command, const struct options* options) {
  bool some = options->value[OPTION_POLICY_NAME] != NULL;
  for (size_t i = 0; i < NUM_POLICY_FILES; ++i)
    some = some || options->value[kPolicyFiles[i]] != NULL;
  if (!some) return usage_error(command, "a policy is missing");
  if (options->value[OPTION_EXCLUDELIST] != NULL && options->value[OPTION_ALLOWLIST] == NULL) {
    return usage_error(command, "--excludelist needs --allowlist");
  }
  if (options->value[OPTION_RUNTIME_POLICY] != NULL && options->value[OPTION_ALLOWLIST] != NULL) {
    return usage_error(command, "--runtime-policy and --allowlist are two policies for one list");
  }
  struct blob files[NUM_POLICY_FILES] = {{NULL, 0}};
  bool good = true;
  for (size_t i = 0; good && i < NUM_POLICY_FILES; ++i) {
    const char* const path = options->value[kPolicyFiles[i]];
    good = path == NULL || read_file(&files[i], command->name, path, LOG_FILE, ABSENCE_FAILS);
  }
  struct keylime keylime = {NULL, 0};
  int status = STATUS_FAILED;
  if (good && keylime_open(&keylime, command, options)) {
    status = add_agent(command, options, &keylime, files);
  }
  keylime_close(&keylime);
  for (size_t i = 0; i < NUM_POLICY_FILES; ++i) blob_free(&files[i]);
  return status;
}

static int show_list(const struct command* command, const struct options* options,
                     const attest_buffer* list) {
  struct text words = {0};
  struct text json = {0};
  text_add(&json, "{\"agents\": [");
  const char* line = (const char*)attest_buffer_data(list);
  // Ids are letters, digits, '.', '-' and '_': the library lets no other through.
  for (bool first = true; *line != '\0'; first = false) {
    const size_t length = strcspn(line, "\n");
    text_add(&words, "%.*s\n", (int)length, line);
    text_add(&json, "%s\"%.*s\"", first ? "" : ", ", (int)length, line);
    line += length + (line[length] == '\n' ? 1 : 0);
  }
  text_add(&json, "]}\n");
  return keylime_show(command, options, &words, &json, STATUS_GOOD);
}

static int run_list(const struct command* command, const struct options* options) {
  struct keylime keylime;
  attest_buffer* list = NULL;
  int status = STATUS_FAILED;
  if (keylime_open(&keylime, command, options)) {
    status = attest_keylime_list(&list, keylime.client, keylime.timeout_ms) == ATTEST_OK
                 ? show_list(command, options, list)
                 : keylime_failed(command);
  }
  attest_buffer_free(list);
  keylime_close(&keylime);
  return status;
}

enum { NONCE_BYTES = 20, NONCE_TEXT = 2 * NONCE_BYTES + 1 };

static bool make_nonce(char nonce[NONCE_TEXT]) {
  static const char kDigits[] = "0123456789abcdef";
  uint8_t bytes[NONCE_BYTES];
  if (attest_nonce_make(bytes, sizeof bytes) != ATTEST_OK) return false;
  for (size_t i = 0; i < sizeof bytes; ++i) {
    nonce[2 * i] = kDigits[bytes[i] >> 4];
    nonce[2 * i + 1] = kDigits[bytes[i] & 0xf];
  }
  nonce[NONCE_TEXT - 1] = '\0';
  return true;
}

static int show_quote(const struct command* command, const struct options* options,
                      const char* nonce, const attest_keylime_quote_info* info,
                      const attest_report* report) {
  const bool good = attest_report_quote_verified(report) == 1;
  attest_buffer* rendered = NULL;
  if (attest_report_to_json(&rendered, report) != ATTEST_OK) return keylime_failed(command);
  struct text words = {0};
  struct text json = {0};
  text_add(&words, "%s: the quote is %s\n", options->operand, good ? "good" : "not good");
  print_report_findings(&words, report);
  text_add(&json,
           "{\"uuid\": \"%s\", \"verified\": %s, \"nonce\": \"%s\", \"quote\": ", options->operand,
           good ? "true" : "false", nonce);
  text_add_json_string(&json, info->quote);
  text_add(&json, ", \"report\": %s}\n", (const char*)attest_buffer_data(rendered));
  attest_buffer_free(rendered);
  return keylime_show(command, options, &words, &json, good ? STATUS_GOOD : STATUS_BAD);
}

static int check_quote(const struct command* command, const struct options* options,
                       const struct keylime* keylime, const attest_keylime_agent* agent) {
  char nonce[NONCE_TEXT];
  attest_keylime_agent_info node = ATTEST_KEYLIME_AGENT_INFO_INIT;
  attest_keylime_quote_info info = ATTEST_KEYLIME_QUOTE_INFO_INIT;
  attest_keylime_quote* answer = NULL;
  attest_key* key = NULL;
  attest_quote* quote = NULL;
  attest_report* report = NULL;
  attest_quote_options how = ATTEST_QUOTE_OPTIONS_INIT;
  how.nonce = (const uint8_t*)nonce;
  how.nonce_len = NONCE_TEXT - 1;
  const bool asked =
      make_nonce(nonce) && attest_keylime_agent_get_info(&node, agent) == ATTEST_OK &&
      attest_keylime_identity_quote(&answer, keylime->client, agent, nonce, keylime->timeout_ms) ==
          ATTEST_OK &&
      attest_keylime_quote_get_info(&info, answer) == ATTEST_OK &&
      attest_key_load(&key, node.ak, node.ak_len) == ATTEST_OK &&
      attest_quote_parse_keylime(&quote, info.quote, info.quote_len) == ATTEST_OK &&
      attest_quote_verify(&report, quote, key, &how) == ATTEST_OK;
  const int status =
      asked ? show_quote(command, options, nonce, &info, report) : keylime_failed(command);
  attest_report_free(report);
  attest_quote_free(quote);
  attest_key_free(key);
  attest_keylime_quote_free(answer);
  return status;
}

static int run_quote(const struct command* command, const struct options* options) {
  struct keylime keylime;
  attest_keylime_agent* agent = NULL;
  int status = STATUS_FAILED;
  if (keylime_open(&keylime, command, options)) {
    if (attest_keylime_lookup(&agent, keylime.client, options->operand, keylime.timeout_ms) !=
        ATTEST_OK) {
      keylime_failed(command);
    } else if (agent == NULL) {
      status = show_done(command, options, "not registered", STATUS_BAD);
    } else {
      status = check_quote(command, options, &keylime, agent);
    }
  }
  attest_keylime_agent_free(agent);
  keylime_close(&keylime);
  return status;
}

#define POLICY_OPTIONS                                                                          \
  (HAS(RUNTIME_POLICY) | HAS(ALLOWLIST) | HAS(EXCLUDELIST) | HAS(TPM_POLICY) | HAS(MB_POLICY) | \
   HAS(POLICY_NAME))

const struct command kKeylimeAddCommand = {.name = "keylime add",
                                           .help = kAddHelp,
                                           .accepts = KEYLIME_OPTIONS | POLICY_OPTIONS,
                                           .operand = "UUID",
                                           .run = run_add};
const struct command kKeylimeStatusCommand = {.name = "keylime status",
                                              .help = kStatusHelp,
                                              .accepts = KEYLIME_OPTIONS,
                                              .operand = "UUID",
                                              .run = run_status};
const struct command kKeylimeWaitCommand = {.name = "keylime wait",
                                            .help = kWaitHelp,
                                            .accepts = KEYLIME_OPTIONS,
                                            .operand = "UUID",
                                            .run = run_wait};
const struct command kKeylimeDeleteCommand = {.name = "keylime delete",
                                              .help = kDeleteHelp,
                                              .accepts = KEYLIME_OPTIONS,
                                              .operand = "UUID",
                                              .run = run_delete};
const struct command kKeylimeListCommand = {.name = "keylime list",
                                            .help = kListHelp,
                                            .accepts = KEYLIME_OPTIONS,
                                            .operand = NULL,
                                            .run = run_list};
const struct command kKeylimeQuoteCommand = {.name = "keylime quote",
                                             .help = kQuoteHelp,
                                             .accepts = KEYLIME_OPTIONS,
                                             .operand = "UUID",
                                             .run = run_quote};
