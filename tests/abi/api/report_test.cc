// SPDX-License-Identifier: Apache-2.0

#include "libattest/report.h"

#include <set>

#include "tests/abi/api/calls.h"

namespace {

// The report of a node that runs a file which its policy does not list.
void make_report(Report& report) {
  Evidence evidence;
  Policy policy;
  make_good_evidence(evidence);
  make_good_policy(policy);
  const auto tampered = [](const char* name) {
    return read_vector(std::string("boot/grub-ima-ng/2-tampered/") + name);
  };
  const auto attest = tampered("quote_sha256.msg");
  const auto signature = tampered("quote_sha256.sig");
  const auto pcrs = tampered("quote_sha256.pcrs");
  const auto ima = tampered("ima.bin");
  REQUIRE(attest_evidence_set_quote(evidence.get(), attest.data(), attest.size(), signature.data(),
                                    signature.size(), pcrs.data(), pcrs.size()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_ima(evidence.get(), ima.data(), ima.size()) == ATTEST_OK);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
}

}  // namespace

TEST_CASE("a finding says what is wrong, where, and what was expected") {
  Report report;
  make_report(report);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNTRUSTED);
  CHECK(attest_report_quote_verified(report.get()) == 1);
  CHECK(attest_report_num_dropped(report.get()) == 0);
  std::size_t failures = 0;
  for (std::size_t i = 0; i < attest_report_num_findings(report.get()); ++i) {
    attest_finding f = ATTEST_FINDING_INIT;
    REQUIRE(attest_report_finding(&f, report.get(), i) == ATTEST_OK);
    CHECK(f.code > 0);
    REQUIRE(f.id != nullptr);
    CHECK(std::string(f.id).size() > 3);
    REQUIRE(f.expected != nullptr);
    REQUIRE(f.found != nullptr);
    REQUIRE(f.message != nullptr);
    CHECK(attest_severity_name(f.severity) != std::string("?"));
    CHECK(attest_component_name(f.component) != std::string("?"));
    if (f.severity != ATTEST_SEVERITY_FAILURE) continue;
    ++failures;
    INFO(f.message);
    CHECK(f.component == ATTEST_COMPONENT_IMA);
    CHECK(f.index > 0);
    CHECK(f.offset > 0);
    CHECK(std::string(f.message).find("IMA entry " + std::to_string(f.index)) == 0);
  }
  CHECK(failures > 0);
}

TEST_CASE("the quoted PCRs are told with how they ended") {
  Report report;
  make_report(report);
  std::set<attest_pcr_state> states;
  REQUIRE(attest_report_num_pcrs(report.get()) > 10);
  for (std::size_t i = 0; i < attest_report_num_pcrs(report.get()); ++i) {
    attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
    REQUIRE(attest_report_pcr(&claim, report.get(), i) == ATTEST_OK);
    CHECK(claim.bank == ATTEST_HASH_SHA256);
    CHECK(claim.index < 24);
    CHECK(claim.value_len == 32);
    CHECK(claim.value != nullptr);
    states.insert(claim.state);
    if (claim.index < 10) CHECK(claim.state == ATTEST_PCR_APPRAISED);
  }
  attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
  check_failed(attest_report_pcr(&claim, report.get(), attest_report_num_pcrs(report.get())),
               ATTEST_E_ARGUMENT, "index");
}

TEST_CASE("a report is rendered as JSON") {
  Report report;
  Buffer json;
  make_report(report);
  REQUIRE(attest_report_to_json(json.place(), report.get()) == ATTEST_OK);
  const std::string text = text_of(json);
  CHECK(text.find("{\"verdict\":\"untrusted\"") == 0);
  CHECK(text.back() == '}');
}

TEST_CASE("no report is unknown and empty") {
  CHECK(attest_report_verdict(nullptr) == ATTEST_VERDICT_UNKNOWN);
  CHECK(attest_report_quote_verified(nullptr) == 0);
  CHECK(attest_report_num_findings(nullptr) == 0);
  CHECK(attest_report_num_dropped(nullptr) == 0);
  CHECK(attest_report_num_pcrs(nullptr) == 0);
  attest_finding f = ATTEST_FINDING_INIT;
  attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
  auto* json = rubbish<attest_buffer>();
  check_failed(attest_report_finding(&f, nullptr, 0), ATTEST_E_ARGUMENT, "report is NULL");
  check_failed(attest_report_pcr(&claim, nullptr, 0), ATTEST_E_ARGUMENT, "report is NULL");
  check_failed(attest_report_to_json(&json, nullptr), ATTEST_E_ARGUMENT, "report is NULL");
  CHECK(json == nullptr);
  check_failed(attest_report_to_json(nullptr, nullptr), ATTEST_E_ARGUMENT, "out is NULL");
}

TEST_CASE("an output structure without its size is refused and left alone") {
  Report report;
  make_report(report);
  attest_finding f = ATTEST_FINDING_INIT;
  check_failed(attest_report_finding(&f, report.get(), attest_report_num_findings(report.get())),
               ATTEST_E_ARGUMENT, "index");
  check_failed(attest_report_finding(nullptr, report.get(), 0), ATTEST_E_ARGUMENT, "out is NULL");
  f.size = sizeof f - 8;
  check_failed(attest_report_finding(&f, report.get(), 0), ATTEST_E_ARGUMENT, "out.size");
  CHECK(f.message == nullptr);
}

TEST_CASE("numbers have names, and others a question mark") {
  CHECK(attest_verdict_name(ATTEST_VERDICT_UNKNOWN) == std::string("unknown"));
  CHECK(attest_verdict_name(ATTEST_VERDICT_TRUSTED) == std::string("trusted"));
  CHECK(attest_verdict_name(ATTEST_VERDICT_UNTRUSTED) == std::string("untrusted"));
  CHECK(attest_severity_name(ATTEST_SEVERITY_FAILURE) == std::string("failure"));
  CHECK(attest_severity_name(ATTEST_SEVERITY_NONE) == std::string("?"));
  CHECK(attest_component_name(ATTEST_COMPONENT_AK) == std::string("ak"));
  CHECK(attest_component_name(ATTEST_COMPONENT_NODE) == std::string("node"));
  CHECK(attest_component_name(ATTEST_COMPONENT_LAUNCHLOG) == std::string("launchlog"));
  CHECK(attest_pcr_state_name(ATTEST_PCR_APPRAISED) == std::string("appraised"));
  for (const int number : {-1, 9, 256, 257, 1000000}) {
    CHECK(attest_verdict_name(any<attest_verdict>(number)) == std::string("?"));
    CHECK(attest_severity_name(any<attest_severity>(number)) == std::string("?"));
    CHECK(attest_component_name(any<attest_component>(number)) == std::string("?"));
    CHECK(attest_pcr_state_name(any<attest_pcr_state>(number)) == std::string("?"));
  }
}
