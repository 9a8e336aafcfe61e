/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A complete verifier: judges an evidence folder by a policy and says why.
 * usage: verify EVIDENCE POLICY NONCE       exit status: 0 trusted, 1 not trusted, 2 no answer
 */

#include <errno.h>
#include <libattest/attest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct file {
  uint8_t* data;
  size_t size;
};

/* A whole file; one that may be missing and is has no data. */
static struct file load(const char* path, int optional) {
  struct file file = {NULL, 0};
  FILE* const stream = fopen(path, "rb");
  if (stream == NULL && optional && errno == ENOENT) return file;
  long size = -1;
  if (stream != NULL && fseek(stream, 0, SEEK_END) == 0) size = ftell(stream);
  if (size >= 0) file.data = malloc((size_t)size + 1);
  if (file.data != NULL) {
    rewind(stream);
    file.size = fread(file.data, 1, (size_t)size, stream);
  }
  if (file.data == NULL || file.size != (size_t)size) {
    perror(path);
    exit(2);
  }
  fclose(stream);
  return file;
}

static void must(attest_status status, const char* what) {
  if (status == ATTEST_OK) return;
  fprintf(stderr, "verify: %s: %s\n", what, attest_last_error());
  exit(2);
}

static struct file load_part(const char* folder, const char* name, int optional) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return load(path, optional);
}

static size_t parse_nonce(uint8_t* out, size_t max, const char* hex) {
  const size_t digits = strspn(hex, "0123456789abcdefABCDEF");
  if (hex[digits] != '\0' || digits % 2 != 0 || digits > 2 * max) {
    fprintf(stderr, "verify: the nonce is not hex, or too long: %s\n", hex);
    exit(2);
  }
  for (size_t i = 0; i < digits / 2; ++i) {
    const char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
    out[i] = (uint8_t)strtoul(byte, NULL, 16);
  }
  return digits / 2;
}

static attest_evidence* gather(const char* folder) {
  attest_evidence* evidence;
  must(attest_evidence_new(&evidence), "evidence");
  const struct file ak = load_part(folder, "ak.tss", 0);
  const struct file msg = load_part(folder, "quote.msg", 0);
  const struct file sig = load_part(folder, "quote.sig", 0);
  const struct file pcrs = load_part(folder, "quote.pcrs", 0);
  const struct file log = load_part(folder, "eventlog.bin", 1);
  const struct file ima = load_part(folder, "ima.bin", 1);
  must(attest_evidence_set_ak(evidence, ak.data, ak.size), "ak.tss");
  must(attest_evidence_set_quote(evidence, msg.data, msg.size, sig.data, sig.size, pcrs.data,
                                 pcrs.size),
       "the quote");
  if (log.data != NULL) {
    must(attest_evidence_set_eventlog(evidence, log.data, log.size), "eventlog.bin");
  }
  if (ima.data != NULL) must(attest_evidence_set_ima(evidence, ima.data, ima.size), "ima.bin");
  free(ak.data);
  free(msg.data);
  free(sig.data);
  free(pcrs.data);
  free(log.data);
  free(ima.data);
  return evidence;
}

static attest_policy* load_policy(const char* path) {
  attest_policy* policy;
  const struct file json = load(path, 0);
  must(attest_policy_parse(&policy, (const char*)json.data, json.size), path);
  free(json.data);
  return policy;
}

static void explain(const attest_report* report) {
  for (size_t i = 0; i < attest_report_num_findings(report); ++i) {
    attest_finding finding = ATTEST_FINDING_INIT;
    must(attest_report_finding(&finding, report, i), "the report");
    printf("  %s: %s\n", attest_severity_name(finding.severity), finding.message);
  }
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fputs("usage: verify EVIDENCE POLICY NONCE\n", stderr);
    return 2;
  }
  uint8_t nonce[64];
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = nonce;
  options.nonce_len = parse_nonce(nonce, sizeof nonce, argv[3]);
  options.now = (int64_t)time(NULL);

  attest_evidence* const evidence = gather(argv[1]);
  attest_policy* const policy = load_policy(argv[2]);
  attest_report* report;
  must(attest_appraise(&report, evidence, policy, NULL, &options), "the appraisal");
  const attest_verdict verdict = attest_report_verdict(report);
  printf("%s\n", attest_verdict_name(verdict));
  explain(report);

  attest_report_free(report);
  attest_policy_free(policy);
  attest_evidence_free(evidence);
  return verdict == ATTEST_VERDICT_TRUSTED ? 0 : 1;
}
