// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/node.h"

#include <tuple>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/verify/quote.h"

namespace attest::verify {
namespace {

using policy::Code;
using policy::Severity;

}  // namespace

bool of_one_boot(const NodeState::Seen& a, const NodeState::Seen& b) noexcept {
  return a.has_clock && b.has_clock && a.reset_count == b.reset_count;
}

NodeState::Seen seen_now(const tpm::AttestationKey& key, const tpm::ClaimedQuote& verified) {
  return {key.spki_sha256(),         verified.clock,
          verified.reset_count,      verified.restart_count,
          verified.firmware_version, {key.name().begin(), key.name().end()},
          !verified.is_tpm12()};
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
  // A key that was given without its Name, once, is told by its SubjectPublicKeyInfo alone.
  const bool same_name = before.name.empty() || now.name.empty() || before.name == now.name;
  if (before.key != now.key || !same_name) {
    findings.add({Code::kNodeKeyChanged,
                  Severity::kFailure,
                  policy::Component::kNode,
                  {},
                  {},
                  {},
                  same_name ? to_hex(before.key.bytes()) : to_hex(before.name),
                  same_name ? to_hex(now.key.bytes()) : to_hex(now.name),
                  "the attestation key is another one than at the last appraisal"});
    return;  // another TPM's clock says nothing
  }
  if (before.has_clock != now.has_clock) {
    findings.add({Code::kNodeClock,
                  Severity::kFailure,
                  policy::Component::kNode,
                  {},
                  {},
                  {},
                  before.has_clock ? "a clock" : "no clock",
                  now.has_clock ? "a clock" : "no clock",
                  "the quote is of another family of TPM than the last one, by the same key"});
    return;
  }
  if (!now.has_clock) return;
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

void advance(NodeState& node, Trusted&& trusted) {
  // A position is worth nothing after a reboot, nor when a later list was verified without one.
  const bool goes_on = node.seen && of_one_boot(*node.seen, trusted.seen);
  if (trusted.had_ima || !goes_on) node.ima = std::move(trusted.ima);
  if (trusted.binding) node.binding = std::move(trusted.binding);
  node.seen = std::move(trusted.seen);
}

}  // namespace attest::verify
