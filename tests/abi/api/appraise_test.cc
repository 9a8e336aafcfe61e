// SPDX-License-Identifier: Apache-2.0

#include "libattest/appraise.h"

#include "tests/abi/api/calls.h"

TEST_CASE("a good node is trusted") {
  Evidence evidence;
  Policy policy;
  Report report;
  make_good_evidence(evidence);
  make_good_policy(policy);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("without a policy, with an empty one, or without evidence nothing is trusted") {
  Evidence evidence, empty;
  Policy policy, no_rules;
  make_good_evidence(evidence);
  make_good_policy(policy);
  REQUIRE(attest_policy_new(no_rules.place()) == ATTEST_OK);
  REQUIRE(attest_evidence_new(empty.place()) == ATTEST_OK);
  const attest_appraise_options options = good_options();
  const auto verdict = [&](const Evidence& e, const attest_policy* p) {
    Report report;
    REQUIRE(attest_appraise(report.place(), e.get(), p, nullptr, &options) == ATTEST_OK);
    CHECK(attest_report_num_findings(report.get()) > 0);
    return attest_report_verdict(report.get());
  };
  CHECK(verdict(evidence, nullptr) == ATTEST_VERDICT_UNKNOWN);
  CHECK(verdict(evidence, no_rules.get()) == ATTEST_VERDICT_UNKNOWN);
  CHECK(verdict(empty, policy.get()) == ATTEST_VERDICT_UNTRUSTED);
  CHECK(verdict(empty, nullptr) == ATTEST_VERDICT_UNTRUSTED);
}

TEST_CASE("an IMA list that is not of its format makes no report") {
  Evidence evidence;
  Policy policy;
  Report report;
  Node node;
  make_good_evidence(evidence);
  make_good_policy(policy);
  REQUIRE(attest_node_new(node.place()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_ima(evidence.get(), good_node().ima.data(),
                                  good_node().ima.size() - 1) == ATTEST_OK);
  const attest_appraise_options options = good_options();
  check_failed(attest_appraise(report.place(), evidence.get(), policy.get(), node.get(), &options),
               ATTEST_E_MALFORMED, "byte ");
  CHECK(report.get() == nullptr);
}

TEST_CASE("a policy that was learnt trusts the node it was learnt from, and no other") {
  Evidence evidence;
  Policy policy;
  Report learnt, report;
  make_good_evidence(evidence);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_policy_learn(policy.place(), learnt.place(), evidence.get(), &options) ==
          ATTEST_OK);
  REQUIRE(policy.get() != nullptr);
  REQUIRE(learnt.get() != nullptr);
  CHECK(attest_report_verdict(learnt.get()) != ATTEST_VERDICT_TRUSTED);
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_TRUSTED);

  std::vector<std::uint8_t> signature = good_node().signature;
  signature.back() ^= 1U;
  const GoodNode& n = good_node();
  REQUIRE(attest_evidence_set_quote(evidence.get(), n.attest.data(), n.attest.size(),
                                    signature.data(), signature.size(), n.pcrs.data(),
                                    n.pcrs.size()) == ATTEST_OK);
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNTRUSTED);
}

TEST_CASE("nothing is learnt from a bad quote, and the report says why") {
  Evidence evidence;
  Report report;
  make_good_evidence(evidence);
  attest_appraise_options options = good_options();
  options.nonce_len = 0;
  auto* policy = rubbish<attest_policy>();
  REQUIRE(attest_policy_learn(&policy, report.place(), evidence.get(), &options) == ATTEST_OK);
  CHECK(policy == nullptr);
  REQUIRE(report.get() != nullptr);
  CHECK(attest_report_num_findings(report.get()) > 0);
}

TEST_CASE("NULLs and sizes in appraisals are the caller's mistake") {
  Evidence evidence;
  Policy policy;
  make_good_evidence(evidence);
  make_good_policy(policy);
  attest_appraise_options options = good_options();
  auto* report = rubbish<attest_report>();
  check_failed(attest_appraise(nullptr, evidence.get(), policy.get(), nullptr, &options),
               ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_appraise(&report, nullptr, policy.get(), nullptr, &options),
               ATTEST_E_ARGUMENT, "evidence is NULL");
  CHECK(report == nullptr);
  check_failed(attest_appraise(&report, evidence.get(), policy.get(), nullptr, nullptr),
               ATTEST_E_ARGUMENT, "options is NULL");
  options.size = 0;
  check_failed(attest_appraise(&report, evidence.get(), policy.get(), nullptr, &options),
               ATTEST_E_ARGUMENT, "options.size");
  options = good_options();
  options.nonce = nullptr;
  check_failed(attest_appraise(&report, evidence.get(), policy.get(), nullptr, &options),
               ATTEST_E_ARGUMENT, "NULL");

  options = good_options();
  auto* learnt = rubbish<attest_policy>();
  report = rubbish<attest_report>();
  check_failed(attest_policy_learn(&learnt, nullptr, evidence.get(), &options), ATTEST_E_ARGUMENT,
               "report is NULL");
  check_failed(attest_policy_learn(nullptr, &report, evidence.get(), &options), ATTEST_E_ARGUMENT,
               "policy is NULL");
  CHECK(report == nullptr);
  report = rubbish<attest_report>();
  check_failed(attest_policy_learn(&learnt, &report, nullptr, &options), ATTEST_E_ARGUMENT,
               "evidence is NULL");
  CHECK(learnt == nullptr);
  CHECK(report == nullptr);
}
