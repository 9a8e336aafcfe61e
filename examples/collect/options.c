// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"

static const char kHelp[] =
    "Usage: collect --nonce HEX --output DIR [OPTION]...\n"
    "Quote the TPM of this machine and write the evidence that `attest verify --evidence DIR` "
    "reads.\n"
    "\n"
    "  --nonce HEX         the verifier's nonce, 16 to 64 bytes\n"
    "  --output DIR        the evidence folder to make; it must not exist, or be empty\n"
    "  --pcrs LIST         what to quote, for example sha256:0-10,14+sha1:10\n"
    "                      (default: sha256:0-15,17-22)\n"
    "  --ak rsa|ecc        type of the attestation key: RSA-2048 RSASSA (default) or P-256 ECDSA\n"
    "  --ak-handle HANDLE  keep the attestation key at this persistent handle, 0x81000000 to\n"
    "                      0x817fffff: made there by the first run, used by the later ones.\n"
    "                      Without it every run makes a new key with a new name, which no policy\n"
    "                      can pin.\n"
    "  --tcti CONF         how to reach the TPM, for example device:/dev/tpmrm0 or "
    "swtpm:path=SOCKET\n"
    "  --eventlog FILE     the boot event log, if not the kernel's\n"
    "  --ima FILE          the binary IMA measurement list, if not the kernel's\n"
    "  --no-logs           quote only\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 2 wrong usage or failure (and nothing is written).\n";

static const char kDefaultPcrs[] = "sha256:0-15,17-22";

struct bank {
  const char* name;
  TPM2_ALG_ID algorithm;
};
static const struct bank kBanks[] = {{"sha1", TPM2_ALG_SHA1},
                                     {"sha256", TPM2_ALG_SHA256},
                                     {"sha384", TPM2_ALG_SHA384},
                                     {"sha512", TPM2_ALG_SHA512}};

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static bool parse_nonce(struct options* out, const char* text) {
  const size_t digits = strlen(text);
  if (digits % 2 != 0 || digits < 2 * COLLECT_NONCE_MIN || digits > 2 * COLLECT_NONCE_MAX) {
    complain("--nonce wants %zu to %zu bytes as hex digits, not %zu digits", COLLECT_NONCE_MIN,
             COLLECT_NONCE_MAX, digits);
    return false;
  }
  for (size_t i = 0; i < digits / 2; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      complain("--nonce: not a hex digit at position %zu", 2 * i + (high < 0 ? 0 : 1));
      return false;
    }
    out->nonce[i] = (uint8_t)(high * 16 + low);
  }
  out->nonce_len = digits / 2;
  return true;
}

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

static bool parse_pcrs(struct options* out, const char* text) {
  const char* cursor = text;
  memset(&out->pcrs, 0, sizeof out->pcrs);
  bool good = parse_bank(&cursor, &out->pcrs);
  while (good && *cursor == '+') {
    ++cursor;
    good = parse_bank(&cursor, &out->pcrs);
  }
  if (good && *cursor == '\0') return true;
  complain(
      "--pcrs: cannot read '%s'; write BANK:PCR,PCR-PCR+BANK:..., each bank once, with the banks "
      "sha1, sha256, sha384, sha512 and the PCRs 0 to 23",
      text);
  return false;
}

static bool parse_ak_type(struct options* out, const char* text) {
  if (strcmp(text, "rsa") == 0) {
    out->ak_type = AK_RSA;
  } else if (strcmp(text, "ecc") == 0) {
    out->ak_type = AK_ECC;
  } else {
    complain("--ak wants rsa or ecc, not '%s'", text);
    return false;
  }
  return true;
}

// Persistent handles of the owner (TPM 2.0 Part 2, 7.5): the platform's half needs its own
// authorization. TPM2_PERSISTENT_FIRST is a signed shift out of range.
static const unsigned long kFirstPersistent = 0x81000000;
static const unsigned long kFirstOfPlatform = 0x81800000;

static bool parse_handle(struct options* out, const char* text) {
  char* end;
  errno = 0;
  const unsigned long value = strtoul(text, &end, 0);
  if (errno != 0 || end == text || *end != '\0' || value < kFirstPersistent ||
      value >= kFirstOfPlatform) {
    complain("--ak-handle wants a persistent handle, 0x81000000 to 0x817fffff, not '%s'", text);
    return false;
  }
  out->ak_handle = (TPM2_HANDLE)value;
  return true;
}

static bool parse_one(struct options* out, int option) {
  switch (option) {
    case 'n':
      return parse_nonce(out, optarg);
    case 'o':
      out->output = optarg;
      return true;
    case 'p':
      return parse_pcrs(out, optarg);
    case 'a':
      return parse_ak_type(out, optarg);
    case 'k':
      return parse_handle(out, optarg);
    case 't':
      out->tcti = optarg;
      return true;
    case 'e':
      out->eventlog = optarg;
      return true;
    case 'i':
      out->ima = optarg;
      return true;
    case 'l':
      out->no_logs = true;
      return true;
    default:
      return false;
  }
}

static bool complete(const struct options* options) {
  if (options->nonce_len == 0) {
    complain("--nonce is missing (collect --help says more)");
  } else if (options->output == NULL || *options->output == '\0') {
    complain("--output is missing (collect --help says more)");
  } else if (options->no_logs && (options->eventlog != NULL || options->ima != NULL)) {
    complain("--no-logs contradicts --eventlog and --ima");
  } else {
    return true;
  }
  return false;
}

enum parse_result options_parse(struct options* out, int argc, char** argv) {
  static const struct option kLong[] = {
      {"nonce", required_argument, NULL, 'n'},     {"output", required_argument, NULL, 'o'},
      {"pcrs", required_argument, NULL, 'p'},      {"ak", required_argument, NULL, 'a'},
      {"ak-handle", required_argument, NULL, 'k'}, {"tcti", required_argument, NULL, 't'},
      {"eventlog", required_argument, NULL, 'e'},  {"ima", required_argument, NULL, 'i'},
      {"no-logs", no_argument, NULL, 'l'},         {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0}};
  memset(out, 0, sizeof *out);
  if (!parse_pcrs(out, kDefaultPcrs)) return PARSE_WRONG;
  opterr = 0;
  int option;
  // ":" asks getopt to tell a missing argument from an unknown option.
  while ((option = getopt_long(argc, argv, ":", kLong, NULL)) != -1) {
    switch (option) {
      case 'h':
        fputs(kHelp, stdout);
        return fflush(stdout) == 0 ? PARSE_DONE : PARSE_WRONG;
      case 'v':
        puts("collect " COLLECT_VERSION);
        return fflush(stdout) == 0 ? PARSE_DONE : PARSE_WRONG;
      case ':':
        complain("%s wants a value", argv[optind - 1]);
        return PARSE_WRONG;
      case '?':
        complain("unknown option %s (collect --help says more)", argv[optind - 1]);
        return PARSE_WRONG;
      default:
        if (!parse_one(out, option)) return PARSE_WRONG;
    }
  }
  if (optind != argc) {
    complain("unexpected argument '%s' (collect --help says more)", argv[optind]);
    return PARSE_WRONG;
  }
  return complete(out) ? PARSE_OK : PARSE_WRONG;
}
