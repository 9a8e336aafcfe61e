// SPDX-License-Identifier: Apache-2.0

// --pcrs.

#include <string.h>

#include "collect.h"

struct bank {
  const char* name;
  TPM2_ALG_ID algorithm;
};
static const struct bank kBanks[] = {{"sha1", TPM2_ALG_SHA1},
                                     {"sha256", TPM2_ALG_SHA256},
                                     {"sha384", TPM2_ALG_SHA384},
                                     {"sha512", TPM2_ALG_SHA512}};

static bool parse_pcr(const char** text, unsigned* out) {
  if (**text < '0' || **text > '9') return false;
  *out = 0;
  while (**text >= '0' && **text <= '9') {
    *out = *out * 10 + (unsigned)(**text - '0');
    if (*out >= COLLECT_NUM_PCRS) return false;
    ++*text;
  }
  return true;
}

// One bank of the list: NAME ':' (N | N '-' N) (',' ...)*, up to '+' or the end.
static bool parse_bank(const char** text, TPML_PCR_SELECTION* out) {
  const size_t length = strcspn(*text, ":+");
  const struct bank* bank = NULL;
  for (size_t i = 0; i < sizeof kBanks / sizeof kBanks[0]; ++i) {
    if (strlen(kBanks[i].name) == length && memcmp(kBanks[i].name, *text, length) == 0) {
      bank = &kBanks[i];
    }
  }
  if (bank == NULL || (*text)[length] != ':') return false;
  for (uint32_t i = 0; i < out->count; ++i) {
    if (out->pcrSelections[i].hash == bank->algorithm) return false;
  }
  TPMS_PCR_SELECTION* selection = &out->pcrSelections[out->count++];
  selection->hash = bank->algorithm;
  selection->sizeofSelect = COLLECT_NUM_PCRS / 8;
  *text += length;
  do {
    ++*text;
    unsigned first;
    if (!parse_pcr(text, &first)) return false;
    unsigned last = first;
    if (**text == '-') {
      ++*text;
      if (!parse_pcr(text, &last) || last < first) return false;
    }
    for (unsigned pcr = first; pcr <= last; ++pcr) {
      selection->pcrSelect[pcr / 8] = (BYTE)(selection->pcrSelect[pcr / 8] | 1U << pcr % 8);
    }
  } while (**text == ',');
  return true;
}

bool pcrs_parse(TPML_PCR_SELECTION* out, const char* text) {
  const char* cursor = text;
  memset(out, 0, sizeof *out);
  bool good = parse_bank(&cursor, out);
  while (good && *cursor == '+') {
    ++cursor;
    good = parse_bank(&cursor, out);
  }
  if (good && *cursor == '\0') return true;
  complain(
      "--pcrs: cannot read '%s'; write BANK:PCR,PCR-PCR+BANK:..., each bank once, with the banks "
      "sha1, sha256, sha384, sha512 and the PCRs 0 to 23",
      text);
  return false;
}
