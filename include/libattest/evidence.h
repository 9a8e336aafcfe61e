/* SPDX-License-Identifier: Apache-2.0 */

/* Evidence of one node (RFC 9334): its quote, key and logs, gathered for an appraisal. */

#ifndef LIBATTEST_EVIDENCE_H_
#define LIBATTEST_EVIDENCE_H_

#include "libattest/base.h"
#include "libattest/key.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attest_evidence attest_evidence;

ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_new(attest_evidence** out);

/*
 * Each attest_evidence_set_… parses what it is given, keeps a copy, and replaces what was set
 * before. On ATTEST_E_MALFORMED the evidence is as it was.
 */

/* attest_evidence_set_quote: as attest_quote_parse, of a TPM 2.0 or 1.2. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_quote(
    attest_evidence* evidence, const uint8_t* attest, size_t attest_len, const uint8_t* signature,
    size_t signature_len, const uint8_t* pcrs, size_t pcrs_len);

/* attest_evidence_set_keylime_quote: as attest_quote_parse_keylime. */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_evidence_set_keylime_quote(attest_evidence* evidence, const char* text, size_t text_len);

/* attest_evidence_set_ak: the attestation key, as attest_key_load. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_ak(attest_evidence* evidence,
                                                                  const uint8_t* ak, size_t ak_len);

/* attest_evidence_set_key: a key that is loaded already. It is shared: `key` may be freed. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_key(attest_evidence* evidence,
                                                                   const attest_key* key);

/* attest_evidence_set_eventlog: the boot event log. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_eventlog(attest_evidence* evidence,
                                                                        const uint8_t* log,
                                                                        size_t log_len);

/*
 * attest_evidence_set_launch_log: the log of a dynamic launch, as attest_eventlog_parse_launch. It
 * explains PCRs 17 to 22, which the boot event log then must leave to it.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_launch_log(attest_evidence* evidence,
                                                                          const uint8_t* log,
                                                                          size_t log_len);

/*
 * attest_evidence_set_ima: the IMA measurement list, binary or ascii. It is parsed by the
 * appraisal, which is then what returns ATTEST_E_MALFORMED.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_ima(attest_evidence* evidence,
                                                                   const uint8_t* list,
                                                                   size_t list_len);

/*
 * An attest_read_fn puts up to `size` bytes into `buffer` and returns how many; 0 at the end; a
 * negative number when it failed, which makes the appraisal return ATTEST_E_READ. It must not
 * change the evidence that it is read for.
 */
typedef ptrdiff_t (*attest_read_fn)(void* user, uint8_t* buffer, size_t size);

/*
 * attest_evidence_set_ima_reader: the list as a stream, for lists that should not be in memory. The
 * next appraisal reads it to its end, once; another one needs it set again.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_evidence_set_ima_reader(attest_evidence* evidence,
                                                                          attest_read_fn read,
                                                                          void* user);

/*
 * attest_evidence_set_ima_first_entry says that the list which was set before this call, in memory
 * or as a stream, begins at entry `first` of the node's list, counted from 0. A list that does not
 * begin at 0 is judged only with the state of a node that was verified to exactly there, in the
 * same boot and by the same rules (node.h); else the appraisal fails with the finding ima-position,
 * and the whole list is needed. Setting another list makes it 0 again. ATTEST_E_STATE: there is no
 * list. Since 0.1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_evidence_set_ima_first_entry(attest_evidence* evidence, uint64_t first);

ATTEST_API void attest_evidence_free(attest_evidence* evidence);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_EVIDENCE_H_ */
