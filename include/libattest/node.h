/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is remembered of one node between its appraisals: its key and the endorsement key that a
 * challenge has bound it to, its TPM's clock and counters, and how far its IMA list was verified.
 * With it an appraisal notices an old quote, another TPM, and a reboot, and needs only those
 * entries of the list that are new.
 */

#ifndef LIBATTEST_NODE_H_
#define LIBATTEST_NODE_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Changed by an appraisal whose verdict is trusted, in one step; by nothing else. */
typedef struct attest_node attest_node;

/* attest_node_new makes the state of a node that was never appraised. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_node_new(attest_node** out);

/*
 * attest_node_import reads what attest_node_export wrote. A state that was damaged or cut is
 * ATTEST_E_MALFORMED: go on with a new one, and the whole IMA list. What somebody wrote on purpose
 * is not noticed, because the digest in it is no secret's. Keep it where only you can write: who
 * can change it can make an old quote look new, a key look bound, and entries look verified.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_node_import(attest_node** out,
                                                              const uint8_t* data, size_t data_len);

/*
 * attest_node_export writes the state as JSON text of at most 4,096 bytes. How far the IMA list was
 * verified is left out where it does not fit, because the list has loaded more than a few keys into
 * keyrings: after an import of such a state the list must be whole once.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_node_export(attest_buffer** out,
                                                              const attest_node* node);

/*
 * attest_node_ima_entries returns how many entries of the node's IMA list are verified, from its
 * first: the entry to ask for next, and then what attest_evidence_set_ima_first_entry is told. 0:
 * ask for the whole list; also for NULL. It is the number of the last trusted appraisal: after a
 * reboot and with other rules an appraisal refuses to go on from there (finding ima-position), and
 * the whole list is asked for. Two appraisals of one node follow one another: the quote of the
 * second is made after the list of the first was read, or it fails (finding ima-progress). Since
 * 0.1.
 */
ATTEST_API uint64_t attest_node_ima_entries(const attest_node* node);

ATTEST_API void attest_node_free(attest_node* node);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_NODE_H_ */
