// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"

static const char kHelp[] =
    "Usage: collect --nonce HEX --output DIR [OPTION]...\n"
    "       collect identity --state DIR [--ek NAME] [--ak rsa|ecc] [--tcti CONF]\n"
    "       collect activate --state DIR --credential DATA --secret DATA [--tcti CONF]\n"
    "       collect quote    --state DIR --nonce HEX [--output DIR] [OPTION]...\n"
    "Quote the TPM of this machine and write the evidence that `attest verify --evidence DIR` "
    "reads.\n"
    "The sub-commands print one JSON object, bytes as base64: the keys of this TPM, the answer to "
    "a\n"
    "credential challenge, a quote with the logs.\n"
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
    "  --state DIR         keep this boot's attestation key here, for its user alone (mode 0700)\n"
    "  --ek NAME           the endorsement key's template: L-1, L-2, H-1, H-2 or H-3\n"
    "                      (default: the first whose certificate the TPM holds, else L-1)\n"
    "  --credential DATA   TPM2B_ID_OBJECT of the challenge, as base64, or '@' and a file of "
    "bytes\n"
    "  --secret DATA       TPM2B_ENCRYPTED_SECRET of the challenge, likewise\n"
    "  --ima-entry N       leave the first N entries of the IMA list out\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 2 wrong usage or failure (and nothing is written).\n";

static const char kDefaultPcrs[] = "sha256:0-15,17-22";

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

static bool parse_ek(struct options* out, const char* text) {
  out->ek = ek_named(text);
  if (out->ek == NULL) complain("--ek wants L-1, L-2, H-1, H-2 or H-3, not '%s'", text);
  return out->ek != NULL;
}

static bool parse_ima_entry(struct options* out, const char* text) {
  uint64_t value = 0;
  const size_t digits = strspn(text, "0123456789");
  for (size_t i = 0; i < digits && value <= UINT32_MAX; ++i) {
    value = value * 10 + (uint64_t)(text[i] - '0');
  }
  if (digits == 0 || text[digits] != '\0' || value > UINT32_MAX) {
    complain("--ima-entry wants a number up to 4294967295, not '%s'", text);
    return false;
  }
  out->ima_entry = (uint32_t)value;
  return true;
}

static bool parse_one(struct options* out, int option) {
  switch (option) {
    case 's':
      out->state = optarg;
      return true;
    case 'E':
      return parse_ek(out, optarg);
    case 'c':
      out->credential = optarg;
      return true;
    case 'S':
      out->secret = optarg;
      return true;
    case 'N':
      return parse_ima_entry(out, optarg);
    case 'n':
      return parse_nonce(out, optarg);
    case 'o':
      out->output = optarg;
      return true;
    case 'p':
      return pcrs_parse(&out->pcrs, optarg);
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

static const struct option kLong[] = {{"nonce", required_argument, NULL, 'n'},
                                      {"output", required_argument, NULL, 'o'},
                                      {"pcrs", required_argument, NULL, 'p'},
                                      {"ak", required_argument, NULL, 'a'},
                                      {"ak-handle", required_argument, NULL, 'k'},
                                      {"tcti", required_argument, NULL, 't'},
                                      {"eventlog", required_argument, NULL, 'e'},
                                      {"ima", required_argument, NULL, 'i'},
                                      {"no-logs", no_argument, NULL, 'l'},
                                      {"state", required_argument, NULL, 's'},
                                      {"ek", required_argument, NULL, 'E'},
                                      {"credential", required_argument, NULL, 'c'},
                                      {"secret", required_argument, NULL, 'S'},
                                      {"ima-entry", required_argument, NULL, 'N'},
                                      {"help", no_argument, NULL, 'h'},
                                      {"version", no_argument, NULL, 'v'},
                                      {NULL, 0, NULL, 0}};

// The commands that take an option, as bits.
static unsigned taken_by(int option) {
  switch (option) {
    case 't':
      return COMMAND_FOLDER | COMMAND_IDENTITY | COMMAND_ACTIVATE | COMMAND_QUOTE;
    case 'n':
    case 'o':
    case 'p':
    case 'e':
    case 'i':
    case 'l':
      return COMMAND_FOLDER | COMMAND_QUOTE;
    case 'k':
      return COMMAND_FOLDER;
    case 'a':
      return COMMAND_FOLDER | COMMAND_IDENTITY;
    case 's':
      return COMMAND_IDENTITY | COMMAND_ACTIVATE | COMMAND_QUOTE;
    case 'E':
      return COMMAND_IDENTITY;
    case 'c':
    case 'S':
      return COMMAND_ACTIVATE;
    default:
      return COMMAND_QUOTE;
  }
}

static bool missing(const char* option) {
  complain("%s is missing (collect --help says more)", option);
  return false;
}

static bool empty(const char* text) { return text == NULL || *text == '\0'; }

static bool complete(const struct options* options) {
  const unsigned command = options->command;
  if (command != COMMAND_FOLDER && empty(options->state)) return missing("--state");
  if ((command & taken_by('n')) != 0 && options->nonce_len == 0) return missing("--nonce");
  if (command == COMMAND_FOLDER && empty(options->output)) return missing("--output");
  if (command == COMMAND_ACTIVATE && options->credential == NULL) return missing("--credential");
  if (command == COMMAND_ACTIVATE && options->secret == NULL) return missing("--secret");
  if (options->no_logs && (options->eventlog != NULL || options->ima != NULL)) {
    complain("--no-logs contradicts --eventlog and --ima");
  } else if (options->ima_entry != 0 && (options->no_logs || options->output != NULL)) {
    complain("--ima-entry contradicts --no-logs and --output");
  } else {
    return true;
  }
  return false;
}

static bool parse_command(struct options* out, const char* word) {
  if (strcmp(word, "identity") == 0) {
    out->command = COMMAND_IDENTITY;
  } else if (strcmp(word, "activate") == 0) {
    out->command = COMMAND_ACTIVATE;
  } else if (strcmp(word, "quote") == 0) {
    out->command = COMMAND_QUOTE;
  } else if (*word == '-') {
    out->command = COMMAND_FOLDER;
  } else {
    complain("unknown sub-command '%s' (collect --help says more)", word);
    return false;
  }
  return true;
}

static bool parse_allowed(struct options* out, int option, const char* name, const char* word) {
  if ((taken_by(option) & out->command) != 0) return parse_one(out, option);
  complain("%s takes no --%s",
           out->command == COMMAND_FOLDER ? "collect without a sub-command" : word, name);
  return false;
}

enum parse_result options_parse(struct options* out, int argc, char** argv) {
  memset(out, 0, sizeof *out);
  const char* const word = argc > 1 ? argv[1] : "--";
  if (!pcrs_parse(&out->pcrs, kDefaultPcrs) || !parse_command(out, word)) return PARSE_WRONG;
  optind = out->command == COMMAND_FOLDER ? 1 : 2;
  opterr = 0;
  int option;
  int index = 0;
  // ":" asks getopt to tell a missing argument from an unknown option.
  while ((option = getopt_long(argc, argv, ":", kLong, &index)) != -1) {
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
        if (!parse_allowed(out, option, kLong[index].name, word)) return PARSE_WRONG;
    }
  }
  if (optind != argc) {
    complain("unexpected argument '%s' (collect --help says more)", argv[optind]);
    return PARSE_WRONG;
  }
  return complete(out) ? PARSE_OK : PARSE_WRONG;
}
