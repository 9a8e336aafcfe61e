/* SPDX-License-Identifier: Apache-2.0 */

/* Endorsement keys: the key by which a TPM is known, and the certificates that vouch for it. */

#ifndef LIBATTEST_EK_H_
#define LIBATTEST_EK_H_

#include "libattest/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A loaded endorsement key. Immutable; any number of threads may use one at a time. */
typedef struct attest_ek attest_ek;

/*
 * attest_ek_load loads an endorsement key from its TPM2B_PUBLIC or TPMT_PUBLIC, from its X.509
 * certificate (DER or PEM), or from both; what is not there is NULL and 0. A DER certificate may
 * end in padding, bytes that are all 0x00 or all 0xff, because a TPM gives its whole NV index.
 * RSA-2048 to RSA-4096, P-256, P-384 and P-521, with AES-128 or AES-256 in CFB mode and a nameAlg
 * of SHA-256, SHA-384 or SHA-512; a certificate alone says these by the template of its key's type
 * and size (TCG EK Credential Profile 2.5, B.3 and B.4).
 *
 * Loading proves nothing about where the private key is: compare attest_ek_sha256 with what was
 * enrolled, or ask attest_ek_verify_chain.
 *
 * ATTEST_E_MALFORMED: not of its format. ATTEST_E_REFUSED: not the public area of an EK, another
 * algorithm, or a certificate of another key than the public area. Since 0.1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_ek_load(attest_ek** out,
                                                          const uint8_t* public_area,
                                                          size_t public_area_len,
                                                          const uint8_t* certificate,
                                                          size_t certificate_len);

/*
 * attest_ek_sha256 returns the SHA-256 digest of the key's DER SubjectPublicKeyInfo, as 64
 * hexadecimal digits in lower case: what `openssl pkey -pubin -outform der | sha256sum` says of it.
 */
ATTEST_API const char* attest_ek_sha256(const attest_ek* ek);

/* attest_ek_describe returns "RSA-2048", "P-384", … */
ATTEST_API const char* attest_ek_describe(const attest_ek* ek);

/* Bytes of the caller's. */
typedef struct attest_bytes {
  const uint8_t* data;
  size_t len;
} attest_bytes;

typedef struct attest_chain_options {
  size_t size;
  /*
   * The operator's certificates, each element a file's content: PEM with any number of
   * certificates, or one in DER. All of them are trusted as they are, an intermediate too: what it
   * issued is then trusted without its root.
   */
  const attest_bytes* cas;
  size_t num_cas;
  /* What the chain may go through, in the same form; from anybody, 32 certificates at most. */
  const attest_bytes* intermediates;
  size_t num_intermediates;
  int64_t now; /* seconds since 1970-01-01 UTC: must be set */
} attest_chain_options;
#define ATTEST_CHAIN_OPTIONS_INIT \
  { sizeof(attest_chain_options), NULL, 0, NULL, 0, 0 }

/*
 * attest_ek_verify_chain returns ATTEST_OK when the key's certificate is one of an EK and chains to
 * one of the CAs at time `now`. Everything else is a refusal, ATTEST_E_REFUSED where the chain
 * could be looked at: attest_last_error then says the first reason.
 *
 * Checked (RFC 5280, section 6): signatures, by algorithms of 112 bits and more (neither MD5 nor
 * SHA-1; the CA's own signature is not looked at), dates, names and name constraints, CA flags,
 * path lengths, key usage of issuers, and that no critical extension is there but key usage,
 * extended key usage, alternative name, basic constraints, name constraints and certificate
 * policies. And that it is an EK's (TCG EK Credential Profile 2.5, 3.2): not a CA's;
 * keyEncipherment (RSA) or keyAgreement (ECC) where it has a key usage; tcg-kp-EKCertificate
 * (2.23.133.8.1) where it has an extended one; manufacturer, model and version of a TPM in its
 * alternative name.
 *
 * Not checked: revocation. Nothing is fetched, and no revocation list is read. Since 0.1.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status
attest_ek_verify_chain(const attest_ek* ek, const attest_chain_options* options);

ATTEST_API void attest_ek_free(attest_ek* ek);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_EK_H_ */
