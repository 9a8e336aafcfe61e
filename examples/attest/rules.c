// SPDX-License-Identifier: Apache-2.0

#include "rules.h"

#include <string.h>

#include "files.h"
#include "text.h"

static int library_refused(const struct command* command, const char* path) {
  complain(command->name, "%s: %s", path, attest_last_error());
  return STATUS_FAILED;
}

int policy_read(attest_policy** out, const struct command* command, const char* path) {
  struct blob json;
  if (!read_file(&json, command->name, path, LIST_FILE, ABSENCE_FAILS)) return STATUS_FAILED;
  const attest_status status = attest_policy_parse(out, (const char*)json.data, json.size);
  blob_free(&json);
  return status == ATTEST_OK ? STATUS_GOOD : library_refused(command, path);
}

static int parse_ima_digest(attest_ima_digest* out, const struct command* command,
                            const char* name) {
  static const struct {
    const char* name;
    attest_ima_digest digest;
  } kDigests[] = {{"native", ATTEST_IMA_NATIVE},
                  {"padded", ATTEST_IMA_PADDED},
                  {"padded-old", ATTEST_IMA_PADDED_OLD}};
  for (size_t i = 0; i < sizeof kDigests / sizeof kDigests[0]; ++i) {
    if (strcmp(kDigests[i].name, name) == 0) {
      *out = kDigests[i].digest;
      return STATUS_GOOD;
    }
  }
  return usage_error(command, "--ima-digest wants native, padded or padded-old, not '%s'", name);
}

static int set_switches(attest_policy* policy, const struct command* command,
                        const struct options* options) {
  const char* const name = options->value[OPTION_IMA_DIGEST];
  attest_ima_digest digest = ATTEST_IMA_DIGEST_DEFAULT;
  if (name != NULL && parse_ima_digest(&digest, command, name) != STATUS_GOOD) {
    return STATUS_FAILED;
  }
  if (options->value[OPTION_ALLOW_SHA1] != NULL &&
      attest_policy_set_allow_sha1(policy, 1) != ATTEST_OK) {
    return library_refused(command, "--allow-sha1");
  }
  if (name != NULL && attest_policy_set_ima_digest(policy, digest) != ATTEST_OK) {
    return library_refused(command, "--ima-digest");
  }
  return STATUS_GOOD;
}

static const enum option kAllowlistFiles[] = {OPTION_ALLOWLIST, OPTION_ALLOWLIST_CHECKSUM,
                                              OPTION_EXCLUDELIST};
enum { NUM_ALLOWLIST_FILES = 3 };

// The library's words say which of the files it is.
static void complain_of_allowlist(const struct command* command, const struct options* options) {
  struct text paths = {0};
  for (size_t i = 0; i < NUM_ALLOWLIST_FILES; ++i) {
    const char* const path = options->value[kAllowlistFiles[i]];
    if (path != NULL) text_add(&paths, "%s%s", i == 0 ? "" : ", ", path);
  }
  library_refused(command, text_or(&paths, "--allowlist"));
  text_free(&paths);
}

static int add_allowlist(attest_policy* policy, const struct command* command,
                         const struct options* options) {
  struct blob files[NUM_ALLOWLIST_FILES] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
  const char* texts[NUM_ALLOWLIST_FILES] = {NULL, NULL, NULL};
  bool good = true;
  for (size_t i = 0; good && i < NUM_ALLOWLIST_FILES; ++i) {
    const char* const path = options->value[kAllowlistFiles[i]];
    good = path == NULL || read_file(&files[i], command->name, path, LIST_FILE, ABSENCE_FAILS);
    texts[i] = (const char*)files[i].data;
  }
  if (good && attest_policy_add_allowlist(policy, texts[0], files[0].size, texts[1], files[1].size,
                                          texts[2], files[2].size) != ATTEST_OK) {
    complain_of_allowlist(command, options);
    good = false;
  }
  for (size_t i = 0; i < NUM_ALLOWLIST_FILES; ++i) blob_free(&files[i]);
  return good ? STATUS_GOOD : STATUS_FAILED;
}

typedef attest_status add_json(attest_policy* policy, const char* json, size_t json_len);

static int add_file(attest_policy* policy, const struct command* command, const char* path,
                    add_json* add) {
  struct blob json;
  if (!read_file(&json, command->name, path, LIST_FILE, ABSENCE_FAILS)) return STATUS_FAILED;
  const attest_status status = add(policy, (const char*)json.data, json.size);
  blob_free(&json);
  return status == ATTEST_OK ? STATUS_GOOD : library_refused(command, path);
}

static int add_rules(attest_policy* policy, const struct command* command,
                     const struct options* options) {
  const char* const runtime_policy = options->value[OPTION_RUNTIME_POLICY];
  const char* const tpm_policy = options->value[OPTION_TPM_POLICY];
  int status = set_switches(policy, command, options);
  if (status == STATUS_GOOD && options->value[OPTION_ALLOWLIST] != NULL) {
    status = add_allowlist(policy, command, options);
  }
  if (status == STATUS_GOOD && runtime_policy != NULL) {
    status = add_file(policy, command, runtime_policy, attest_policy_add_runtime_policy);
  }
  if (status == STATUS_GOOD && tpm_policy != NULL) {
    status = add_file(policy, command, tpm_policy, attest_policy_add_tpm_policy);
  }
  return status;
}

static int check_combination(const struct command* command, const struct options* options) {
  if (options->value[OPTION_ALLOWLIST] != NULL) return STATUS_GOOD;
  if (options->value[OPTION_ALLOWLIST_CHECKSUM] != NULL) {
    return usage_error(command, "--allowlist-checksum needs --allowlist");
  }
  if (options->value[OPTION_EXCLUDELIST] != NULL) {
    return usage_error(command, "--excludelist needs --allowlist");
  }
  return STATUS_GOOD;
}

static int make_policy(attest_policy** out, const struct command* command,
                       const struct options* options) {
  const char* const path = options->value[OPTION_POLICY];
  if (path != NULL) return policy_read(out, command, path);
  if (attest_policy_new(out) == ATTEST_OK) return STATUS_GOOD;
  complain(command->name, "%s", attest_last_error());
  return STATUS_FAILED;
}

int rules_read(attest_policy** out, const struct command* command, const struct options* options) {
  *out = NULL;
  int status = check_combination(command, options);
  if (status != STATUS_GOOD) return status;
  bool asked = false;
  for (unsigned i = 0; i < OPTION_COUNT; ++i) {
    asked = asked || ((RULE_OPTIONS & UINT64_C(1) << i) != 0 && options->value[i] != NULL);
  }
  if (!asked) return STATUS_GOOD;
  status = make_policy(out, command, options);
  if (status == STATUS_GOOD) status = add_rules(*out, command, options);
  if (status == STATUS_GOOD) return STATUS_GOOD;
  attest_policy_free(*out);
  *out = NULL;
  return status;
}

int oat_whitelist_read(attest_policy** out, const struct command* command, const char* path) {
  if (attest_policy_new(out) != ATTEST_OK || attest_policy_set_allow_sha1(*out, 1) != ATTEST_OK) {
    complain(command->name, "%s", attest_last_error());
    return STATUS_FAILED;
  }
  return add_file(*out, command, path, attest_policy_add_oat_whitelist);
}
