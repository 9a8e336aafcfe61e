// SPDX-License-Identifier: Apache-2.0

// The attestation key: a restricted signing key under the endorsement key that the manufacturer's
// certificate names, so that a verifier can bind the one to the other by a credential challenge.

#include <string.h>
#include <tss2/tss2_mu.h>

#include "collect.h"

// Template L-1 (TCG EK Credential Profile 2.5, B.3.3): any other field gives another key than the
// certified one. Its policy is PolicySecret(endorsement hierarchy).
static const TPM2B_PUBLIC kEkTemplate = {
    .publicArea = {
        .type = TPM2_ALG_RSA,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                            TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                            TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
        .authPolicy = {.size = 32,
                       .buffer = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                  0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                  0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa}},
        .parameters.rsaDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                               .keyBits.aes = 128,
                                               .mode.aes = TPM2_ALG_CFB},
                                 .scheme.scheme = TPM2_ALG_NULL,
                                 .keyBits = 2048,
                                 .exponent = 0},
        .unique.rsa.size = 256}};

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

// A policy session that satisfies the EK's policy; the TPM resets it with each use, so one a
// command.
static bool open_ek_session(struct tpm* tpm, ESYS_TR* out) {
  const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
  if (!tpm_check(
          Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, out),
          "starting a policy session")) {
    *out = ESYS_TR_NONE;
    return false;
  }
  // Without continueSession the TPM itself ends the session after the command it authorizes.
  return tpm_check(Esys_TRSess_SetAttributes(tpm->esys, *out, 0, TPMA_SESSION_CONTINUESESSION),
                   "starting a policy session") &&
         tpm_check(Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, *out, ESYS_TR_PASSWORD,
                                     ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL),
                   "authorizing the use of the EK (has the endorsement hierarchy a password?)");
}

static bool create_ak(struct tpm* tpm, ESYS_TR ek, const TPM2B_PUBLIC* template,
                      TPM2B_PRIVATE** private_out, TPM2B_PUBLIC** public_out) {
  const TPM2B_SENSITIVE_CREATE sensitive = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  ESYS_TR session = ESYS_TR_NONE;
  const bool good =
      open_ek_session(tpm, &session) &&
      tpm_check(Esys_Create(tpm->esys, ek, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                            template, NULL, &no_pcrs, private_out, public_out, NULL, NULL, NULL),
                "making the attestation key");
  if (!good && session != ESYS_TR_NONE) Esys_FlushContext(tpm->esys, session);
  return good;
}

static bool load_ak(struct tpm* tpm, ESYS_TR ek, const TPM2B_PRIVATE* private_area,
                    const TPM2B_PUBLIC* public_area) {
  ESYS_TR session = ESYS_TR_NONE;
  bool good = open_ek_session(tpm, &session) &&
              tpm_check(Esys_Load(tpm->esys, ek, session, ESYS_TR_NONE, ESYS_TR_NONE, private_area,
                                  public_area, &tpm->ak),
                        "loading the attestation key");
  if (good) {
    tpm->ak_is_transient = true;
  } else {
    tpm->ak = ESYS_TR_NONE;
    if (session != ESYS_TR_NONE) Esys_FlushContext(tpm->esys, session);
  }
  return good;
}

static bool make_transient(struct tpm* tpm, enum ak_type type) {
  const TPM2B_SENSITIVE_CREATE sensitive = {0};
  const TPM2B_DATA outside = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  TPM2B_PRIVATE* private_area = NULL;
  TPM2B_PUBLIC* public_area = NULL;
  ESYS_TR ek = ESYS_TR_NONE;
  if (!tpm_check(Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &kEkTemplate, &outside,
                                    &no_pcrs, &ek, NULL, NULL, NULL, NULL),
                 "making the EK (has the endorsement hierarchy a password?)")) {
    return false;
  }
  const bool good = create_ak(tpm, ek, type == AK_ECC ? &kEccTemplate : &kRsaTemplate,
                              &private_area, &public_area) &&
                    load_ak(tpm, ek, private_area, public_area);
  Esys_Free(private_area);
  Esys_Free(public_area);
  return tpm_check(Esys_FlushContext(tpm->esys, ek), "flushing the EK") && good;
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

// A key that was at --ak-handle before may be anything: only a restricted key, which signs nothing
// but what the TPM itself made, is worth a quote.
static bool is_attestation_key(const TPMT_PUBLIC* area, enum ak_type type) {
  const TPMA_OBJECT wanted = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
  if ((area->objectAttributes & (wanted | TPMA_OBJECT_DECRYPT)) != wanted) {
    complain("the key at --ak-handle is not a restricted signing key");
  } else if (type != AK_UNSAID && area->type != (type == AK_ECC ? TPM2_ALG_ECC : TPM2_ALG_RSA)) {
    complain("the key at --ak-handle is not of the type that --ak asks for");
  } else {
    return true;
  }
  return false;
}

static bool read_public(struct tpm* tpm, enum ak_type type, struct blob* out) {
  uint8_t buffer[sizeof(TPM2B_PUBLIC)];
  size_t size = 0;
  TPM2B_PUBLIC* area = NULL;
  if (!tpm_check(Esys_ReadPublic(tpm->esys, tpm->ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &area, NULL, NULL),
                 "reading the attestation key")) {
    return false;
  }
  const bool good = is_attestation_key(&area->publicArea, type) &&
                    tpm_check(Tss2_MU_TPM2B_PUBLIC_Marshal(area, buffer, sizeof buffer, &size),
                              "encoding the attestation key") &&
                    blob_copy(out, buffer, size);
  Esys_Free(area);
  return good;
}

bool key_obtain(struct tpm* tpm, enum ak_type type, TPM2_HANDLE handle, struct blob* out) {
  bool present = false;
  if (handle != 0 && !tpm_has_handle(tpm, handle, &present)) return false;
  if (present) return use_persistent(tpm, handle) && read_public(tpm, type, out);
  return make_transient(tpm, type) && (handle == 0 || make_persistent(tpm, handle)) &&
         read_public(tpm, type, out);
}
