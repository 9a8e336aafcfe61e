// SPDX-License-Identifier: Apache-2.0

// Endorsement keys of the TCG EK Credential Profile 2.5, annex B: the TPM derives them from its
// endorsement seed and a template, so that a key is the certified one only when every field of its
// template is.

#include <stdlib.h>
#include <string.h>

#include "collect.h"

// Policy A: PolicySecret(endorsement hierarchy), of the low range.
static const TPM2B_DIGEST kPolicyA = {
    .size = 32, .buffer = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                           0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                           0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa}};
// Policy B: policy A or one that an NV index authorizes, of the high range; for each nameAlg.
static const TPM2B_DIGEST kPolicyBSha256 = {
    .size = 32, .buffer = {0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34,
                           0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd,
                           0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0}};
static const TPM2B_DIGEST kPolicyBSha384 = {
    .size = 48, .buffer = {0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,
                           0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
                           0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09,
                           0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12}};

struct ek_template {
  const char* name;
  TPM2_HANDLE certificate;  // NV index
  TPM2_ECC_CURVE curve;     // 0: RSA-2048
  TPM2_ALG_ID name_alg;
  const TPM2B_DIGEST* policy;
  UINT16 aes_bits;
  UINT16 unique_size;  // of the zeroes that the low range has in unique
};

static const struct ek_template kTemplates[] = {
    {"L-1", 0x01c00002, 0, TPM2_ALG_SHA256, &kPolicyA, 128, 256},
    {"L-2", 0x01c0000a, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256, &kPolicyA, 128, 32},
    {"H-1", 0x01c00012, 0, TPM2_ALG_SHA256, &kPolicyBSha256, 128, 0},
    {"H-2", 0x01c00014, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256, &kPolicyBSha256, 128, 0},
    {"H-3", 0x01c00016, TPM2_ECC_NIST_P384, TPM2_ALG_SHA384, &kPolicyBSha384, 256, 0}};

enum { kNumTemplates = sizeof kTemplates / sizeof kTemplates[0] };

const struct ek_template* ek_default(void) { return &kTemplates[0]; }

const char* ek_name(const struct ek_template* ek) { return ek->name; }

bool ek_read_certificate(struct tpm* tpm, const struct ek_template* ek, struct blob* out) {
  return tpm_read_certificate(tpm, ek->certificate, out);
}

const struct ek_template* ek_named(const char* name) {
  for (size_t i = 0; i < kNumTemplates; ++i) {
    if (strcmp(kTemplates[i].name, name) == 0) return &kTemplates[i];
  }
  return NULL;
}

bool ek_choose(struct tpm* tpm, const struct ek_template** out) {
  for (size_t i = 0; i < kNumTemplates; ++i) {
    bool present;
    if (!tpm_has_handle(tpm, kTemplates[i].certificate, &present)) return false;
    if (present) {
      *out = &kTemplates[i];
      return true;
    }
  }
  *out = ek_default();
  return true;
}

static TPM2B_PUBLIC public_area_of(const struct ek_template* ek) {
  const TPMT_SYM_DEF_OBJECT aes = {
      .algorithm = TPM2_ALG_AES, .keyBits.aes = ek->aes_bits, .mode.aes = TPM2_ALG_CFB};
  TPM2B_PUBLIC out = {
      .publicArea = {.nameAlg = ek->name_alg,
                     .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                         TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                         TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED |
                                         TPMA_OBJECT_DECRYPT,
                     .authPolicy = *ek->policy}};
  TPMT_PUBLIC* const area = &out.publicArea;
  if (ek->policy != &kPolicyA) area->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  if (ek->curve == 0) {
    area->type = TPM2_ALG_RSA;
    area->parameters.rsaDetail =
        (TPMS_RSA_PARMS){.symmetric = aes, .scheme.scheme = TPM2_ALG_NULL, .keyBits = 2048};
    area->unique.rsa.size = ek->unique_size;
  } else {
    area->type = TPM2_ALG_ECC;
    area->parameters.eccDetail = (TPMS_ECC_PARMS){.symmetric = aes,
                                                  .scheme.scheme = TPM2_ALG_NULL,
                                                  .curveID = ek->curve,
                                                  .kdf.scheme = TPM2_ALG_NULL};
    area->unique.ecc.x.size = ek->unique_size;
    area->unique.ecc.y.size = ek->unique_size;
  }
  return out;
}

static bool encode_without_unique(TPM2B_PUBLIC key, struct blob* out) {
  memset(&key.publicArea.unique, 0, sizeof key.publicArea.unique);
  return key_encode(&key, out);
}

bool ek_is(const TPM2B_PUBLIC* key, const struct ek_template* ek) {
  struct blob ours = {0};
  struct blob theirs = {0};
  const bool same = encode_without_unique(public_area_of(ek), &ours) &&
                    encode_without_unique(*key, &theirs) && ours.size == theirs.size &&
                    memcmp(ours.data, theirs.data, ours.size) == 0;
  free(ours.data);
  free(theirs.data);
  return same;
}

bool ek_create(struct tpm* tpm, const struct ek_template* ek) {
  const TPM2B_SENSITIVE_CREATE sensitive = {0};
  const TPM2B_DATA outside = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  const TPM2B_PUBLIC template = public_area_of(ek);
  const TSS2_RC rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                        ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside,
                                        &no_pcrs, &tpm->ek, NULL, NULL, NULL, NULL);
  if (rc != TSS2_RC_SUCCESS) tpm->ek = ESYS_TR_NONE;
  return tpm_check(rc, "making the EK (has the endorsement hierarchy a password?)");
}

bool ek_flush(struct tpm* tpm) {
  const TSS2_RC rc = Esys_FlushContext(tpm->esys, tpm->ek);
  tpm->ek = ESYS_TR_NONE;
  return tpm_check(rc, "flushing the EK");
}

// A policy session that satisfies policy A; the TPM resets it with each use, so one a command.
static bool open_policy_session(struct tpm* tpm, ESYS_TR* out) {
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

// Keys of the high range have an authorization value, which is empty, as well as a policy.
bool ek_session(struct tpm* tpm, ESYS_TR* session) {
  TPM2B_PUBLIC key;
  *session = ESYS_TR_NONE;
  if (!tpm_read_public(tpm, tpm->ek, &key)) return false;
  if ((key.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0) {
    return open_policy_session(tpm, session);
  }
  *session = ESYS_TR_PASSWORD;
  return true;
}

void ek_session_end(struct tpm* tpm, ESYS_TR session) {
  if (session != ESYS_TR_NONE && session != ESYS_TR_PASSWORD) {
    Esys_FlushContext(tpm->esys, session);
  }
}
