// SPDX-License-Identifier: Apache-2.0

// The connection to the TPM, and what is read from it besides the quote.

#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "collect.h"

// NV_Read returns at most TPM2_PT_NV_BUFFER_MAX bytes; the PC Client profile promises 512
// everywhere.
enum { kNvChunk = 512 };

bool tpm_check(TSS2_RC rc, const char* what) {
  if (rc == TSS2_RC_SUCCESS) return true;
  complain("%s: %s (0x%x)", what, Tss2_RC_Decode(rc), (unsigned)rc);
  return false;
}

bool tpm_open(struct tpm* out, const char* tcti) {
  memset(out, 0, sizeof *out);
  out->ek = ESYS_TR_NONE;
  out->ak = ESYS_TR_NONE;
  return tpm_check(Tss2_TctiLdr_Initialize(tcti, &out->tcti),
                   tcti != NULL ? "cannot reach the TPM of --tcti" : "cannot reach a TPM") &&
         tpm_check(Esys_Initialize(&out->esys, out->tcti, NULL), "cannot talk to the TPM");
}

void tpm_close(struct tpm* tpm) {
  if (tpm->esys != NULL && tpm->ek != ESYS_TR_NONE) Esys_FlushContext(tpm->esys, tpm->ek);
  if (tpm->esys != NULL && tpm->ak != ESYS_TR_NONE) {
    if (tpm->ak_is_transient) {
      Esys_FlushContext(tpm->esys, tpm->ak);
    } else {
      Esys_TR_Close(tpm->esys, &tpm->ak);
    }
  }
  Esys_Finalize(&tpm->esys);
  Tss2_TctiLdr_Finalize(&tpm->tcti);
}

// The certificate's own length by its DER header: vendors pad the NV index behind it.
static size_t der_length(const uint8_t* data, size_t size) {
  if (size < 4 || data[0] != 0x30 || data[1] != 0x82) return size;
  const size_t length = 4 + ((size_t)data[2] << 8 | data[3]);
  return length < size ? length : size;
}

static bool read_nv(struct tpm* tpm, ESYS_TR auth, ESYS_TR index, uint8_t* out, uint16_t size) {
  for (uint16_t at = 0; at < size;) {
    const uint16_t ask = size - at < kNvChunk ? (uint16_t)(size - at) : (uint16_t)kNvChunk;
    TPM2B_MAX_NV_BUFFER* part = NULL;
    const TSS2_RC rc = Esys_NV_Read(tpm->esys, auth, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                    ESYS_TR_NONE, ask, at, &part);
    if (!tpm_check(rc, "reading the EK certificate")) return false;
    if (part->size == 0 || part->size > ask) {
      Esys_Free(part);
      complain("reading the EK certificate: the TPM answered with a wrong length");
      return false;
    }
    memcpy(out + at, part->buffer, part->size);
    at = (uint16_t)(at + part->size);
    Esys_Free(part);
  }
  return true;
}

static bool read_nv_index(struct tpm* tpm, TPM2_HANDLE handle, struct blob* out) {
  ESYS_TR index;
  if (!tpm_check(Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &index),
                 "reading the EK certificate")) {
    return false;
  }
  TPM2B_NV_PUBLIC* public_area = NULL;
  bool good = tpm_check(Esys_NV_ReadPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
                                           ESYS_TR_NONE, &public_area, NULL),
                        "reading the EK certificate");
  // An index that was defined but never written cannot be read.
  if (good && (public_area->nvPublic.attributes & TPMA_NV_WRITTEN) != 0) {
    static uint8_t buffer[UINT16_MAX];
    const uint16_t size = public_area->nvPublic.dataSize;
    const bool by_itself = (public_area->nvPublic.attributes & TPMA_NV_AUTHREAD) != 0;
    good = read_nv(tpm, by_itself ? index : ESYS_TR_RH_OWNER, index, buffer, size) &&
           blob_copy(out, buffer, der_length(buffer, size));
  }
  Esys_Free(public_area);
  Esys_TR_Close(tpm->esys, &index);
  return good;
}

bool tpm_has_handle(struct tpm* tpm, TPM2_HANDLE handle, bool* out) {
  TPMS_CAPABILITY_DATA* data = NULL;
  const TSS2_RC rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                        TPM2_CAP_HANDLES, handle, 1, NULL, &data);
  if (!tpm_check(rc, "asking the TPM for its handles")) return false;
  // The TPM lists handles from the given one upwards.
  *out = data->data.handles.count > 0 && data->data.handles.handle[0] == handle;
  Esys_Free(data);
  return true;
}

bool tpm_read_public(struct tpm* tpm, ESYS_TR key, TPM2B_PUBLIC* out) {
  TPM2B_PUBLIC* area = NULL;
  if (!tpm_check(Esys_ReadPublic(tpm->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &area,
                                 NULL, NULL),
                 "reading a public key")) {
    return false;
  }
  *out = *area;
  Esys_Free(area);
  return true;
}

bool tpm_read_certificate(struct tpm* tpm, TPM2_HANDLE index, struct blob* out) {
  bool present;
  if (!tpm_has_handle(tpm, index, &present)) return false;
  if (present && !read_nv_index(tpm, index, out)) complain("the EK certificate is left out");
  return true;
}
