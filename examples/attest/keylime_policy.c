// SPDX-License-Identifier: Apache-2.0

// attest keylime policy: the policies that a verifier stores by name.

#include <libattest/attest.h>
#include <string.h>

#include "keylime.h"
#include "print.h"
#include "text.h"

#define KIND_USAGE "  --kind KIND             runtime (the default) or measured-boot\n"

static const char kCreateHelp[] =
    "Usage: attest keylime policy create NAME --runtime-policy FILE [OPTION]...\n"
    "       attest keylime policy create NAME --mb-policy FILE [OPTION]...\n"
    "\n"
    "Has the verifier store a policy, for attest keylime add --policy-name NAME. One\n"
    "of that name that is there already is not replaced: delete it first.\n"
    "\n"
    "  --runtime-policy FILE   a Keylime runtime policy (Keylime 6.6 and newer)\n"
    "  --mb-policy FILE        a measured-boot reference state (7.12 and newer)\n"
    "\n" KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 stored; 2 wrong usage, unreadable or malformed input, the network\n"
    "failed, or the verifier refused.\n"
    "\n"
    "Example:\n"
    "  attest keylime policy create golden --runtime-policy golden.json\n";

static const char kShowHelp[] =
    "Usage: attest keylime policy show NAME [OPTION]...\n"
    "\n"
    "Prints a policy that the verifier has stored: a JSON document, as it is there.\n"
    "\n" KIND_USAGE KEYLIME_CONNECTION_USAGE
    "  --help\n"
    "\n"
    "Exit status: 0 done; 1 there is none of that name, and nothing is printed; 2\n"
    "wrong usage, or the network failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime policy show golden >golden.json\n";

static const char kListHelp[] =
    "Usage: attest keylime policy list [OPTION]...\n"
    "\n"
    "Lists the names of the policies that the verifier has stored, a line each.\n"
    "\n" KIND_USAGE KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 done; 2 wrong usage, or the network failed.\n"
    "\n"
    "Example:\n"
    "  attest keylime policy list --kind measured-boot\n";

static const char kDeleteHelp[] =
    "Usage: attest keylime policy delete NAME [OPTION]...\n"
    "\n"
    "Deletes a policy, and returns when the verifier has none of that name. One that\n"
    "agents are attested by is not deleted: the verifier refuses.\n"
    "\n" KIND_USAGE KEYLIME_CONNECTION_USAGE
    "  --json                  print one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 it is gone, or was never there; 2 wrong usage, the network\n"
    "failed, or the verifier refused.\n"
    "\n"
    "Example:\n"
    "  attest keylime policy delete golden\n";

static const char* const kKinds[] = {
    [ATTEST_KEYLIME_RUNTIME_POLICY] = "runtime", [ATTEST_KEYLIME_MB_POLICY] = "measured-boot"};

static bool read_kind(attest_keylime_policy_kind* out, const struct command* command,
                      const struct options* options) {
  const char* const given = options->value[OPTION_KIND];
  *out = ATTEST_KEYLIME_RUNTIME_POLICY;
  if (given == NULL || strcmp(given, kKinds[*out]) == 0) return true;
  *out = ATTEST_KEYLIME_MB_POLICY;
  if (strcmp(given, kKinds[*out]) == 0) return true;
  usage_error(command, "--kind is neither runtime nor measured-boot");
  return false;
}

// What was done to the policy, in a word of the command's.
static int show_done(const struct command* command, const struct options* options,
                     attest_keylime_policy_kind kind, const char* what) {
  struct text words = {0};
  struct text json = {0};
  text_add(&words, "%s: %s\n", options->operand, what);
  text_add(&json, "{\"name\": ");
  text_add_json_string(&json, options->operand);
  text_add(&json, ", \"kind\": \"%s\", \"result\": \"%s\"}\n", kKinds[kind], what);
  return keylime_show(command, options, &words, &json, STATUS_GOOD);
}

static int run_create(const struct command* command, const struct options* options) {
  const char* const runtime = options->value[OPTION_RUNTIME_POLICY];
  const char* const mb = options->value[OPTION_MB_POLICY];
  if ((runtime != NULL) == (mb != NULL)) {
    return usage_error(command, "one of --runtime-policy and --mb-policy is wanted");
  }
  const attest_keylime_policy_kind kind =
      runtime != NULL ? ATTEST_KEYLIME_RUNTIME_POLICY : ATTEST_KEYLIME_MB_POLICY;
  struct blob policy = {NULL, 0};
  struct keylime keylime = {NULL, 0};
  int status = STATUS_FAILED;
  if (read_file(&policy, command->name, runtime != NULL ? runtime : mb, LOG_FILE, ABSENCE_FAILS) &&
      keylime_open(&keylime, command, options)) {
    status = attest_keylime_policy_create(keylime.client, kind, options->operand,
                                          (const char*)policy.data, policy.size,
                                          keylime.timeout_ms) == ATTEST_OK
                 ? show_done(command, options, kind, "stored")
                 : keylime_failed(command);
  }
  keylime_close(&keylime);
  blob_free(&policy);
  return status;
}

