// SPDX-License-Identifier: Apache-2.0

// PCR values and a quote over exactly these values.

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "collect.h"

// A measurement between reading the PCRs and quoting them makes the values useless: read again.
enum { kMaxAttempts = 10 };

// tpm2_quote -o: TPML_PCR_SELECTION, a count of TPML_DIGESTs, the TPML_DIGESTs, each as a
// little-endian machine holds it in memory.
static const size_t kDigestsInList = 8;
static const size_t kDigestSize = 64;
static const size_t kSelections = TPM2_NUM_PCR_BANKS;

struct pcr_values {
  size_t count;
  TPM2B_DIGEST digests[TPM2_NUM_PCR_BANKS * COLLECT_NUM_PCRS];  // in the order of the selection
};

static bool selected(const TPMS_PCR_SELECTION* selection, unsigned pcr) {
  return pcr / 8 < selection->sizeofSelect && (selection->pcrSelect[pcr / 8] >> pcr % 8 & 1) != 0;
}

// Takes the PCRs that the TPM returned off the selection. The TPM answers in the order it was asked
// in, so a PCR passed over will not come any more.
static bool take_values(TPML_PCR_SELECTION* rest, const TPML_PCR_SELECTION* got,
                        const TPML_DIGEST* values, struct pcr_values* out) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < got->count; ++i) {
    if (i >= rest->count || got->pcrSelections[i].hash != rest->pcrSelections[i].hash) return false;
    for (unsigned pcr = 0; pcr < COLLECT_NUM_PCRS; ++pcr) {
      if (!selected(&got->pcrSelections[i], pcr)) continue;
      if (!selected(&rest->pcrSelections[i], pcr) || next >= values->count) return false;
      out->digests[out->count++] = values->digests[next++];
      BYTE* select = &rest->pcrSelections[i].pcrSelect[pcr / 8];
      *select = (BYTE)(*select & ~(1U << pcr % 8));
    }
  }
  return next == values->count;
}

static bool any_left(const TPML_PCR_SELECTION* rest) {
  for (uint32_t i = 0; i < rest->count; ++i) {
    for (unsigned pcr = 0; pcr < COLLECT_NUM_PCRS; ++pcr) {
      if (selected(&rest->pcrSelections[i], pcr)) return true;
    }
  }
  return false;
}

// PCR_Read returns at most eight values (TPM 2.0 Part 3, 22.4).
static bool read_pcrs(struct tpm* tpm, const TPML_PCR_SELECTION* pcrs, struct pcr_values* out) {
  TPML_PCR_SELECTION rest = *pcrs;
  out->count = 0;
  while (any_left(&rest)) {
    TPML_PCR_SELECTION* got = NULL;
    TPML_DIGEST* values = NULL;
    if (!tpm_check(Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &rest, NULL,
                                 &got, &values),
                   "reading the PCRs")) {
      return false;
    }
    const bool none = values->count == 0;
    const bool good = take_values(&rest, got, values, out);
    Esys_Free(got);
    Esys_Free(values);
    if (none) {
      complain("reading the PCRs: the TPM has no such PCR or bank (--pcrs)");
      return false;
    }
    if (!good) {
      complain("reading the PCRs: the TPM answered with other PCRs than it was asked for");
      return false;
    }
  }
  return true;
}

static bool hash_values(struct tpm* tpm, TPMI_ALG_HASH algorithm, const struct pcr_values* values,
                        TPM2B_DIGEST** out) {
  static const char what[] = "hashing the PCR values";
  const TPM2B_AUTH auth = {0};
  const TPM2B_MAX_BUFFER nothing = {0};
  ESYS_TR sequence;
  if (!tpm_check(Esys_HashSequenceStart(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &auth,
                                        algorithm, &sequence),
                 what)) {
    return false;
  }
  bool good = true;
  for (size_t i = 0; good && i < values->count;) {
    TPM2B_MAX_BUFFER part = {0};
    for (; i < values->count && part.size + values->digests[i].size <= TPM2_MAX_DIGEST_BUFFER;
         ++i) {
      memcpy(part.buffer + part.size, values->digests[i].buffer, values->digests[i].size);
      part.size = (UINT16)(part.size + values->digests[i].size);
    }
    good = tpm_check(Esys_SequenceUpdate(tpm->esys, sequence, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &part),
                     what);
  }
  good =
      good && tpm_check(Esys_SequenceComplete(tpm->esys, sequence, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                              ESYS_TR_NONE, &nothing, ESYS_TR_RH_NULL, out, NULL),
                        what);
  if (!good) Esys_FlushContext(tpm->esys, sequence);
  return good;
}

static TPMI_ALG_HASH signature_hash(const TPMT_SIGNATURE* signature) {
  // Every signature scheme's structure starts with the hash algorithm (TPM 2.0 Part 2, 11.3).
  return signature->signature.any.hashAlg;
}

static bool same_selection(const TPML_PCR_SELECTION* a, const TPML_PCR_SELECTION* b) {
  if (a->count != b->count) return false;
  for (uint32_t i = 0; i < a->count; ++i) {
    if (a->pcrSelections[i].hash != b->pcrSelections[i].hash) return false;
    for (unsigned pcr = 0; pcr < COLLECT_NUM_PCRS; ++pcr) {
      if (selected(&a->pcrSelections[i], pcr) != selected(&b->pcrSelections[i], pcr)) return false;
    }
  }
  return true;
}

