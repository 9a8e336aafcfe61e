/* SPDX-License-Identifier: Apache-2.0 */

/* Appraisal policies: what is expected of a node. README documents every key by example. */

#ifndef LIBATTEST_POLICY_H_
#define LIBATTEST_POLICY_H_

#include "libattest/base.h"
#include "libattest/ima.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Compiled for look-ups. Once it is complete, any number of appraisals may share it. */
typedef struct attest_policy attest_policy;

/* attest_policy_new makes a policy that expects nothing. With it alone no verdict is "trusted". */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_new(attest_policy** out);

/*
 * attest_policy_parse loads libattest's own policy format: JSON, version 1. Unknown keys, duplicate
 * keys and contradictions are ATTEST_E_MALFORMED; attest_last_error names their JSON path.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_parse(attest_policy** out,
                                                               const char* json, size_t json_len);

/*
 * attest_policy_set_allow_sha1 allows (1) or refuses (0) SHA-1 signatures, the sha1 bank and SHA-1
 * file digests. Set it before adding rules that need it. ATTEST_E_STATE when it is to be refused
 * and the policy has rules that may need it.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_set_allow_sha1(attest_policy* policy,
                                                                        int allow);

/*
 * attest_policy_set_ima_digest says what the node's kernel extends; see attest_ima_digest. Padded
 * digests are as weak as SHA-1. It asks for no list by itself. ATTEST_E_STATE when the policy
 * judges PCR 10 without one.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_set_ima_digest(attest_policy* policy,
                                                                        attest_ima_digest digest);

/*
 * attest_policy_add_allowlist adds rules for the IMA list: a flat allowlist (a digest, white space
 * and a path a line), an excludelist (a regular expression a line), and the text of a SHA-256
 * checksum of the allowlist, which is compared before anything is parsed. Checksum and excludelist
 * may be NULL. ATTEST_E_STATE when the policy has such rules already: two sources are not merged.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_add_allowlist(
    attest_policy* policy, const char* allowlist, size_t allowlist_len, const char* checksum,
    size_t checksum_len, const char* excludelist, size_t excludelist_len);

/* attest_policy_add_runtime_policy adds rules for the IMA list: a Keylime runtime policy, as JSON.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_add_runtime_policy(attest_policy* policy,
                                                                            const char* json,
                                                                            size_t json_len);

/*
 * attest_policy_add_tpm_policy adds reference values: a Keylime TPM policy, as JSON. ATTEST_E_STATE
 * when the policy has reference values already.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_add_tpm_policy(attest_policy* policy,
                                                                        const char* json,
                                                                        size_t json_len);

/*
 * attest_policy_add_oat_whitelist adds reference values: OpenAttestation's whitelist of one host,
 * as JSON records of its WLMService: a BIOS MLE (PCRs 0 to 7), a VMM MLE (17 to 19) or an array of
 * both. The policy judges bank sha1 from then on. Values of several MLEs of a type are never mixed:
 * that is ATTEST_E_MALFORMED without a host record that names one. ATTEST_E_STATE when the policy
 * does not allow SHA-1, has reference values already, or rules of another bank.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_add_oat_whitelist(attest_policy* policy,
                                                                           const char* json,
                                                                           size_t json_len);

/* attest_policy_to_json renders the policy as attest_policy_parse reads it. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_policy_to_json(attest_buffer** out,
                                                                 const attest_policy* policy);

ATTEST_API void attest_policy_free(attest_policy* policy);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_POLICY_H_ */
