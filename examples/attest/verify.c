// SPDX-License-Identifier: Apache-2.0

// attest verify and attest quote.

#include <libattest/attest.h>
#include <stdlib.h>
#include <time.h>

#include "evidence.h"
#include "options.h"
#include "print.h"
#include "rules.h"
#include "text.h"

static const char kVerifyHelp[] =
    "Usage: attest verify EVIDENCE [RULES] [--json]\n"
    "\n"
    "Judges a machine's evidence by a policy. Without any rules all is checked that\n"
    "can be checked, and the verdict is never \"trusted\".\n"
    "\n"
    "EVIDENCE is one of\n"
    "  --ak FILE --quote FILE --signature FILE --pcrs FILE --nonce HEX\n"
    "  --ak FILE --keylime-quote FILE --nonce TEXT\n"
    "  --evidence DIR [--nonce HEX] [--ak FILE]\n"
    "and, with the first two,\n"
    "  --eventlog FILE             the boot event log, binary\n"
    "  --launch-log FILE           the log of a dynamic launch (Intel TXT, tboot)\n"
    "  --ima FILE                  the IMA measurement list, binary or ascii\n"
    "\n"
    "  --ak FILE                   the attestation key: TPM2B_PUBLIC, TPMT_PUBLIC,\n"
    "                              PEM, DER or a certificate; of a TPM 1.2 TPM_KEY or\n"
    "                              TPM_PUBKEY\n"
    "  --quote FILE                TPMS_ATTEST (tpm2_quote -m); of a TPM 1.2\n"
    "                              TPM_QUOTE_INFO or TPM_QUOTE_INFO2\n"
    "  --signature FILE            TPMT_SIGNATURE or bare (tpm2_quote -s)\n"
    "  --pcrs FILE                 PCR values (tpm2_quote -o); of a TPM 1.2\n"
    "                              TPM_PCR_COMPOSITE or text (tpm_getquote -p)\n"
    "  --nonce HEX                 what you asked the quote with\n"
    "  --keylime-quote FILE        the quote string of a Keylime agent; its nonce is\n"
    "                              text\n"
    "  --evidence DIR              a folder of ak.tss, quote.msg, quote.sig,\n"
    "                              quote.pcrs, nonce.hex, and eventlog.bin,\n"
    "                              launchlog.bin and ima.bin where there are any\n"
    "A nonce from the folder proves no freshness, and a key from the folder is the\n"
    "node's only if the policy pins it: give your own with --nonce and --ak.\n"
    "\n"
    "RULES\n"
    "  --policy FILE               libattest's policy (attest policy create)\n"
    "  --runtime-policy FILE       Keylime runtime policy, for the IMA list\n"
    "  --allowlist FILE            flat allowlist, for the IMA list\n"
    "  --allowlist-checksum FILE   its SHA-256 checksum\n"
    "  --excludelist FILE          paths that are not judged, an expression a line\n"
    "  --tpm-policy FILE           Keylime TPM policy: PCR reference values\n"
    "  --ima-digest native|padded|padded-old\n"
    "                              what the node's kernel extends\n"
    "  --allow-sha1                accept SHA-1 signatures, bank and file digests\n"
    "\n"
    "  --json                      print the report as one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 trusted; 1 untrusted or unknown; 2 wrong usage, unreadable or\n"
    "malformed input.\n"
    "\n"
    "Examples:\n"
    "  attest verify --evidence node7/ --nonce 6c1f...e2 --policy node.json\n"
    "  attest verify --ak ak.tss --quote q.msg --signature q.sig --pcrs q.pcrs \\\n"
    "      --nonce 6c1f...e2 --ima ima.bin --allowlist allow.txt --json\n";

static const char kQuoteHelp[] =
    "Usage: attest quote QUOTE [--allow-sha1] [--json]\n"
    "\n"
    "Checks a TPM quote alone: signature, magic, type, nonce, PCR selection, PCR\n"
    "digest and the key's attributes. It does not judge what the PCR values mean.\n"
    "\n"
    "QUOTE is one of\n"
    "  --ak FILE --quote FILE --signature FILE --pcrs FILE --nonce HEX\n"
    "  --ak FILE --keylime-quote FILE --nonce TEXT\n"
    "  --evidence DIR [--nonce HEX] [--ak FILE]\n"
    "as attest verify --help explains; logs in the folder are not read.\n"
    "\n"
    "  --allow-sha1    accept a SHA-1 signature\n"
    "  --json          print the report as one JSON object\n"
    "  --help\n"
    "\n"
    "Exit status: 0 the quote is verified; 1 it is not, or the key is not a TPM's\n"
    "restricted signing key; 2 wrong usage, unreadable or malformed input.\n"
    "\n"
    "Example:\n"
    "  attest quote --ak ak.pem --quote q.msg --signature q.sig --pcrs q.pcrs \\\n"
    "      --nonce 6c1f...e2\n";

static bool show_json(const struct command* command, const attest_report* report) {
  attest_buffer* json = NULL;
  if (attest_report_to_json(&json, report) == ATTEST_OK) {
    return json_to_stdout(command->name, json);
  }
  complain(command->name, "%s", attest_last_error());
  return false;
}