// The verifier's text is to be read by programs, so it is not escaped: what could steer a terminal
// is no JSON, and is refused.
static int show_policy(const struct command* command, const attest_buffer* policy) {
  const char* const text = (const char*)attest_buffer_data(policy);
  const size_t size = attest_buffer_size(policy);
  for (size_t i = 0; i < size; ++i) {
    const unsigned char c = (unsigned char)text[i];
    const bool space = c == '\t' || c == '\n' || c == '\r';
    if ((c < 0x20 && !space) || c == 0x7f) {
      complain(command->name, "the verifier's policy is not JSON: it has control characters");
      return STATUS_FAILED;
    }
  }
  struct text words = {0};
  text_add(&words, "%s\n", text);
  const bool written = text_to_stdout(command->name, &words);
  text_free(&words);
  return written ? STATUS_GOOD : STATUS_FAILED;
}

static int run_show(const struct command* command, const struct options* options) {
  attest_keylime_policy_kind kind = ATTEST_KEYLIME_RUNTIME_POLICY;
  struct keylime keylime = {NULL, 0};
  attest_buffer* policy = NULL;
  int status = STATUS_FAILED;
  if (read_kind(&kind, command, options) && keylime_open(&keylime, command, options)) {
    if (attest_keylime_policy_read(&policy, keylime.client, kind, options->operand,
                                   keylime.timeout_ms) != ATTEST_OK) {
      keylime_failed(command);
    } else if (policy == NULL) {
      complain(command->name, "the verifier has no policy of that name");
      status = STATUS_BAD;
    } else {
      status = show_policy(command, policy);
    }
  }
  attest_buffer_free(policy);
  keylime_close(&keylime);
  return status;
}

static int show_list(const struct command* command, const struct options* options,
                     attest_keylime_policy_kind kind, const attest_buffer* list) {
  struct text words = {0};
  struct text json = {0};
  text_add(&json, "{\"kind\": \"%s\", \"policies\": [", kKinds[kind]);
  const char* line = (const char*)attest_buffer_data(list);
  for (bool first = true; *line != '\0'; first = false) {
    const size_t length = strcspn(line, "\n");
    struct text name = {0};
    text_add(&name, "%.*s", (int)length, line);
    text_add(&words, "%s\n", text_or(&name, ""));
    text_add(&json, "%s", first ? "" : ", ");
    text_add_json_string(&json, text_or(&name, ""));
    text_free(&name);
    line += length + (line[length] == '\n' ? 1 : 0);
  }
  text_add(&json, "]}\n");
  return keylime_show(command, options, &words, &json, STATUS_GOOD);
}

static int run_list(const struct command* command, const struct options* options) {
  attest_keylime_policy_kind kind = ATTEST_KEYLIME_RUNTIME_POLICY;
  struct keylime keylime = {NULL, 0};
  attest_buffer* list = NULL;
  int status = STATUS_FAILED;
  if (read_kind(&kind, command, options) && keylime_open(&keylime, command, options)) {
    status =
        attest_keylime_policy_list(&list, keylime.client, kind, keylime.timeout_ms) == ATTEST_OK
            ? show_list(command, options, kind, list)
            : keylime_failed(command);
  }
  attest_buffer_free(list);
  keylime_close(&keylime);
  return status;
}

static int run_delete(const struct command* command, const struct options* options) {
  attest_keylime_policy_kind kind = ATTEST_KEYLIME_RUNTIME_POLICY;
  struct keylime keylime = {NULL, 0};
  int status = STATUS_FAILED;
  if (read_kind(&kind, command, options) && keylime_open(&keylime, command, options)) {
    status = attest_keylime_policy_delete(keylime.client, kind, options->operand,
                                          keylime.timeout_ms) == ATTEST_OK
                 ? show_done(command, options, kind, "deleted")
                 : keylime_failed(command);
  }
  keylime_close(&keylime);
  return status;
}

const struct command kKeylimePolicyCreateCommand = {
    .name = "keylime policy create",
    .help = kCreateHelp,
    .accepts = KEYLIME_OPTIONS | HAS(RUNTIME_POLICY) | HAS(MB_POLICY),
    .operand = "NAME",
    .run = run_create};
const struct command kKeylimePolicyShowCommand = {
    .name = "keylime policy show",
    .help = kShowHelp,
    .accepts = (KEYLIME_OPTIONS & ~HAS(JSON)) | HAS(KIND),
    .operand = "NAME",
    .run = run_show};
const struct command kKeylimePolicyListCommand = {.name = "keylime policy list",
                                                  .help = kListHelp,
                                                  .accepts = KEYLIME_OPTIONS | HAS(KIND),
                                                  .operand = NULL,
                                                  .run = run_list};
const struct command kKeylimePolicyDeleteCommand = {.name = "keylime policy delete",
                                                    .help = kDeleteHelp,
                                                    .accepts = KEYLIME_OPTIONS | HAS(KIND),
                                                    .operand = "NAME",
                                                    .run = run_delete};
