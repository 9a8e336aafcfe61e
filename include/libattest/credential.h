/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Credential challenges: the proof that an attestation key is in the TPM of an endorsement key (TPM
 * 2.0 Library Part 1, section 24). A secret is encrypted for the endorsement key and the
 * attestation key's Name, and a TPM gives it back only when it holds both.
 */

#ifndef LIBATTEST_CREDENTIAL_H_
#define LIBATTEST_CREDENTIAL_H_

#include "libattest/base.h"
#include "libattest/ek.h"
#include "libattest/key.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One challenge with one secret, for one answer. */
typedef struct attest_credential attest_credential;

/*
 * attest_credential_new draws a secret from the cryptographic random generator and does what
 * TPM2_MakeCredential does with it, without a TPM. `ek` must be known to be this node's before:
 * the challenge proves that `ak` is where `ek` is, and nothing about `ek`.
 *
 * ATTEST_E_REFUSED: `ak` is no TPM's restricted signing key (a PEM key says nothing of that), so
 * that its answer would prove nothing. Since 0.1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_credential_new(attest_credential** out,
                                                                 const attest_ek* ek,
                                                                 const attest_key* ak);

/*
 * What the node gives to TPM2_ActivateCredential: TPM2B_ID_OBJECT (credentialBlob) and
 * TPM2B_ENCRYPTED_SECRET (secret), each with its 16-bit size in front. For tpm2_activatecredential,
 * write 0xbadcc0de and 0x00000001 and then both into one file.
 */
ATTEST_API const uint8_t* attest_credential_id_object(const attest_credential* credential,
                                                      size_t* len);
ATTEST_API const uint8_t* attest_credential_encrypted_secret(const attest_credential* credential,
                                                             size_t* len);

/*
 * attest_credential_check compares the node's answer, the bytes that TPM2_ActivateCredential
 * returned (certInfo, without its size), with the secret: in constant time, and once. ATTEST_OK
 * says that it is right, and `*bound` is then the attestation key, marked as bound: evidence that
 * gets it by attest_evidence_set_key has no finding ak-not-bound. There is no other way to such a
 * key.
 *
 * ATTEST_E_REFUSED: a wrong answer. ATTEST_E_STATE: this challenge was answered before, rightly or
 * not; make another one. Since 0.1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_credential_check(attest_key** bound,
                                                                   attest_credential* credential,
                                                                   const uint8_t* answer,
                                                                   size_t answer_len);

ATTEST_API void attest_credential_free(attest_credential* credential);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_CREDENTIAL_H_ */
