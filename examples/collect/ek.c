// SPDX-License-Identifier: Apache-2.0

// Endorsement keys of the TCG EK Credential Profile 2.5, annex B: the TPM derives them from its
// endorsement seed and a template, so that a key is the certified one only when every field of its
// template is.

#include <stdlib.h>
#include <string.h>

#include "collect.h"

#define LOW_RANGE                                                                     \
  (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
   TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)
#define HIGH_RANGE (LOW_RANGE | TPMA_OBJECT_USERWITHAUTH)

// B.6.2: PolicySecret(endorsement hierarchy).
#define POLICY_A_SHA256     \
  {                         \
    .size = 32, .buffer = { \
      0x83,                 \
      0x71,                 \
      0x97,                 \
      0x67,                 \
      0x44,                 \
      0x84,                 \
      0xb3,                 \
      0xf8,                 \
      0x1a,                 \
      0x90,                 \
      0xcc,                 \
      0x8d,                 \
      0x46,                 \
      0xa5,                 \
      0xd7,                 \
      0x24,                 \
      0xfd,                 \
      0x52,                 \
      0xd7,                 \
      0x6e,                 \
      0x06,                 \
      0x52,                 \
      0x0b,                 \
      0x64,                 \
      0xf2,                 \
      0xa1,                 \
      0xda,                 \
      0x1b,                 \
      0x33,                 \
      0x14,                 \
      0x69,                 \
      0xaa                  \
    }                       \
  }
// B.6.4: PolicyOR of policy A and of one that an NV index authorizes.
#define POLICY_B_SHA256     \
  {                         \
    .size = 32, .buffer = { \
      0xca,                 \
      0x3d,                 \
      0x0a,                 \
      0x99,                 \
      0xa2,                 \
      0xb9,                 \
      0x39,                 \
      0x06,                 \
      0xf7,                 \
      0xa3,                 \
      0x34,                 \
      0x24,                 \
      0x14,                 \
      0xef,                 \
      0xcf,                 \
      0xb3,                 \
      0xa3,                 \
      0x85,                 \
      0xd4,                 \
      0x4c,                 \
      0xd1,                 \
      0xfd,                 \
      0x45,                 \
      0x90,                 \
      0x89,                 \
      0xd1,                 \
      0x9b,                 \
      0x50,                 \
      0x71,                 \
      0xc0,                 \
      0xb7,                 \
      0xa0                  \
    }                       \
  }
#define POLICY_B_SHA384     \
  {                         \
    .size = 48, .buffer = { \
      0xb2,                 \
      0x6e,                 \
      0x7d,                 \
      0x28,                 \
      0xd1,                 \
      0x1a,                 \
      0x50,                 \
      0xbc,                 \
      0x53,                 \
      0xd8,                 \
      0x82,                 \
      0xbc,                 \
      0xf5,                 \
      0xfd,                 \
      0x3a,                 \
      0x1a,                 \
      0x07,                 \
      0x41,                 \
      0x48,                 \
      0xbb,                 \
      0x35,                 \
      0xd3,                 \
      0xb4,                 \
      0xe4,                 \
      0xcb,                 \
      0x1c,                 \
      0x0a,                 \
      0xd9,                 \
      0xbd,                 \
      0xe4,                 \
      0x19,                 \
      0xca,                 \
      0xcb,                 \
      0x47,                 \
      0xba,                 \
      0x09,                 \
      0x69,                 \
      0x96,                 \
      0x46,                 \
      0x15,                 \
      0x0f,                 \
      0x9f,                 \
      0xc0,                 \
      0x00,                 \
      0xf3,                 \
      0xf8,                 \
      0x0e,                 \
      0x12                  \
    }                       \
  }

#define RSA_2048(AES_BITS)                                                                         \
  {                                                                                                \
    .symmetric = {.algorithm = TPM2_ALG_AES, .keyBits.aes = (AES_BITS), .mode.aes = TPM2_ALG_CFB}, \
    .scheme.scheme = TPM2_ALG_NULL, .keyBits = 2048, .exponent = 0                                 \
  }
#define ECC(CURVE, AES_BITS)                                                                       \
  {                                                                                                \
    .symmetric = {.algorithm = TPM2_ALG_AES, .keyBits.aes = (AES_BITS), .mode.aes = TPM2_ALG_CFB}, \
    .scheme.scheme = TPM2_ALG_NULL, .curveID = (CURVE), .kdf.scheme = TPM2_ALG_NULL                \
  }

// The low range has zeroes of the key's size where the high range has nothing (unique).
static const struct ek_template kTemplates[] = {
    {"L-1",
     0x01c00002,
     {.publicArea = {.type = TPM2_ALG_RSA,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = LOW_RANGE,
                     .authPolicy = POLICY_A_SHA256,
                     .parameters.rsaDetail = RSA_2048(128),
                     .unique.rsa.size = 256}}},
    {"L-2",
     0x01c0000a,
     {.publicArea = {.type = TPM2_ALG_ECC,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = LOW_RANGE,
                     .authPolicy = POLICY_A_SHA256,
                     .parameters.eccDetail = ECC(TPM2_ECC_NIST_P256, 128),
                     .unique.ecc = {.x.size = 32, .y.size = 32}}}},
    {"H-1",
     0x01c00012,
     {.publicArea = {.type = TPM2_ALG_RSA,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = HIGH_RANGE,
                     .authPolicy = POLICY_B_SHA256,
                     .parameters.rsaDetail = RSA_2048(128)}}},
    {"H-2",
     0x01c00014,
     {.publicArea = {.type = TPM2_ALG_ECC,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = HIGH_RANGE,
                     .authPolicy = POLICY_B_SHA256,
                     .parameters.eccDetail = ECC(TPM2_ECC_NIST_P256, 128)}}},
    {"H-3",
     0x01c00016,
     {.publicArea = {.type = TPM2_ALG_ECC,
                     .nameAlg = TPM2_ALG_SHA384,
                     .objectAttributes = HIGH_RANGE,
                     .authPolicy = POLICY_B_SHA384,
                     .parameters.eccDetail = ECC(TPM2_ECC_NIST_P384, 256)}}}};

enum { kNumTemplates = sizeof kTemplates / sizeof kTemplates[0] };

const struct ek_template* ek_default(void) { return &kTemplates[0]; }

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

static void drop_unique(TPM2B_PUBLIC* key) {
  memset(&key->publicArea.unique, 0, sizeof key->publicArea.unique);
}

bool ek_is(const TPM2B_PUBLIC* key, const struct ek_template* ek) {
  TPM2B_PUBLIC ours = ek->public_area;
  TPM2B_PUBLIC theirs = *key;
  drop_unique(&ours);
  drop_unique(&theirs);
  struct blob a = {0};
  struct blob b = {0};
  const bool same = key_encode(&ours, &a) && key_encode(&theirs, &b) && a.size == b.size &&
                    memcmp(a.data, b.data, a.size) == 0;
  free(a.data);
  free(b.data);
  return same;
}

bool ek_create(struct tpm* tpm, const struct ek_template* ek) {
  const TPM2B_SENSITIVE_CREATE sensitive = {0};
  const TPM2B_DATA outside = {0};
  const TPML_PCR_SELECTION no_pcrs = {0};
  const TSS2_RC rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                        ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &ek->public_area,
                                        &outside, &no_pcrs, &tpm->ek, NULL, NULL, NULL, NULL);
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
