/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The library's side of credential_test.sh.
 * usage: credential_check challenge EK_PUBLIC|- EK_CERTIFICATE|- AK CREDENTIAL ANSWER COMMAND
 *        credential_check chain EK_CERTIFICATE CA INTERMEDIATE SECONDS
 *        credential_check appraise bound|claimed EK_PUBLIC AK CREDENTIAL ANSWER COMMAND QUOTE
 * SIGNATURE PCRS NONCE POLICY challenge writes CREDENTIAL as tpm2_activatecredential reads it, runs
 * COMMAND, which is to make ANSWER out of it, and looks at that. appraise does the same and judges
 * a quote by POLICY with the key that the challenge bound, or with the same key as the node claims
 * it. Ends with 0 when the library is content, 1 when it refuses, 3 when COMMAND fails, and 2 when
 * something is wrong with the test.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libattest/attest.h"

enum { kMaxFile = 65536 };

static int wrong(const char* what) {
  (void)fprintf(stderr, "%s: %s\n", what, attest_last_error());
  return 2;
}

static size_t load(uint8_t* into, const char* path) {
  if (strcmp(path, "-") == 0) return 0;
  FILE* file = fopen(path, "rb");
  if (file == NULL) exit(wrong(path));
  const size_t size = fread(into, 1, kMaxFile, file);
  if (ferror(file) != 0 || fclose(file) != 0) exit(wrong(path));
  return size;
}

static uint8_t first[kMaxFile], second[kMaxFile], third[kMaxFile];

static int judge(attest_status status) {
  if (status == ATTEST_OK) return 0;
  (void)printf("%s\n", attest_last_error());
  return status == ATTEST_E_REFUSED ? 1 : 2;
}

static int save(const attest_credential* credential, const char* path) {
  static const uint8_t header[] = {0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1};
  size_t id_len = 0;
  size_t secret_len = 0;
  const uint8_t* id = attest_credential_id_object(credential, &id_len);
  const uint8_t* secret = attest_credential_encrypted_secret(credential, &secret_len);
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 0;
  const int written = fwrite(header, 1, sizeof header, file) == sizeof header &&
                      fwrite(id, 1, id_len, file) == id_len &&
                      fwrite(secret, 1, secret_len, file) == secret_len;
  return fclose(file) == 0 && written;
}

/* argv as of challenge; `*bound` is NULL unless the result is 0. */
static int bind(attest_key** bound, char** argv) {
  const size_t public_len = load(first, argv[0]);
  const size_t certificate_len = load(second, argv[1]);
  const size_t ak_len = load(third, argv[2]);
  attest_ek* ek = NULL;
  attest_key* ak = NULL;
  attest_credential* credential = NULL;
  int result = 2;
  *bound = NULL;
  if (attest_ek_load(&ek, first, public_len, second, certificate_len) != ATTEST_OK ||
      attest_key_load(&ak, third, ak_len) != ATTEST_OK ||
      attest_credential_new(&credential, ek, ak) != ATTEST_OK || !save(credential, argv[3])) {
    result = wrong("challenge");
  } else if (system(argv[5]) != 0) {
    result = 3;
  } else {
    result = judge(attest_credential_check(bound, credential, first, load(first, argv[4])));
  }
  attest_credential_free(credential);
  attest_key_free(ak);
  attest_ek_free(ek);
  return result;
}

static int challenge(char** argv) {
  attest_key* bound = NULL;
  const int result = bind(&bound, argv);
  attest_key_free(bound);
  return result;
}

/* 0: trusted, 1: not; the findings on standard output. */
static int verdict(attest_evidence* evidence, const attest_policy* policy, const char* nonce) {
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce_len = load(first, nonce);
  options.nonce = first;
  attest_report* report = NULL;
  if (attest_appraise(&report, evidence, policy, NULL, &options) != ATTEST_OK) {
    return wrong("appraise");
  }
  for (size_t i = 0; i < attest_report_num_findings(report); ++i) {
    attest_finding finding = ATTEST_FINDING_INIT;
    if (attest_report_finding(&finding, report, i) == ATTEST_OK) {
      (void)printf("%s: %s\n", finding.id, finding.message);
    }
  }
  const int result = attest_report_verdict(report) == ATTEST_VERDICT_TRUSTED ? 0 : 1;
  attest_report_free(report);
  return result;
}

/* argv: AK QUOTE SIGNATURE PCRS NONCE POLICY. `bound` NULL: AK is what the node says. */
static int appraise(const attest_key* bound, char** argv) {
  attest_evidence* evidence = NULL;
  attest_policy* policy = NULL;
  const size_t quote_len = load(first, argv[1]);
  const size_t signature_len = load(second, argv[2]);
  const size_t pcrs_len = load(third, argv[3]);
  int result = 2;
  if (attest_evidence_new(&evidence) != ATTEST_OK ||
      attest_evidence_set_quote(evidence, first, quote_len, second, signature_len, third,
                                pcrs_len) != ATTEST_OK ||
      (bound != NULL
           ? attest_evidence_set_key(evidence, bound)
           : attest_evidence_set_ak(evidence, first, load(first, argv[0]))) != ATTEST_OK ||
      attest_policy_parse(&policy, (const char*)second, load(second, argv[5])) != ATTEST_OK) {
    result = wrong("evidence");
  } else {
    result = verdict(evidence, policy, argv[4]);
  }
  attest_policy_free(policy);
  attest_evidence_free(evidence);
  return result;
}

/* argv: bound|claimed EK_PUBLIC AK CREDENTIAL ANSWER COMMAND QUOTE SIGNATURE PCRS NONCE POLICY. */
static int whole(char** argv) {
  char no_certificate[] = "-";
  char* bind_argv[] = {argv[1], no_certificate, argv[2], argv[3], argv[4], argv[5]};
  char* appraise_argv[] = {argv[2], argv[6], argv[7], argv[8], argv[9], argv[10]};
  attest_key* bound = NULL;
  int result = bind(&bound, bind_argv);
  if (result == 0) {
    result = appraise(strcmp(argv[0], "bound") == 0 ? bound : NULL, appraise_argv);
  }
  attest_key_free(bound);
  return result;
}

static int chain(char** argv) {
  attest_ek* ek = NULL;
  const attest_status loaded = attest_ek_load(&ek, NULL, 0, first, load(first, argv[0]));
  if (loaded != ATTEST_OK) return judge(loaded);
  const attest_bytes ca = {second, load(second, argv[1])};
  const attest_bytes intermediate = {third, load(third, argv[2])};
  attest_chain_options options = ATTEST_CHAIN_OPTIONS_INIT;
  options.cas = &ca;
  options.num_cas = 1;
  options.intermediates = &intermediate;
  options.num_intermediates = intermediate.len == 0 ? 0 : 1;
  options.now = strtoll(argv[3], NULL, 10);
  const int result = judge(attest_ek_verify_chain(ek, &options));
  attest_ek_free(ek);
  return result;
}

int main(int argc, char** argv) {
  if (argc == 8 && strcmp(argv[1], "challenge") == 0) return challenge(argv + 2);
  if (argc == 6 && strcmp(argv[1], "chain") == 0) return chain(argv + 2);
  if (argc == 13 && strcmp(argv[1], "appraise") == 0) return whole(argv + 2);
  return wrong("usage");
}
