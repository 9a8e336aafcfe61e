// SPDX-License-Identifier: Apache-2.0

// attest keylime doctor.

#include <libattest/attest.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "keylime.h"

static const char kHelp[] =
    "Usage: attest keylime doctor [OPTION]...\n"
    "\n"
    "Checks what Ironic's attestation wants of a Keylime: both services answer, show\n"
    "certificates of the CA and take ours, our certificates are in date and the key\n"
    "is ours alone, the revocation service and Keylime's own check of EK certificates\n"
    "are off, and no service listens on 0.0.0.0. The last three are in Keylime's\n"
    "configuration, which is read from /etc/keylime.conf and /etc/keylime where this\n"
    "machine has it; elsewhere they are shown as unknown.\n"
    "\n"
    "  --config FILE           read this instead of what is in /etc\n"
    "  --verifier HOST:PORT, --registrar HOST:PORT, --ca FILE, --cert FILE,\n"
    "  --key FILE, --no-name-check, --timeout SECONDS\n"
    "                          as attest keylime status --help explains\n"
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 nothing is bad; 1 something is; 2 wrong usage or unreadable\n"
    "input.\n"
    "\n"
    "Example:\n"
    "  attest keylime doctor --verifier 192.0.2.1:8881 --registrar 192.0.2.1:8891\n";

static const char* const kConfigurations[] = {"/etc/keylime.conf", "/etc/keylime/verifier.conf",
                                              "/etc/keylime/registrar.conf",
                                              "/etc/keylime/tenant.conf"};

static bool add_configuration(struct text* out, const struct command* command, const char* path,
                              enum absence absence) {
  struct blob file = {NULL, 0};
  if (!read_file(&file, command->name, path, SMALL_FILE, absence)) return false;
  if (file.data != NULL) text_add(out, "%.*s\n", (int)file.size, (const char*)file.data);
  blob_free(&file);
  return true;
}

static bool read_configuration(struct text* out, const struct command* command,
                               const struct options* options) {
  const char* const path = options->value[OPTION_CONFIG];
  if (path != NULL) return add_configuration(out, command, path, ABSENCE_FAILS);
  for (size_t i = 0; i < sizeof kConfigurations / sizeof kConfigurations[0]; ++i) {
    if (!add_configuration(out, command, kConfigurations[i], ABSENCE_ALLOWED)) return false;
  }
  return true;
}

struct output {
  struct text words;
  struct text json;
  bool bad;
};

static void add_check(struct output* out, const char* id, attest_keylime_health health,
                      const char* message) {
  const char* const name = attest_keylime_health_name(health);
  text_add(&out->words, "%-8s %s: ", name, id);
  text_add_escaped(&out->words, message);
  text_add(&out->words, "\n");
  text_add(&out->json, "%s{\"id\": \"%s\", \"health\": \"%s\", \"message\": ",
           out->json.size == 0 ? "{\"checks\": [" : ", ", id, name);
  text_add_json_string(&out->json, message);
  text_add(&out->json, "}");
  out->bad = out->bad || health == ATTEST_KEYLIME_HEALTH_BAD;
}

// Who holds the key is everybody that Keylime obeys.
static void check_key_file(struct output* out, const struct options* options) {
  const char* const given = options->value[OPTION_KEY];
  struct stat file;
  const bool readable = stat(given != NULL ? given : CV_CA "client-private.pem", &file) == 0;
  const bool ours_alone = readable && (file.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  add_check(out, "key-file", ours_alone ? ATTEST_KEYLIME_HEALTH_OK : ATTEST_KEYLIME_HEALTH_WARNING,
            ours_alone ? "nobody but its owner can read the private key"
                       : "others than its owner can read the private key: chmod 600");
}

static bool diagnose(struct output* out, const struct command* command,
                     const struct keylime* keylime, const struct text* configuration) {
  attest_keylime_diagnosis* diagnosis = NULL;
  if (attest_keylime_diagnose(&diagnosis, keylime->client, configuration->data, configuration->size,
                              (int64_t)time(NULL), keylime->timeout_ms) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return false;
  }
  for (size_t i = 0; i < attest_keylime_diagnosis_num_checks(diagnosis); ++i) {
    attest_keylime_check check = ATTEST_KEYLIME_CHECK_INIT;
    if (attest_keylime_diagnosis_check(&check, diagnosis, i) == ATTEST_OK) {
      add_check(out, check.id, check.health, check.message);
    }
  }
  attest_keylime_diagnosis_free(diagnosis);
  return true;
}

static int run(const struct command* command, const struct options* options) {
  struct keylime keylime = {NULL, 0};
  struct text configuration = {0};
  struct output out = {{0}, {0}, false};
  int status = STATUS_FAILED;
  if (read_configuration(&configuration, command, options) &&
      keylime_open(&keylime, command, options) &&
      diagnose(&out, command, &keylime, &configuration)) {
    check_key_file(&out, options);
    text_add(&out.json, "], \"good\": %s}\n", out.bad ? "false" : "true");
    const bool json = options->value[OPTION_JSON] != NULL;
    if (text_to_stdout(command->name, json ? &out.json : &out.words)) {
      status = out.bad ? STATUS_BAD : STATUS_GOOD;
    }
  }
  text_free(&out.words);
  text_free(&out.json);
  text_free(&configuration);
  keylime_close(&keylime);
  return status;
}

const struct command kKeylimeDoctorCommand = {.name = "keylime doctor",
                                              .help = kHelp,
                                              .accepts = KEYLIME_OPTIONS | HAS(CONFIG),
                                              .operand = NULL,
                                              .run = run};
