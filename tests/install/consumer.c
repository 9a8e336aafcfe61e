/* SPDX-License-Identifier: Apache-2.0 */

/* A program outside of libattest's tree. */
#include <libattest/attest.h>
#include <stdio.h>

int main(void) {
  attest_evidence* evidence = NULL;
  attest_report* report = NULL;
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  attest_verdict verdict = ATTEST_VERDICT_TRUSTED;
  if (attest_evidence_new(&evidence) != ATTEST_OK) return 1;
  if (attest_appraise(&report, evidence, NULL, NULL, &options) == ATTEST_OK) {
    verdict = attest_report_verdict(report);
  }
  printf("libattest %s: %s\n", attest_version(), attest_verdict_name(verdict));
  attest_report_free(report);
  attest_evidence_free(evidence);
  return verdict == ATTEST_VERDICT_UNTRUSTED ? 0 : 1;
}
