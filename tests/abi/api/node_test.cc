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
