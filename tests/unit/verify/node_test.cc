// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/node.h"

#include <catch2/catch.hpp>

#include "tests/support/evidence.h"

namespace {

using attest::ParseError;
using attest::policy::Code;
using attest::policy::Findings;
using attest::policy::Severity;
using attest::policy::Verdict;
using attest::verify::NodeState;

NodeState::Seen seen() { return {attest::crypto::Digest::filled(32, 1), 1000, 5, 2, 9, {}}; }

std::vector<Code> failures(const NodeState::Seen& now) {
  Findings findings;
  attest::verify::check_node(NodeState{seen(), {}, {}}, now, findings);
  std::vector<Code> out;
  for (const auto& f : findings.list()) {
    if (f.severity == Severity::kFailure) out.push_back(f.code);
  }
  return out;
}

using Codes = std::vector<Code>;

}  // namespace

TEST_CASE("a quote must be newer than the last one", "[node]") {
  NodeState::Seen now = seen();
  CHECK(failures(now) == Codes{Code::kNodeClock});
  now.clock = 999;
  CHECK(failures(now) == Codes{Code::kNodeClock});
  now.clock = 1001;
  CHECK(failures(now).empty());
  now.restart_count = 1;
  CHECK(failures(now) == Codes{Code::kNodeRestartCount});
  now.restart_count = 3;
  now.clock = 1;
  CHECK(failures(now).empty());
  // After a reset restartCount begins again.
  now.reset_count = 6;
  now.restart_count = 0;
  CHECK(failures(now).empty());
  now.reset_count = 4;
  now.restart_count = 100;
  CHECK(failures(now) == Codes{Code::kNodeResetCount});
}

TEST_CASE("another key is another TPM", "[node]") {
  NodeState::Seen now = seen();
  now.key = attest::crypto::Digest::filled(32, 2);
  now.clock = 5000;
  CHECK(failures(now) == Codes{Code::kNodeKeyChanged});
}

TEST_CASE("a node's state survives its JSON, and nothing else is taken for one", "[node]") {
  const NodeState state{seen(), {}, {}};
  CHECK(attest::verify::parse_node(attest::verify::to_json(state)).seen == state.seen);
  CHECK_FALSE(attest::verify::parse_node(attest::verify::to_json(NodeState{})).seen.has_value());
  const std::string json = attest::verify::to_json(state);
  for (std::size_t size = 0; size < json.size(); ++size) {
    CHECK_THROWS_AS(attest::verify::parse_node(json.substr(0, size)), ParseError);
  }
  for (
      const char* bad :
      {"[]", "{}", R"({"version":2})", R"({"version":1,"clock":1})", R"({"version":1,"more":1})",
       R"({"version":1,"key":"00","clock":1,"reset_count":1,"restart_count":1,"firmware_version":1})",
       R"({"version":1,"version":1})"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(attest::verify::parse_node(bad), ParseError);
  }
  const std::string large = "{\"version\":1" + std::string(5000, ' ') + "}";
  CHECK_THROWS_AS(attest::verify::parse_node(large), ParseError);
}

TEST_CASE("an appraisal moves a node's state only when it trusts", "[node]") {
  const Parts clean = boot("grub-ima-ng");
  const attest::policy::Policy policy = clean.learn();
  NodeState node;
  CHECK(boot("grub-ima-ng", "2-tampered").appraise(&policy, &node).verdict == Verdict::kUntrusted);
  CHECK_FALSE(node.seen.has_value());
  CHECK(clean.appraise(nullptr, &node).verdict == Verdict::kUnknown);
  CHECK_FALSE(node.seen.has_value());
  CHECK(clean.appraise(&policy, &node).verdict == Verdict::kTrusted);
  REQUIRE(node.seen.has_value());
  const NodeState::Seen first = *node.seen;
  // The same quote again is a replay.
  CHECK(fails_with(clean.appraise(&policy, &node), Code::kNodeClock));
  CHECK(node.seen == first);
  // A newer one of the same boot is not.
  CHECK_FALSE(
      fails_with(boot("grub-ima-ng", "2-tampered").appraise(&policy, &node), Code::kNodeClock));
}
