// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/pcr_table.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "libattest/base/hex.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using policy::Code;
using policy::Component;
using policy::PcrState;
using policy::Severity;

// The PCRs whose whole story the firmware, the boot loader or a dynamic launch should log.
constexpr bool is_boot_pcr(std::uint32_t pcr) noexcept {
  return pcr <= 9 || tpm::is_launch_pcr(pcr);
}

constexpr bool has(std::uint32_t mask, std::uint32_t pcr) noexcept {
  return (mask >> pcr & 1U) != 0;
}

std::string list_of(std::uint32_t mask) {
  std::string out;
  for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
    if (has(mask, pcr)) out.append(out.empty() ? "" : ",").append(std::to_string(pcr));
  }
  return out;
}

std::string label(Hash bank, std::uint32_t pcr) {
  return "PCR " + std::to_string(pcr) + " (" + std::string(crypto::hash_name(bank)) + ")";
}

// What OpenAttestation's whitelists call a PCR's part of the boot.
std::string_view group(std::uint32_t pcr) noexcept {
  if (has(kBiosPcrs, pcr)) return "BIOS (PCR 0-7): ";
  return has(kVmmPcrs, pcr) ? "VMM (PCR 17-19): " : "";
}

// The first few of a list of reference values.
std::string describe(const std::vector<Digest>& values) {
  constexpr std::size_t kMost = 4;
  std::string out;
  for (std::size_t i = 0; i < values.size() && i < kMost; ++i) {
    out.append(i == 0 ? "" : " or ").append(to_hex(values[i].bytes()));
  }
  if (values.size() > kMost) out.append(" or another");
  return out;
}

}  // namespace

PcrTable::PcrTable(const QuotedPcrs& quoted) {
  std::size_t count = 0;
  for (const QuotedPcrs::Bank& bank : quoted.banks()) {
    count += static_cast<std::size_t>(std::popcount(bank.mask));
  }
  claims_.reserve(count);
  for (const QuotedPcrs::Bank& bank : quoted.banks()) {
    for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
      if (has(bank.mask, pcr)) {
        claims_.push_back({bank.hash, pcr, bank.values[pcr], PcrState::kUnexplained});
      }
    }
  }
}

policy::PcrClaim* PcrTable::find(Hash bank, std::uint32_t pcr) noexcept {
  const auto at = std::ranges::find_if(
      claims_, [=](const policy::PcrClaim& c) { return c.bank == bank && c.index == pcr; });
  return at == claims_.end() ? nullptr : &*at;
}

void PcrTable::set(Hash bank, std::uint32_t pcr, PcrState state) noexcept {
  policy::PcrClaim* claim = find(bank, pcr);
  if (claim == nullptr || claim->state == PcrState::kMismatch) return;
  const bool raises = state == PcrState::kMismatch || state == PcrState::kAppraised ||
                      claim->state == PcrState::kUnexplained;
  if (raises) claim->state = state;
}

PcrState PcrTable::get(Hash bank, std::uint32_t pcr) const noexcept {
  const auto at = std::ranges::find_if(
      claims_, [=](const policy::PcrClaim& c) { return c.bank == bank && c.index == pcr; });
  return at == claims_.end() ? PcrState::kUnexplained : at->state;
}

Hash best_bank(const std::vector<policy::PcrClaim>& pcrs) noexcept {
  Hash best = Hash::kSha1;
  for (const policy::PcrClaim& pcr : pcrs) {
    if (pcr.bank == Hash::kSha256) return pcr.bank;
    if (best == Hash::kSha1) best = pcr.bank;
  }
  return best;
}

