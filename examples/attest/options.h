// SPDX-License-Identifier: Apache-2.0

// The commands and their long options: one parser for all of them.

#ifndef ATTEST_COMMAND_OPTIONS_H_
#define ATTEST_COMMAND_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  STATUS_GOOD = 0,    // trusted, or done
  STATUS_BAD = 1,     // untrusted or unknown
  STATUS_FAILED = 2,  // wrong usage, unreadable or malformed input: nothing on standard output
};

enum option {
  OPTION_EVIDENCE,
  OPTION_AK,
  OPTION_QUOTE,
  OPTION_SIGNATURE,
  OPTION_PCRS,
  OPTION_KEYLIME_QUOTE,
  OPTION_NONCE,
  OPTION_EVENTLOG,
  OPTION_LAUNCH_LOG,
  OPTION_IMA,
  OPTION_POLICY,
  OPTION_RUNTIME_POLICY,
  OPTION_ALLOWLIST,
  OPTION_ALLOWLIST_CHECKSUM,
  OPTION_EXCLUDELIST,
  OPTION_TPM_POLICY,
  OPTION_IMA_DIGEST,
  OPTION_ALLOW_SHA1,
  OPTION_BANK,
  OPTION_OUTPUT,
  OPTION_JSON,
  OPTION_VERIFIER,
  OPTION_REGISTRAR,
  OPTION_CA,
  OPTION_CERT,
  OPTION_KEY,
  OPTION_NO_NAME_CHECK,
  OPTION_TIMEOUT,
  OPTION_MB_POLICY,
  OPTION_POLICY_NAME,
  OPTION_CONFIG,
  OPTION_FORMAT,
  OPTION_KERNEL,
  OPTION_RAMDISK,
  OPTION_ROOT_UUID,
  OPTION_APPEND,
  OPTION_TBOOT,
  OPTION_TBOOT_ARGS,
  OPTION_MBOOT,
  OPTION_LITERAL_MBOOT,
  OPTION_COMPLETE,
  OPTION_DEPLOY_KERNEL,
  OPTION_DEPLOY_RAMDISK,
  OPTION_DEPLOY_APPEND,
  OPTION_TRUSTED_DEPLOY,
  OPTION_RAMDISK_APPEND,
  OPTION_KICKSTART,
  OPTION_STAGE2,
  OPTION_REPOSITORY,
  OPTION_TFTP_SERVER,
  OPTION_IPXE_TIMEOUT,
  OPTION_LABEL,
  OPTION_DISK_IDENTIFIER,
  OPTION_BOOT_MODE,
  OPTION_IPXE,
  OPTION_BOOT_ROOT,
  OPTION_PROFILE,
  OPTION_LAUNCH,
  OPTION_KIND,
  OPTION_MLE,
  OPTION_SERVER,
  OPTION_PORT,
  OPTION_API_URL,
  OPTION_AUTH_BLOB_FILE,
  OPTION_COUNT  // at most 64: sets of options are 64 bits
};

// A set of options.
#define HAS(name) (UINT64_C(1) << OPTION_##name)
#define QUOTE_OPTIONS                                                                       \
  (HAS(EVIDENCE) | HAS(AK) | HAS(QUOTE) | HAS(SIGNATURE) | HAS(PCRS) | HAS(KEYLIME_QUOTE) | \
   HAS(NONCE))
#define EVIDENCE_OPTIONS (QUOTE_OPTIONS | HAS(EVENTLOG) | HAS(LAUNCH_LOG) | HAS(IMA))

enum { MAX_OPERANDS = 1000 };

struct options {
  const char* value[OPTION_COUNT];  // NULL: not given
  const char* operand;              // the first one
  const char* operands[MAX_OPERANDS];
  size_t num_operands;
};

struct command {
  const char* name;  // "policy create"
  const char* help;
  uint64_t accepts;     // HAS(…) | …
  const char* operand;  // what the operand is, or NULL: there is none
  bool many;            // there may be more than one
  int (*run)(const struct command* command, const struct options* options);
};

extern const struct command kVerifyCommand;
extern const struct command kQuoteCommand;
extern const struct command kEventlogCommand;
extern const struct command kImaCommand;
extern const struct command kPolicyCreateCommand;
extern const struct command kPolicyCheckCommand;
extern const struct command kKeylimeAddCommand;
extern const struct command kKeylimeStatusCommand;
extern const struct command kKeylimeWaitCommand;
extern const struct command kKeylimeDeleteCommand;
extern const struct command kKeylimeListCommand;
extern const struct command kKeylimeQuoteCommand;
extern const struct command kKeylimeDoctorCommand;
extern const struct command kKeylimePolicyCreateCommand;
extern const struct command kKeylimePolicyShowCommand;
extern const struct command kKeylimePolicyListCommand;
extern const struct command kKeylimePolicyDeleteCommand;
extern const struct command kOatPollCommand;
extern const struct command kBootConfigRenderCommand;
extern const struct command kBootConfigSwitchCommand;
extern const struct command kBootConfigCheckCommand;

enum parse_result { PARSE_OK, PARSE_HELP, PARSE_WRONG };

// Parses what follows the command's name; argv ends with NULL. Complains before PARSE_WRONG.
enum parse_result options_parse(struct options* out, const struct command* command,
                                char* const* argv);

// "--quote"
const char* option_name(enum option option);

// Whether the command takes the option of that name, "--quote".
bool option_is_accepted(const struct command* command, const char* name);

// A number from 1 to `max`, which has at most six digits.
bool number_option(unsigned long* out, const char* text, unsigned long max);
// What --timeout says, or its default. Complains before false.
bool timeout_option(uint32_t* timeout_ms, const struct command* command,
                    const struct options* options);

// Complains in the way of all usage errors, and returns STATUS_FAILED.
int usage_error(const struct command* command, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

#endif  // ATTEST_COMMAND_OPTIONS_H_
