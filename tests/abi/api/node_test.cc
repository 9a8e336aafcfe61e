// SPDX-License-Identifier: Apache-2.0

#include "libattest/node.h"

#include "tests/abi/api/calls.h"

namespace {

std::string exported(const Node& node) {
  Buffer text;
  REQUIRE(attest_node_export(text.place(), node.get()) == ATTEST_OK);
  return text_of(text);
}

attest_verdict appraise(const Node& node, const std::vector<std::uint8_t>& nonce) {
  Evidence evidence;
  Policy policy;
  Report report;
  make_good_evidence(evidence);
  make_good_policy(policy);
  attest_appraise_options options = good_options();
  options.nonce = nonce.data();
  options.nonce_len = nonce.size();
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), node.get(), &options) ==
          ATTEST_OK);
  return attest_report_verdict(report.get());
}

}  // namespace

TEST_CASE("a node's state is the same after it was written and read") {
  Node node, again;
  REQUIRE(attest_node_new(node.place()) == ATTEST_OK);
  REQUIRE(appraise(node, good_node().nonce) == ATTEST_VERDICT_TRUSTED);
  const std::string text = exported(node);
  CHECK(text.size() <= 4096);
  REQUIRE(attest_node_import(again.place(), reinterpret_cast<const std::uint8_t*>(text.data()),
                             text.size()) == ATTEST_OK);
  CHECK(exported(again) == text);
}

TEST_CASE("a trusted verdict changes a node's state, and nothing else does") {
  Node node;
  REQUIRE(attest_node_new(node.place()) == ATTEST_OK);
  const std::string fresh = exported(node);
  std::vector<std::uint8_t> other = good_node().nonce;
  other[0] ^= 1U;
  CHECK(appraise(node, other) == ATTEST_VERDICT_UNTRUSTED);
  CHECK(exported(node) == fresh);
  CHECK(appraise(node, good_node().nonce) == ATTEST_VERDICT_TRUSTED);
  CHECK(exported(node) != fresh);
}

TEST_CASE("a node remembers how many entries are verified, and goes on from there") {
  Node node;
  CHECK(attest_node_ima_entries(nullptr) == 0);
  REQUIRE(attest_node_new(node.place()) == ATTEST_OK);
  CHECK(attest_node_ima_entries(node.get()) == 0);
  REQUIRE(appraise(node, good_node().nonce) == ATTEST_VERDICT_TRUSTED);
  CHECK(attest_node_ima_entries(node.get()) > 3);

  // A list that begins elsewhere is not judged at all.
  Evidence evidence;
  Policy policy;
  Report report;
  make_good_evidence(evidence);
  make_good_policy(policy);
  REQUIRE(attest_evidence_set_ima_first_entry(evidence.get(), 3) == ATTEST_OK);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), node.get(), &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNTRUSTED);
  bool said = false;
  for (std::size_t i = 0; i < attest_report_num_findings(report.get()); ++i) {
    attest_finding finding = ATTEST_FINDING_INIT;
    REQUIRE(attest_report_finding(&finding, report.get(), i) == ATTEST_OK);
    said = said || finding.id == std::string("ima-position");
  }
  CHECK(said);
  // Another list begins at 0 again.
  const auto& ima = good_node().ima;
  REQUIRE(attest_evidence_set_ima(evidence.get(), ima.data(), ima.size()) == ATTEST_OK);
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("only a list begins at an entry") {
  Evidence evidence;
  REQUIRE(attest_evidence_new(evidence.place()) == ATTEST_OK);
  check_failed(attest_evidence_set_ima_first_entry(evidence.get(), 3), ATTEST_E_STATE,
               "no IMA list");
  check_failed(attest_evidence_set_ima_first_entry(nullptr, 3), ATTEST_E_ARGUMENT,
               "evidence is NULL");
}

TEST_CASE("a state that is none is malformed") {
  for (const std::string text : {"", "{", "[]", "{\"version\": 99}", "null"}) {
    auto* node = rubbish<attest_node>();
    check_failed(
        attest_node_import(&node, reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
        ATTEST_E_MALFORMED, "");
    CHECK(node == nullptr);
  }
}

TEST_CASE("NULLs in calls about nodes are the caller's mistake") {
  auto* node = rubbish<attest_node>();
  auto* text = rubbish<attest_buffer>();
  Node good;
  REQUIRE(attest_node_new(good.place()) == ATTEST_OK);
  check_failed(attest_node_new(nullptr), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_node_import(nullptr, nullptr, 0), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_node_import(&node, nullptr, 1), ATTEST_E_ARGUMENT, "NULL");
  CHECK(node == nullptr);
  check_failed(attest_node_export(&text, nullptr), ATTEST_E_ARGUMENT, "node is NULL");
  CHECK(text == nullptr);
  check_failed(attest_node_export(nullptr, good.get()), ATTEST_E_ARGUMENT, "out is NULL");
}
