/* SPDX-License-Identifier: Apache-2.0 */

/* The question libattest answers: does this evidence prove what the policy expects? */

#ifndef LIBATTEST_APPRAISE_H_
#define LIBATTEST_APPRAISE_H_

#include "libattest/base.h"
#include "libattest/evidence.h"
#include "libattest/node.h"
#include "libattest/policy.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attest_appraise_options {
  size_t size;
  const uint8_t* nonce; /* what the quote was asked with; without it nothing is trusted */
  size_t nonce_len;     /* at least 16 */
  int64_t now;          /* seconds since 1970-01-01 UTC, for the report; 0: not said */
  int allow_sha1;       /* 1: allow SHA-1; only where no policy is given that says so itself */
} attest_appraise_options;
#define ATTEST_APPRAISE_OPTIONS_INIT \
  { sizeof(attest_appraise_options), NULL, 0, 0, 0 }

/*
 * attest_appraise judges `evidence` by `policy`. `policy` may be NULL: then what can be checked is
 * checked and the verdict is never "trusted". `node` may be NULL; else it takes part in the
 * appraisal and is updated when the verdict is "trusted".
 *
 * ATTEST_OK says that there is a report; the verdict is in it. ATTEST_E_MALFORMED: the IMA list is
 * not of its format, and there is no report. ATTEST_E_READ: the list could not be read to its end.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_appraise(attest_report** out,
                                                           attest_evidence* evidence,
                                                           const attest_policy* policy,
                                                           attest_node* node,
                                                           const attest_appraise_options* options);

/*
 * attest_policy_learn makes a policy from the evidence of a node that is known to be good: pinned
 * key, reference values of the quoted PCRs, and rules for what the logs name. `*policy` is NULL
 * when the evidence is not sound (a bad quote, a log that does not replay, a violation); `*report`,
 * which is always made, says why. With `allow_sha1` the policy allows SHA-1, and judges the sha1
 * bank where the quote has no better one, as a TPM 1.2's has not.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_policy_learn(attest_policy** policy, attest_report** report, attest_evidence* evidence,
                    const attest_appraise_options* options);

/* What a policy is learned of. */
typedef enum attest_profile {
  /* The key, every quoted PCR that stays the same from boot to boot, and the IMA list. */
  ATTEST_PROFILE_EVERYTHING = 0,
  /* The key, PCRs 0 to 7 (BIOS) and 17 to 19 (VMM), and that there was a dynamic launch. */
  ATTEST_PROFILE_TRUSTED_BOOT = 1,
  /* The key and PCRs 0 to 9: BIOS and, where the boot loader measures them, kernel and ramdisk. */
  ATTEST_PROFILE_MEASURED_BOOT = 2
} attest_profile;

/*
 * attest_policy_learn_profile: attest_policy_learn for one of the profiles. With
 * ATTEST_PROFILE_TRUSTED_BOOT evidence whose PCR 17 shows no launch is not sound. Findings of
 * ATTEST_COMPONENT_POLICY say what the policy leaves out.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_learn_profile(
    attest_policy** policy, attest_report** report, attest_evidence* evidence,
    const attest_appraise_options* options, attest_profile profile);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_APPRAISE_H_ */
