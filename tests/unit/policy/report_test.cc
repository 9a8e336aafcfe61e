// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/report.h"

#include <catch2/catch.hpp>
#include <string>

#include "libattest/json/value.h"

using namespace attest::policy;
using attest::crypto::Digest;
using attest::crypto::Hash;

TEST_CASE("an empty report says unknown, and null for all that is not known") {
  CHECK(
      to_json(Report()) ==
      R"({"verdict":"unknown","findings":[],"findings_dropped":0,"claims":{"time":null,)"
      R"("quote_verified":false,)"
      R"("key":null,"key_name":null,"key_ek":null,"scheme":null,"clock":null,"reset_count":null,)"
      R"("restart_count":null,"clock_safe":null,"firmware_version":null,"pcrs":{},)"
      R"("num_events":null,"secure_boot":null,"measured_launch":null,)"
      R"("num_launch_events":null,"untrusted_launch_mapping":null,"ima_entries":null,"ima_verified_before":null,)"
      R"("ima_unverified":null,)"
      R"("ima_violations":null}})");
}

TEST_CASE("a report is written as JSON") {
  Report report;
  report.verdict = Verdict::kUntrusted;
  report.findings.add({Code::kImaNotListed, Severity::kFailure, Component::kIma, 10, 212, 9000,
                       "one of 2", "sha256:00", "IMA entry 212: \"x\""});
  report.findings.add(
      {Code::kPcrNotAppraised, Severity::kWarning, Component::kPcr, {}, {}, {}, {}, {}, "words"});
  report.findings.drop(Severity::kInfo);
  Claims& claims = report.claims;
  claims.time = 1700000000;
  claims.quote_verified = true;
  claims.key = "RSA-2048";
  claims.key_name = "000b00";
  claims.scheme = "RSASSA with sha256";
  claims.clock = 18446744073709551615U;
  claims.reset_count = 4294967295U;
  claims.restart_count = 0;
  claims.clock_safe = true;
  claims.firmware_version = 1;
  claims.num_events = 116;
  claims.secure_boot = "enabled";
  claims.measured_launch = true;
  claims.num_launch_events = 20;
  claims.launch_mapping = "legacy";
  claims.ima_entries = 3;
  claims.ima_verified = 1;
  claims.ima_unverified = 2;
  claims.key_ek = "abcd";
  claims.ima_violations = 1;
  claims.pcrs = {{Hash::kSha256, 10, Digest::filled(32, 0xab), PcrState::kMismatch},
                 {Hash::kSha256, 2, Digest::filled(32, 0x01), PcrState::kAppraised},
                 {Hash::kSha1, 0, Digest::filled(20, 0), PcrState::kInitial}};
  std::string ab, one;
  for (int i = 0; i < 32; ++i) {
    ab += "ab";
    one += "01";
  }
  CHECK(
      to_json(report) ==
      R"({"verdict":"untrusted","findings":[{"code":510,"id":"ima-not-listed",)"
      R"("severity":"failure","component":"ima","pcr":10,"index":212,"offset":9000,)"
      R"("expected":"one of 2","found":"sha256:00","message":"IMA entry 212: \"x\""},)"
      R"({"code":302,"id":"pcr-not-appraised","severity":"warning","component":"pcr",)"
      R"("pcr":null,"index":null,"offset":null,"expected":null,"found":null,)"
      R"("message":"words"}],"findings_dropped":1,"claims":{"time":1700000000,)"
      R"("quote_verified":true,)"
      R"("key":"RSA-2048","key_name":"000b00","key_ek":"abcd","scheme":"RSASSA with sha256",)"
      R"("clock":18446744073709551615,"reset_count":4294967295,"restart_count":0,)"
      R"("clock_safe":true,"firmware_version":1,"pcrs":{"sha1":{"0":{"value":")" +
          std::string(40, '0') + R"(","state":"initial"}},"sha256":{"2":{"value":")" + one +
          R"(","state":"appraised"},"10":{"value":")" + ab + R"(","state":"mismatch"}}},)" +
          R"("num_events":116,"secure_boot":"enabled","measured_launch":true,)"
          R"("num_launch_events":20,"untrusted_launch_mapping":"legacy","ima_entries":3,"ima_verified_before":1,)"
          R"("ima_unverified":2,)"
          R"("ima_violations":1}})");
}

TEST_CASE("words that are not UTF-8 do not keep a report from being written") {
  Report report;
  report.findings.add({Code::kImaNotListed,
                       Severity::kFailure,
                       Component::kIma,
                       {},
                       {},
                       {},
                       "\xff",
                       "\xc3\xa9",
                       std::string(300, 'a') + "\xfe"});
  const std::string text = to_json(report);
  const auto document = attest::json::Document::parse(text, "report");
  const auto finding = document.root().at("findings").at(std::size_t{0});
  CHECK(finding.at("expected").string() == "\\xff");
  CHECK(finding.at("found").string() == "\xc3\xa9");
  CHECK(finding.at("message").string() == std::string(300, 'a') + "\\xfe");
}

TEST_CASE("verdicts and PCR states have names, other numbers have none") {
  CHECK(name_of(Verdict::kUnknown) == "unknown");
  CHECK(name_of(Verdict::kTrusted) == "trusted");
  CHECK(name_of(Verdict::kUntrusted) == "untrusted");
  CHECK(name_of(static_cast<Verdict>(9)).empty());
  CHECK(name_of(PcrState::kUnexplained) == "unexplained");
  CHECK(name_of(PcrState::kReplayed) == "replayed");
  CHECK(name_of(PcrState::kInitial) == "initial");
  CHECK(name_of(PcrState::kAppraised) == "appraised");
  CHECK(name_of(PcrState::kMismatch) == "mismatch");
  CHECK(name_of(static_cast<PcrState>(9)).empty());
}
