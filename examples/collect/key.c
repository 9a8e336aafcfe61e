// SPDX-License-Identifier: Apache-2.0

// The attestation key: a restricted signing key under the endorsement key that the manufacturer's
// certificate names, so that a verifier can bind the one to the other by a credential challenge.

#include <tss2/tss2_mu.h>

#include "collect.h"

#define AK_ATTRIBUTES                                                                 \
  (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
   TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED |             \
   TPMA_OBJECT_SIGN_ENCRYPT)

static const TPM2B_PUBLIC kRsaTemplate = {
    .publicArea = {.type = TPM2_ALG_RSA,
                   .nameAlg = TPM2_ALG_SHA256,
                   .objectAttributes = AK_ATTRIBUTES,
                   .parameters.rsaDetail = {.symmetric.algorithm = TPM2_ALG_NULL,
                                            .scheme = {.scheme = TPM2_ALG_RSASSA,
                                                       .details.rsassa.hashAlg = TPM2_ALG_SHA256},
                                            .keyBits = 2048,
                                            .exponent = 0}}};

static const TPM2B_PUBLIC kEccTemplate = {
    .publicArea = {.type = TPM2_ALG_ECC,
                   .nameAlg = TPM2_ALG_SHA256,
                   .objectAttributes = AK_ATTRIBUTES,
                   .parameters.eccDetail = {.symmetric.algorithm = TPM2_ALG_NULL,
                                            .scheme = {.scheme = TPM2_ALG_ECDSA,
                                                       .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                                            .curveID = TPM2_ECC_NIST_P256,
                                            .kdf.scheme = TPM2_ALG_NULL}}};

static bool create(struct tpm* tpm, const TPM2B_PUBLIC* template, TPM2B_PRIVATE** private_out,
                   TPM2B_PUBLIC** public_out) {
  const TPM2B_SENSITIVE_CREATE sensitive = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  ESYS_TR session = ESYS_TR_NONE;
  const bool good =
      ek_session(tpm, &session) &&
      tpm_check(Esys_Create(tpm->esys, tpm->ek, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                            template, NULL, &no_pcrs, private_out, public_out, NULL, NULL, NULL),
                "making the attestation key");
  if (!good) ek_session_end(tpm, session);
  return good;
}

static bool load(struct tpm* tpm, const TPM2B_PRIVATE* private_area,
                 const TPM2B_PUBLIC* public_area) {
  ESYS_TR session = ESYS_TR_NONE;
  const bool good = ek_session(tpm, &session) &&
                    tpm_check(Esys_Load(tpm->esys, tpm->ek, session, ESYS_TR_NONE, ESYS_TR_NONE,
                                        private_area, public_area, &tpm->ak),
                              "loading the attestation key");
  if (good) {
    tpm->ak_is_transient = true;
  } else {
    tpm->ak = ESYS_TR_NONE;
    ek_session_end(tpm, session);
  }
  return good;
}

bool key_create(struct tpm* tpm, enum ak_type type) {
  TPM2B_PRIVATE* private_area = NULL;
  TPM2B_PUBLIC* public_area = NULL;
  const bool good =
      create(tpm, type == AK_ECC ? &kEccTemplate : &kRsaTemplate, &private_area, &public_area) &&
      load(tpm, private_area, public_area);
  Esys_Free(private_area);
  Esys_Free(public_area);
  return good;
}

static bool make_transient(struct tpm* tpm, enum ak_type type) {
  if (!ek_create(tpm, ek_default())) return false;
  const bool good = key_create(tpm, type);
  return ek_flush(tpm) && good;
}

static bool make_persistent(struct tpm* tpm, TPM2_HANDLE handle) {
  ESYS_TR persistent;
  if (!tpm_check(Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, tpm->ak, ESYS_TR_PASSWORD,
                                   ESYS_TR_NONE, ESYS_TR_NONE, handle, &persistent),
                 "keeping the attestation key at --ak-handle (has the owner hierarchy a "
                 "password?)")) {
    return false;
  }
  const TSS2_RC rc = Esys_FlushContext(tpm->esys, tpm->ak);
  tpm->ak = persistent;
  tpm->ak_is_transient = false;
  return tpm_check(rc, "flushing the attestation key");
}

static bool use_persistent(struct tpm* tpm, TPM2_HANDLE handle) {
  const TSS2_RC rc =
      Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tpm->ak);
  if (rc != TSS2_RC_SUCCESS) tpm->ak = ESYS_TR_NONE;
  return tpm_check(rc, "reading the key at --ak-handle");
}

bool key_is(const TPM2B_PUBLIC* key, enum ak_type type) {
  return type == AK_UNSAID ||
         key->publicArea.type == (type == AK_ECC ? TPM2_ALG_ECC : TPM2_ALG_RSA);
}

bool key_encode(const TPM2B_PUBLIC* key, struct blob* out) {
  uint8_t buffer[sizeof(TPM2B_PUBLIC)];
  size_t size = 0;
  return tpm_check(Tss2_MU_TPM2B_PUBLIC_Marshal(key, buffer, sizeof buffer, &size),
                   "encoding a public key") &&
         blob_copy(out, buffer, size);
}

// A key that was made by others may be anything: only a restricted key, which signs nothing but
// what the TPM itself made, is worth a quote.
bool key_read(struct tpm* tpm, enum ak_type type, const char* which, struct blob* out) {
  const TPMA_OBJECT wanted = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
  TPM2B_PUBLIC key;
  if (!tpm_read_public(tpm, tpm->ak, &key)) return false;
  if ((key.publicArea.objectAttributes & (wanted | TPMA_OBJECT_DECRYPT)) != wanted) {
    complain("the key %s is not a restricted signing key", which);
  } else if (!key_is(&key, type)) {
    complain("the key %s is not of the type that --ak asks for", which);
  } else {
    return key_encode(&key, out);
  }
  return false;
}

bool key_obtain(struct tpm* tpm, enum ak_type type, TPM2_HANDLE handle, struct blob* out) {
  bool present = false;
  if (handle != 0 && !tpm_has_handle(tpm, handle, &present)) return false;
  return (present ? use_persistent(tpm, handle)
                  : make_transient(tpm, type) && (handle == 0 || make_persistent(tpm, handle))) &&
         key_read(tpm, type, "at --ak-handle", out);
}
