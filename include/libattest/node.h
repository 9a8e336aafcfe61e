/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is remembered of one node between its appraisals: its key, its TPM's clock and counters.
 * With it an appraisal notices an old quote, another TPM, and a reboot.
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
 * attest_node_import reads what attest_node_export wrote. Keep it where only you can write: who can
 * change it can make an old quote look new.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_node_import(attest_node** out,
                                                              const uint8_t* data, size_t data_len);

/* attest_node_export writes the state as JSON text of at most 4 KiB. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_node_export(attest_buffer** out,
                                                              const attest_node* node);

ATTEST_API void attest_node_free(attest_node* node);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_NODE_H_ */
