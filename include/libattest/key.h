/* SPDX-License-Identifier: Apache-2.0 */

/* Attestation keys: the public key that a TPM signs its quotes with. */

#ifndef LIBATTEST_KEY_H_
#define LIBATTEST_KEY_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded key. Immutable; any number of threads may verify with one at a time. */
typedef struct attest_key attest_key;

typedef enum attest_key_format {
  ATTEST_KEY_FORMAT_NONE = 0,
  ATTEST_KEY_FORMAT_TPM2B_PUBLIC = 1, /* tpm2_readpublic -f tss */
  ATTEST_KEY_FORMAT_TPMT_PUBLIC = 2,  /* tpm2_readpublic -f tpmt */
  ATTEST_KEY_FORMAT_PEM = 3,          /* PUBLIC KEY */
  ATTEST_KEY_FORMAT_SPKI_DER = 4,     /* SubjectPublicKeyInfo */
  ATTEST_KEY_FORMAT_CERTIFICATE_PEM = 5,
  ATTEST_KEY_FORMAT_CERTIFICATE_DER = 6,
  ATTEST_KEY_FORMAT_TPM_PUBKEY = 7, /* TPM 1.2 */
  ATTEST_KEY_FORMAT_TPM_KEY = 8     /* TPM 1.2: TPM_KEY or TPM_KEY12, `tpm_mkaik`'s blob */
} attest_key_format;

/*
 * attest_key_load loads a public key; the format is found out from the bytes. RSA of 1024 to 8192
 * bits (an appraisal wants 2048 and more), or ECC on P-256, P-384 or P-521.
 *
 * Loading proves nothing about where the private key is. TPM 2.0's formats carry the key's Name and
 * attributes; PEM, DER and certificates do not, and an appraisal says so. Of TPM 1.2's, TPM_KEY and
 * TPM_KEY12 carry usage and flags, and TPM_PUBKEY neither; none has a Name. A certificate's
 * signature, dates and issuer are not looked at: it is a container here.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_key_load(attest_key** out, const uint8_t* data,
                                                           size_t data_len);

ATTEST_API attest_key_format attest_key_get_format(const attest_key* key);

/* attest_key_describe returns "RSA-2048", "P-256", … */
ATTEST_API const char* attest_key_describe(const attest_key* key);

/*
 * attest_key_name returns the TPM Name (TPM 2.0 Library Part 1, section 16: nameAlg and digest) and
 * sets `*name_len`; NULL for a key without one. It is what a policy pins under /ak/names.
 */
ATTEST_API const uint8_t* attest_key_name(const attest_key* key, size_t* name_len);

/* attest_key_attributes returns the TPMA_OBJECT bits; 0 for a key without them, as a TPM 1.2's. */
ATTEST_API uint32_t attest_key_attributes(const attest_key* key);

ATTEST_API void attest_key_free(attest_key* key);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_KEY_H_ */
