// SPDX-License-Identifier: Apache-2.0

// The policy that the options name.

#ifndef ATTEST_COMMAND_RULES_H_
#define ATTEST_COMMAND_RULES_H_

#include <libattest/attest.h>

#include "options.h"

#define RULE_OPTIONS                                                              \
  (HAS(POLICY) | HAS(RUNTIME_POLICY) | HAS(ALLOWLIST) | HAS(ALLOWLIST_CHECKSUM) | \
   HAS(EXCLUDELIST) | HAS(TPM_POLICY) | HAS(IMA_DIGEST) | HAS(ALLOW_SHA1))

// Makes the policy; *out stays NULL when no option asks for one. Returns STATUS_GOOD, or
// STATUS_FAILED after complaining.
int rules_read(attest_policy** out, const struct command* command, const struct options* options);

// Reads a file of libattest's own policy format.
int policy_read(attest_policy** out, const struct command* command, const char* path);

// Makes a policy of a file of OpenAttestation's whitelist records.
int oat_whitelist_read(attest_policy** out, const struct command* command, const char* path);

#endif  // ATTEST_COMMAND_RULES_H_