static bool show_words(const struct command* command, const struct quote_input* input,
                       const attest_report* report, const char* headline, const char* result,
                       enum states states) {
  struct text text = {0};
  text_add(&text, "%s: %s\n", headline, result);
  print_report_findings(&text, report);
  print_report_pcrs(&text, report, states);
  if (input->key_came_along) {
    text_add(&text,
             "note: the key came with the evidence: only a policy that pins it (ak.names, ak.keys) "
             "says whose it is\n");
  }
  if (input->nonce_came_along) {
    text_add(&text, "note: the nonce came with the evidence, which proves no freshness\n");
  }
  const bool written = text_to_stdout(command->name, &text);
  text_free(&text);
  return written;
}

static int show_verdict(const struct command* command, const struct options* options,
                        const struct evidence_input* input, const attest_report* report) {
  const attest_verdict verdict = attest_report_verdict(report);
  const bool shown = options->value[OPTION_JSON] != NULL
                         ? show_json(command, report)
                         : show_words(command, &input->quote, report, "verdict",
                                      attest_verdict_name(verdict), STATES_SHOWN);
  if (!shown) return STATUS_FAILED;
  return verdict == ATTEST_VERDICT_TRUSTED ? STATUS_GOOD : STATUS_BAD;
}

static int appraise(const struct command* command, const struct options* options,
                    const struct evidence_input* input, const attest_policy* policy) {
  attest_appraise_options how = ATTEST_APPRAISE_OPTIONS_INIT;
  how.nonce = input->quote.nonce.data;
  how.nonce_len = input->quote.nonce.size;
  how.now = (int64_t)time(NULL);
  attest_report* report = NULL;
  const attest_status done = attest_appraise(&report, input->evidence, policy, NULL, &how);
  if (done != ATTEST_OK) {
    complain_of_appraisal(command, input, done);
    return STATUS_FAILED;
  }
  const int status = show_verdict(command, options, input, report);
  attest_report_free(report);
  return status;
}

static int run_verify(const struct command* command, const struct options* options) {
  attest_policy* policy = NULL;
  int status = rules_read(&policy, command, options);
  if (status == STATUS_GOOD) {
    struct evidence_input input;
    status = evidence_input_read(&input, command, options);
    if (status == STATUS_GOOD) status = appraise(command, options, &input, policy);
    evidence_input_free(&input);
  }
  attest_policy_free(policy);
  return status;
}

static attest_quote* parse_quote(const struct command* command, const struct quote_input* input) {
  const struct blob* const files = input->files;
  attest_quote* quote = NULL;
  const attest_status status =
      input->paths[INPUT_KEYLIME_QUOTE] != NULL
          ? attest_quote_parse_keylime(&quote, (const char*)files[INPUT_KEYLIME_QUOTE].data,
                                       files[INPUT_KEYLIME_QUOTE].size)
          : attest_quote_parse(&quote, files[INPUT_QUOTE].data, files[INPUT_QUOTE].size,
                               files[INPUT_SIGNATURE].data, files[INPUT_SIGNATURE].size,
                               files[INPUT_PCRS].data, files[INPUT_PCRS].size);
  if (status != ATTEST_OK) complain_of_quote(command, input);
  return quote;
}

static int check_quote(const struct command* command, const struct options* options,
                       const struct quote_input* input, const attest_quote* quote,
                       const attest_key* key) {
  attest_quote_options how = ATTEST_QUOTE_OPTIONS_INIT;
  how.nonce = input->nonce.data;
  how.nonce_len = input->nonce.size;
  how.allow_sha1 = options->value[OPTION_ALLOW_SHA1] != NULL;
  attest_report* report = NULL;
  if (attest_quote_verify(&report, quote, key, &how) != ATTEST_OK) {
    complain_of_quote(command, input);
    return STATUS_FAILED;
  }
  // A quote that verifies under a key that signs anything, not only quotes, is worth nothing.
  const bool verified = attest_report_quote_verified(report) == 1 &&
                        attest_report_verdict(report) != ATTEST_VERDICT_UNTRUSTED;
  const bool shown = options->value[OPTION_JSON] != NULL
                         ? show_json(command, report)
                         : show_words(command, input, report, "quote",
                                      verified ? "verified" : "refused", STATES_HIDDEN);
  attest_report_free(report);
  if (!shown) return STATUS_FAILED;
  return verified ? STATUS_GOOD : STATUS_BAD;
}

static int run_quote(const struct command* command, const struct options* options) {
  struct quote_input input;
  attest_key* key = NULL;
  attest_quote* quote = NULL;
  int status = quote_input_read(&input, command, options);
  if (status == STATUS_GOOD) {
    const struct blob* const ak = &input.files[INPUT_AK];
    if (attest_key_load(&key, ak->data, ak->size) == ATTEST_OK) {
      quote = parse_quote(command, &input);
    } else {
      complain(command->name, "%s: %s", input.paths[INPUT_AK], attest_last_error());
    }
    status = quote != NULL ? check_quote(command, options, &input, quote, key) : STATUS_FAILED;
  }
  attest_quote_free(quote);
  attest_key_free(key);
  quote_input_free(&input);
  return status;
}

const struct command kVerifyCommand = {.name = "verify",
                                       .help = kVerifyHelp,
                                       .accepts = EVIDENCE_OPTIONS | RULE_OPTIONS | HAS(JSON),
                                       .operand = NULL,
                                       .run = run_verify};

const struct command kQuoteCommand = {.name = "quote",
                                      .help = kQuoteHelp,
                                      .accepts = QUOTE_OPTIONS | HAS(ALLOW_SHA1) | HAS(JSON),
                                      .operand = NULL,
                                      .run = run_quote};