static void put_le(uint8_t** cursor, uint32_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) *(*cursor)++ = (uint8_t)(value >> 8 * i);
}

static bool encode_values(const TPML_PCR_SELECTION* pcrs, const struct pcr_values* values,
                          struct blob* out) {
  const size_t num_lists = (values->count + kDigestsInList - 1) / kDigestsInList;
  const size_t list_size = 4 + kDigestsInList * (2 + kDigestSize);
  const size_t size = 4 + kSelections * 8 + 4 + num_lists * list_size;
  uint8_t* const data = calloc(1, size);
  if (data == NULL) {
    complain("out of memory");
    return false;
  }
  uint8_t* cursor = data;
  put_le(&cursor, pcrs->count, 4);
  for (uint32_t i = 0; i < pcrs->count; ++i) {
    put_le(&cursor, pcrs->pcrSelections[i].hash, 2);
    put_le(&cursor, pcrs->pcrSelections[i].sizeofSelect, 1);
    memcpy(cursor, pcrs->pcrSelections[i].pcrSelect, COLLECT_NUM_PCRS / 8);
    cursor += 5;
  }
  cursor = data + 4 + kSelections * 8;
  put_le(&cursor, (uint32_t)num_lists, 4);
  for (size_t i = 0; i < values->count; ++i) {
    const size_t left = values->count - i;
    if (i % kDigestsInList == 0) {
      put_le(&cursor, (uint32_t)(left < kDigestsInList ? left : kDigestsInList), 4);
    }
    put_le(&cursor, values->digests[i].size, 2);
    memcpy(cursor, values->digests[i].buffer, values->digests[i].size);
    cursor += kDigestSize;
  }
  out->data = data;
  out->size = size;
  return true;
}

static bool encode(const TPM2B_ATTEST* quoted, const TPMT_SIGNATURE* signature,
                   const TPML_PCR_SELECTION* pcrs, const struct pcr_values* values,
                   struct evidence* out) {
  uint8_t buffer[sizeof(TPMT_SIGNATURE)];
  size_t size = 0;
  return tpm_check(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, buffer, sizeof buffer, &size),
                   "encoding the signature") &&
         blob_copy(&out->sig, buffer, size) &&
         blob_copy(&out->msg, quoted->attestationData, quoted->size) &&
         encode_values(pcrs, values, &out->pcrs);
}

// Sets *matches to whether the quote is over these values.
static bool compare(struct tpm* tpm, const TPM2B_ATTEST* quoted, const TPMT_SIGNATURE* signature,
                    const TPML_PCR_SELECTION* pcrs, const struct pcr_values* values,
                    bool* matches) {
  TPMS_ATTEST attest;
  if (!tpm_check(
          Tss2_MU_TPMS_ATTEST_Unmarshal(quoted->attestationData, quoted->size, NULL, &attest),
          "reading the quote")) {
    return false;
  }
  const TPMS_QUOTE_INFO* info = &attest.attested.quote;
  if (attest.type != TPM2_ST_ATTEST_QUOTE || !same_selection(&info->pcrSelect, pcrs)) {
    complain("the TPM quoted other PCRs than it was asked for");
    return false;
  }
  TPM2B_DIGEST* digest = NULL;
  if (!hash_values(tpm, signature_hash(signature), values, &digest)) return false;
  *matches = digest->size == info->pcrDigest.size &&
             memcmp(digest->buffer, info->pcrDigest.buffer, digest->size) == 0;
  Esys_Free(digest);
  return true;
}

static bool attempt(struct tpm* tpm, const struct options* options, struct pcr_values* values,
                    struct evidence* out, bool* matches) {
  const TPMT_SIG_SCHEME of_the_key = {.scheme = TPM2_ALG_NULL};
  TPM2B_DATA nonce = {.size = (UINT16)options->nonce_len};
  memcpy(nonce.buffer, options->nonce, options->nonce_len);
  TPM2B_ATTEST* quoted = NULL;
  TPMT_SIGNATURE* signature = NULL;
  const bool good =
      read_pcrs(tpm, &options->pcrs, values) &&
      tpm_check(Esys_Quote(tpm->esys, tpm->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce,
                           &of_the_key, &options->pcrs, &quoted, &signature),
                "quoting") &&
      compare(tpm, quoted, signature, &options->pcrs, values, matches) &&
      (!*matches || encode(quoted, signature, &options->pcrs, values, out));
  Esys_Free(quoted);
  Esys_Free(signature);
  return good;
}

static bool nonce_as_hex(const struct options* options, struct blob* out) {
  static const char digits[] = "0123456789abcdef";
  char text[2 * COLLECT_NONCE_MAX + 1];
  for (size_t i = 0; i < options->nonce_len; ++i) {
    text[2 * i] = digits[options->nonce[i] >> 4];
    text[2 * i + 1] = digits[options->nonce[i] & 15];
  }
  text[2 * options->nonce_len] = '\n';
  return blob_copy(out, text, 2 * options->nonce_len + 1);
}

bool quote_take(struct tpm* tpm, const struct options* options, struct evidence* out) {
  static struct pcr_values values;
  for (int i = 0; i < kMaxAttempts; ++i) {
    bool matches = false;
    if (!attempt(tpm, options, &values, out, &matches)) return false;
    if (matches) return nonce_as_hex(options, &out->nonce);
  }
  complain("the PCRs changed %d times while they were read and quoted", kMaxAttempts);
  return false;
}
