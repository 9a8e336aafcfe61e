/* SPDX-License-Identifier: Apache-2.0 */

/* A set of PCR values: as a file claims them, or as a log replays to. Never proof by itself. */

#ifndef LIBATTEST_PCRS_H_
#define LIBATTEST_PCRS_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; any number of threads may read one. */
typedef struct attest_pcrs attest_pcrs;

/*
 * attest_pcrs_parse parses the memory image that `tpm2_quote -o FILE` writes ("serialized"; 668,
 * 1200 or 1732 bytes for one to three blocks of eight values), little-endian. Bare values ("-F
 * values") say nothing of what they are: only attest_quote_parse reads those, beside their quote.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_pcrs_parse(attest_pcrs** out, const uint8_t* data,
                                                             size_t data_len);

ATTEST_API size_t attest_pcrs_count(const attest_pcrs* pcrs);

/*
 * attest_pcrs_at sets what value `index` is: `*bank`'s PCR `*pcr` with the `*value_len` bytes at
 * `*value`. ATTEST_E_ARGUMENT when there is none of that index. An algorithm that libattest does
 * not know is ATTEST_HASH_NONE.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_pcrs_at(const attest_pcrs* pcrs, size_t index,
                                                          attest_hash* bank, uint32_t* pcr,
                                                          const uint8_t** value, size_t* value_len);

/* attest_pcrs_find returns the value of a bank's PCR and sets `*value_len`; NULL when it is not
 * there. */
ATTEST_API const uint8_t* attest_pcrs_find(const attest_pcrs* pcrs, attest_hash bank, uint32_t pcr,
                                           size_t* value_len);

ATTEST_API void attest_pcrs_free(attest_pcrs* pcrs);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_PCRS_H_ */
