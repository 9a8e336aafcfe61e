/* SPDX-License-Identifier: Apache-2.0 */

/*
 * IMA measurement lists of the Linux kernel, replayed as a stream: memory does not grow with the
 * list. A list is the node's own story until its replay equals a quoted PCR value.
 */

#ifndef LIBATTEST_IMA_H_
#define LIBATTEST_IMA_H_

#include "libattest/base.h"
#include "libattest/pcrs.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A replay of one list. For one thread at a time while it is fed; immutable after its end. */
typedef struct attest_ima attest_ima;

typedef enum attest_ima_format {
  ATTEST_IMA_DETECT = 0,
  ATTEST_IMA_BINARY = 1, /* binary_runtime_measurements */
  ATTEST_IMA_ASCII = 2   /* ascii_runtime_measurements */
} attest_ima_format;

/* What the kernel extends into a bank. */
typedef enum attest_ima_digest {
  ATTEST_IMA_DIGEST_DEFAULT = 0,
  ATTEST_IMA_NATIVE = 1,    /* the bank's own hash of the template data */
  ATTEST_IMA_PADDED = 2,    /* SHA-1 padded with zeros: the kernel lacked the bank's hash */
  ATTEST_IMA_PADDED_OLD = 3 /* the same, violations too: kernels before 5.8 */
} attest_ima_digest;

typedef struct attest_ima_options {
  size_t size;
  attest_ima_format format;
  attest_hash bank;         /* to replay; ATTEST_HASH_NONE: sha256 */
  attest_hash list_bank;    /* of the list's own digests; ATTEST_HASH_NONE: found out */
  attest_ima_digest digest; /* ATTEST_IMA_DIGEST_DEFAULT: native */
} attest_ima_options;
#define ATTEST_IMA_OPTIONS_INIT                                                        \
  {                                                                                    \
    sizeof(attest_ima_options), ATTEST_IMA_DETECT, ATTEST_HASH_NONE, ATTEST_HASH_NONE, \
        ATTEST_IMA_DIGEST_DEFAULT                                                      \
  }

/* attest_ima_new makes a replay. `options` may be NULL. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_new(attest_ima** out,
                                                          const attest_ima_options* options);

/*
 * attest_ima_feed takes the next bytes of the list, of any number. After ATTEST_E_MALFORMED the
 * replay can only be freed.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_feed(attest_ima* ima, const uint8_t* data,
                                                           size_t data_len);

/* attest_ima_finish ends the list: ATTEST_E_MALFORMED when it ends inside a record. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_finish(attest_ima* ima);

ATTEST_API uint64_t attest_ima_num_entries(const attest_ima* ima);
ATTEST_API uint64_t attest_ima_num_violations(const attest_ima* ima);

/* attest_ima_pcrs makes the set of the values that the list's PCRs have after the entries so far.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_pcrs(attest_pcrs** out,
                                                           const attest_ima* ima);

/* What is wrong in the list itself: digests that do not check, unknown templates, violations. */
ATTEST_API size_t attest_ima_num_findings(const attest_ima* ima);
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_finding(attest_finding* out,
                                                              const attest_ima* ima, size_t index);

/* attest_ima_to_json renders {"entries", "violations", "templates", "pcrs", "boot_aggregate",
 * "findings"}. */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ima_to_json(attest_buffer** out,
                                                              const attest_ima* ima);

ATTEST_API void attest_ima_free(attest_ima* ima);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_IMA_H_ */
