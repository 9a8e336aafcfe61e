/* SPDX-License-Identifier: Apache-2.0 */

/* Quotes of TPMs 2.0 and 1.2, with the signature and the PCR values that came with them. */

#ifndef LIBATTEST_QUOTE_H_
#define LIBATTEST_QUOTE_H_

#include "libattest/base.h"
#include "libattest/key.h"
#include "libattest/pcrs.h"
#include "libattest/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A parsed quote. Immutable; any number of threads may read one. */
typedef struct attest_quote attest_quote;

/*
 * attest_quote_parse parses a TPMS_ATTEST, a TPMT_SIGNATURE (or a bare one, `tpm2_quote -f plain`)
 * and the PCR values in tpm2_quote's serialized form or as bare values.
 *
 * Or, which the first bytes say, a TPM 1.2's quote (TPM Main Specification 1.2, Part 2, sections
 * 11.3 and 11.4): a TPM_QUOTE_INFO, or a TPM_QUOTE_INFO2 with or without the TPM_CAP_VERSION_INFO
 * that was signed with it; its bare signature; and a TPM_PCR_COMPOSITE or, with a TPM_QUOTE_INFO2,
 * the text that `tpm_getquote -p` writes. The nonce of one is always of 20 bytes. All of it rests
 * on SHA-1.
 *
 * Parsing proves nothing: all fields are the sender's claims until attest_quote_verify or
 * attest_appraise has checked them. A TPMS_ATTEST with another magic or type than a quote's is
 * parsed as far as that, and is a finding of the verification.
 *
 * Returns ATTEST_E_MALFORMED when one of the three is not exactly of its format.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_quote_parse(
    attest_quote** out, const uint8_t* attest, size_t attest_len, const uint8_t* signature,
    size_t signature_len, const uint8_t* pcrs, size_t pcrs_len);

/*
 * attest_quote_parse_keylime parses the quote string of Keylime's agent API: "r", then the same
 * three in base64 with colons between them; each compressed by zlib in API 1.0. Keylime's nonce is
 * the UTF-8 text of the request, without a NUL.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_quote_parse_keylime(attest_quote** out,
                                                                      const char* text,
                                                                      size_t text_len);

/* What a quote is written as. */
typedef enum attest_quote_format {
  ATTEST_QUOTE_FORMAT_NONE = 0,
  ATTEST_QUOTE_FORMAT_ATTEST = 1,     /* TPM 2.0: TPMS_ATTEST */
  ATTEST_QUOTE_FORMAT_QUOTE_INFO = 2, /* TPM 1.2: TPM_Quote */
  ATTEST_QUOTE_FORMAT_QUOTE_INFO2 = 3 /* TPM 1.2: TPM_Quote2 */
} attest_quote_format;

/*
 * What a quote claims. Zero and NULL from `nonce` to `firmware_version` when magic or type are not
 * a quote's. A TPM 1.2's quote has its format and its nonce, and zero and NULL in all the rest.
 */
typedef struct attest_quote_info {
  size_t size;
  uint32_t magic;       /* 0xff544347 in what a TPM made */
  uint16_t type;        /* 0x8018: a quote */
  const uint8_t* nonce; /* extraData */
  size_t nonce_len;
  const uint8_t* signer; /* qualifiedSigner, a Name */
  size_t signer_len;
  uint64_t clock; /* milliseconds that the TPM was powered */
  uint32_t reset_count;
  uint32_t restart_count;
  int clock_safe; /* 1: the clock was never set back */
  uint64_t firmware_version;
  attest_quote_format format;
} attest_quote_info;
#define ATTEST_QUOTE_INFO_INIT \
  { sizeof(attest_quote_info), 0, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, ATTEST_QUOTE_FORMAT_NONE }

ATTEST_API ATTEST_MUST_CHECK attest_status attest_quote_get_info(attest_quote_info* out,
                                                                 const attest_quote* quote);

/* attest_quote_pcrs makes the set of the PCR values that came with the quote: claims, as they are.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_quote_pcrs(attest_pcrs** out,
                                                             const attest_quote* quote);

typedef struct attest_quote_options {
  size_t size;
  const uint8_t* nonce; /* what the quote was asked with; without it no quote verifies */
  size_t nonce_len;
  int allow_sha1; /* 1: SHA-1 signatures are allowed */
} attest_quote_options;
#define ATTEST_QUOTE_OPTIONS_INIT \
  { sizeof(attest_quote_options), NULL, 0, 0 }

/*
 * attest_quote_verify checks signature, magic, type, nonce, PCR selection, PCR digest and the key's
 * attributes, and nothing of what the PCR values mean: the verdict of its report is never
 * ATTEST_VERDICT_TRUSTED. Ask attest_report_quote_verified whether the quote is good.
 */
ATTEST_API ATTEST_MUST_CHECK attest_status attest_quote_verify(attest_report** out,
                                                               const attest_quote* quote,
                                                               const attest_key* key,
                                                               const attest_quote_options* options);

ATTEST_API void attest_quote_free(attest_quote* quote);

#ifdef __cplusplus
}
#endif

#endif /* LIBATTEST_QUOTE_H_ */