bool check_quoted(const policy::Policy& policy, const QuotedPcrs& quoted,
                  policy::Findings& findings) {
  const std::uint32_t judged = policy.judged_pcrs();
  if (judged == 0) return true;
  const std::string bank(crypto::hash_name(policy.bank));
  const QuotedPcrs::Bank* values = quoted.find(policy.bank);
  if (values == nullptr) {
    findings.add({Code::kBankMissing,
                  Severity::kFailure,
                  Component::kQuote,
                  {},
                  {},
                  {},
                  bank,
                  {},
                  "the quote has no PCR of the " + bank + " bank, which the policy judges"});
    return false;
  }
  for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
    if (!has(judged, pcr) || has(values->mask, pcr)) continue;
    findings.add({Code::kPcrMissing,
                  Severity::kFailure,
                  Component::kQuote,
                  pcr,
                  {},
                  {},
                  {},
                  {},
                  label(policy.bank, pcr) + " is not in the quote, and the policy judges it"});
  }
  return (judged & ~values->mask) == 0;
}

void check_reference_values(const policy::Policy& policy, const QuotedPcrs& quoted, PcrTable& table,
                            policy::Findings& findings) {
  for (const auto& [pcr, references] : policy.pcrs) {
    const Digest* value = quoted.find(policy.bank, pcr);
    if (value == nullptr) continue;  // check_quoted has said so
    if (std::ranges::find(references, *value) != references.end()) {
      table.set(policy.bank, pcr, PcrState::kAppraised);
      continue;
    }
    table.set(policy.bank, pcr, PcrState::kMismatch);
    const bool no_launch = tpm::is_launch_pcr(pcr) && value->all(0xff);
    // check_launch says it, and why it matters.
    if (pcr == tpm::kLaunchPcr && policy.launch.required && tpm::shows_no_launch(pcr, *value)) {
      continue;
    }
    findings.add({no_launch ? Code::kNoMeasuredLaunch : Code::kPcrValue,
                  Severity::kFailure,
                  Component::kPcr,
                  pcr,
                  {},
                  {},
                  describe(references),
                  to_hex(value->bytes()),
                  std::string(group(pcr)) + label(policy.bank, pcr) +
                      (no_launch ? " shows that there was no measured launch"
                                 : " has a value that the policy does not list")});
  }
}

void check_explained(const policy::Policy* policy, const Logged& logged, const PcrTable& table,
                     policy::Findings& findings) {
  const std::uint32_t judged = policy != nullptr ? policy->judged_pcrs() : 0;
  std::map<Hash, std::uint32_t> not_appraised;
  for (const policy::PcrClaim& claim : table.claims()) {
    const bool named = policy != nullptr && claim.bank == policy->bank && has(judged, claim.index);
    if (named) {
      // A mismatch has its finding already.
      if (claim.state == PcrState::kAppraised || claim.state == PcrState::kMismatch) continue;
      findings.add({Code::kPcrNotAppraised,
                    Severity::kFailure,
                    Component::kPcr,
                    claim.index,
                    {},
                    {},
                    "appraised",
                    std::string(policy::name_of(claim.state)),
                    label(claim.bank, claim.index) +
                        " is named by the policy, and nothing in the evidence let it be judged"});
      continue;
    }
    if (claim.state != PcrState::kUnexplained) continue;
    if (is_boot_pcr(claim.index) && logged(claim.bank, claim.index)) {
      findings.add(
          {Code::kPcrUnexplained,
           Severity::kFailure,
           Component::kPcr,
           claim.index,
           {},
           {},
           {},
           to_hex(claim.value.bytes()),
           label(claim.bank, claim.index) + " was extended, and the event log has nothing for it"});
    } else {
      not_appraised[claim.bank] |= std::uint32_t{1} << claim.index;
    }
  }
  // Without a policy this is what every PCR is: the verdict says so.
  if (policy == nullptr) return;
  for (const auto& [bank, mask] : not_appraised) {
    findings.add({Code::kPcrNotAppraised,
                  Severity::kWarning,
                  Component::kPcr,
                  {},
                  {},
                  {},
                  {},
                  list_of(mask),
                  "PCRs " + list_of(mask) + " (" + std::string(crypto::hash_name(bank)) +
                      ") are quoted, and neither the policy nor a log says anything of them"});
  }
}

}  // namespace attest::verify
