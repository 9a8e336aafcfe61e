// SPDX-License-Identifier: Apache-2.0

#include "print.h"

#include <inttypes.h>
#include <string.h>

attest_status report_finding_at(attest_finding* out, const void* object, size_t index) {
  const attest_report* const report = object;
  return attest_report_finding(out, report, index);
}

attest_status eventlog_finding_at(attest_finding* out, const void* object, size_t index) {
  const attest_eventlog* const log = object;
  return attest_eventlog_finding(out, log, index);
}

attest_status ima_finding_at(attest_finding* out, const void* object, size_t index) {
  const attest_ima* const ima = object;
  return attest_ima_finding(out, ima, index);
}

// What the message does not say already.
static void print_detail(struct text* out, const attest_finding* finding, const char* name,
                         const char* detail) {
  if (*detail != '\0' && strstr(finding->message, detail) == NULL) {
    text_add(out, " [%s: %s]", name, detail);
  }
}

// One line a finding, for grep.
static void print_finding(struct text* out, const attest_finding* finding) {
  text_add(out, "%s: %s: %s", attest_severity_name(finding->severity), finding->id,
           finding->message);
  print_detail(out, finding, "expected", finding->expected);
  print_detail(out, finding, "found", finding->found);
  text_add(out, "\n");
}

size_t print_findings(struct text* out, finding_at* at, const void* object, size_t count) {
  static const attest_severity kOrder[] = {ATTEST_SEVERITY_FAILURE, ATTEST_SEVERITY_WARNING,
                                           ATTEST_SEVERITY_INFO};
  size_t failures = 0;
  for (size_t pass = 0; pass < sizeof kOrder / sizeof kOrder[0]; ++pass) {
    for (size_t i = 0; i < count; ++i) {
      attest_finding finding = ATTEST_FINDING_INIT;
      if (at(&finding, object, i) != ATTEST_OK) {
        out->failed = true;
        return failures;
      }
      if (finding.severity != kOrder[pass]) continue;
      print_finding(out, &finding);
      if (finding.severity == ATTEST_SEVERITY_FAILURE) ++failures;
    }
  }
  return failures;
}

static void print_bank_and_index(struct text* out, attest_hash bank, uint32_t index) {
  const char* const name = attest_hash_name(bank);
  text_add(out, "  %-8s %2" PRIu32 "  ", name != NULL ? name : "unknown", index);
}

void print_report_findings(struct text* out, const attest_report* report) {
  print_findings(out, report_finding_at, report, attest_report_num_findings(report));
  if (attest_report_num_dropped(report) != 0) {
    text_add(out, "and %" PRIu64 " more findings\n", attest_report_num_dropped(report));
  }
}

void print_report_pcrs(struct text* out, const attest_report* report, enum states states) {
  const size_t num_pcrs = attest_report_num_pcrs(report);
  if (num_pcrs != 0) text_add(out, "PCRs that the quote signs:\n");
  for (size_t i = 0; i < num_pcrs; ++i) {
    attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
    if (attest_report_pcr(&claim, report, i) != ATTEST_OK) {
      out->failed = true;
      return;
    }
    print_bank_and_index(out, claim.bank, claim.index);
    if (states == STATES_SHOWN) text_add(out, "%-11s  ", attest_pcr_state_name(claim.state));
    text_add_hex(out, claim.value, claim.value_len);
    text_add(out, "\n");
  }
}

void print_pcrs(struct text* out, const attest_pcrs* pcrs) {
  for (size_t i = 0; i < attest_pcrs_count(pcrs); ++i) {
    attest_hash bank = ATTEST_HASH_NONE;
    uint32_t index = 0;
    const uint8_t* value = NULL;
    size_t value_len = 0;
    if (attest_pcrs_at(pcrs, i, &bank, &index, &value, &value_len) != ATTEST_OK) {
      out->failed = true;
      return;
    }
    print_bank_and_index(out, bank, index);
    text_add_hex(out, value, value_len);
    text_add(out, "\n");
  }
}

bool json_to_stdout(const char* command, attest_buffer* json) {
  struct text text = {0};
  text_add(&text, "%s\n", (const char*)attest_buffer_data(json));
  const bool written = text_to_stdout(command, &text);
  text_free(&text);
  attest_buffer_free(json);
  return written;
}
