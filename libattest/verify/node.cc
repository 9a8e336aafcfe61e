// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/node.h"

#include <tuple>
#include <vector>

#include "libattest/base/hex.h"
#include "libattest/json/value.h"
#include "libattest/json/writer.h"

namespace attest::verify {
namespace {

using policy::Code;
using policy::Severity;

constexpr std::string_view kFormat = "node state";
constexpr std::size_t kMaxSize = 4096;

}  // namespace

std::string to_json(const NodeState& node) {
  json::Writer w;
  w.begin_object().member("version", std::uint64_t{1});
  if (node.seen) {
    w.member("key", to_hex(node.seen->key.bytes()))
        .member("clock", node.seen->clock)
        .member("reset_count", std::uint64_t{node.seen->reset_count})
        .member("restart_count", std::uint64_t{node.seen->restart_count})
        .member("firmware_version", node.seen->firmware_version);
  }
  return w.end_object().take();
}

NodeState parse_node(std::string_view text) {
  const json::Document document = json::Document::parse(text, kFormat, kMaxSize);
  const json::Value root = document.root();
  root.only({"version", "key", "clock", "reset_count", "restart_count", "firmware_version"});
  if (root.at("version").number(UINT32_MAX) != 1) root.at("version").fail("not 1");
  NodeState node;
  if (root.members().size() == 1) return node;
  NodeState::Seen seen;
  const json::Value key = root.at("key");
  const auto bytes = from_hex(key.string());
  if (!bytes || bytes->size() != crypto::hash_size(crypto::Hash::kSha256)) {
    key.fail("not a SHA-256 digest in hexadecimal");
  }
  seen.key = crypto::Digest(*bytes);
  seen.clock = root.at("clock").number(UINT64_MAX);
  seen.reset_count = static_cast<std::uint32_t>(root.at("reset_count").number(UINT32_MAX));
  seen.restart_count = static_cast<std::uint32_t>(root.at("restart_count").number(UINT32_MAX));
  seen.firmware_version = root.at("firmware_version").number(UINT64_MAX);
  node.seen = seen;
  return node;
}

NodeState::Seen seen_now(const tpm::AttestationKey& key, const tpm::ClaimedQuote& verified) {
  crypto::Hasher sha256(crypto::Hash::kSha256);
  return {sha256(key.key().spki()), verified.clock, verified.reset_count, verified.restart_count,
          verified.firmware_version};
}

void check_node(const NodeState& node, const NodeState::Seen& now, policy::Findings& findings) {
  if (!node.seen) return;
  const NodeState::Seen& before = *node.seen;
  const auto add = [&](Code code, Severity severity, std::uint64_t expected, std::uint64_t found,
                       std::string message) {
    findings.add({code,
                  severity,
                  policy::Component::kNode,
                  {},
                  {},
                  {},
                  std::to_string(expected),
                  std::to_string(found),
                  std::move(message)});
  };
  if (before.key != now.key) {
    findings.add({Code::kNodeKeyChanged,
                  Severity::kFailure,
                  policy::Component::kNode,
                  {},
                  {},
                  {},
                  to_hex(before.key.bytes()),
                  to_hex(now.key.bytes()),
                  "the attestation key is another one than at the last appraisal"});
    return;  // another TPM's clock says nothing
  }
  // restartCount begins again at zero when resetCount grows: the pair is what never goes back.
  const auto counts = [](const NodeState::Seen& s) {
    return std::tie(s.reset_count, s.restart_count);
  };
  if (counts(now) < counts(before)) {
    if (now.reset_count < before.reset_count) {
      add(Code::kNodeResetCount, Severity::kFailure, before.reset_count, now.reset_count,
          "the quote is older than the last one: resetCount went back");
    } else {
      add(Code::kNodeRestartCount, Severity::kFailure, before.restart_count, now.restart_count,
          "the quote is older than the last one: restartCount went back");
    }
  } else if (counts(now) == counts(before)) {
    if (now.clock <= before.clock) {
      add(Code::kNodeClock, Severity::kFailure, before.clock, now.clock,
          "the quote is not newer than the last one: the TPM's clock did not advance");
    }
  } else if (now.reset_count != before.reset_count) {
    add(Code::kNodeRebooted, Severity::kInfo, before.reset_count, now.reset_count,
        "the node was rebooted since the last appraisal");
  }
  if (before.firmware_version != now.firmware_version) {
    add(Code::kNodeFirmware, Severity::kWarning, before.firmware_version, now.firmware_version,
        "the TPM's firmware version changed since the last appraisal");
  }
}

}  // namespace attest::verify
