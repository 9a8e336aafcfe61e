// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/ima.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/verify/ima_rules.h"

namespace attest::verify {
namespace {

using crypto::Hash;
using ima::DigestMode;
using policy::Code;
using policy::Component;
using policy::PcrState;
using policy::Severity;

constexpr std::size_t kChunk = std::size_t{64} << 10U;  // bytes read at a time

// Finds out how a list replays that does not in the mode that was asked for; judges nothing.
class NoJudge final : public EntryJudge {
 public:
  void prepare(const ima::Entry& /*entry*/) override {}
  void midway() override {}
  void judge(const ima::Entry& /*entry*/, policy::Findings& /*findings*/) override {}
};

class ImaJudgement {
 public:
  ImaJudgement(const policy::Policy* policy, const QuotedPcrs& quoted, Hash bank, std::uint32_t pcr,
               policy::Findings& findings)
      : policy_(policy),
        ima_policy_(policy != nullptr && policy->ima ? &*policy->ima : nullptr),
        quoted_(quoted),
        bank_(bank),
        pcr_(pcr),
        mode_(ima_policy_ != nullptr ? DigestMode{static_cast<std::uint8_t>(ima_policy_->digest)}
                                     : DigestMode::kNative),
        findings_(findings) {}

  std::optional<ImaPosition> run(const ImaEvidence& ima, const ImaPosition* from,
                                 const NodeState* same_boot, PcrTable& table,
                                 policy::Claims& claims) {
    ImaRules rules(policy_, quoted_, from);
    ImaWalk walk(rules, quoted_, bank_, pcr_, mode_, from);
    walk_all(ima, walk);
    if (!walk.covered()) {
      mismatch(ima, walk, table);
      return std::nullopt;
    }
    claims.ima_entries = *walk.covered();
    claims.ima_verified = ima.first_entry;
    claims.ima_unverified = walk.num_entries() - *walk.covered();
    claims.ima_violations = walk.num_violations();
    findings_.append(std::move(walk.list_findings()));
    rules.judge_before(findings_);
    findings_.append(std::move(walk.findings()));
    for (const Hash other : walk.differing()) differs(other, table);
    table.set(bank_, pcr_, PcrState::kReplayed);
    for (const QuotedPcrs::Bank& bank : quoted_.banks()) {
      if (quoted_.find(bank.hash, pcr_) != nullptr) {
        table.set(bank.hash, pcr_, PcrState::kReplayed);
      }
    }
    check_mode();
    check_list_bank(walk);
    check_empty(walk, table);
    check_tail(walk);
    if (same_boot != nullptr) check_progress(walk, *same_boot);
    judged(walk, table);
    return position(walk, rules);
  }

 private:
  void mismatch(const ImaEvidence& ima, ImaWalk& walk, PcrTable& table) {
    table.set(bank_, pcr_, PcrState::kMismatch);
    // Facts about the list itself help to find the entry; rules judged what nobody signed.
    findings_.append(std::move(walk.list_findings()));
    std::string message = "the IMA list does not replay to PCR " + std::to_string(pcr_) + " (" +
                          std::string(crypto::hash_name(bank_)) +
                          "): an entry is missing, added or changed";
    if (const auto other = mode_that_matches(ima)) {
      message = "the IMA list replays to PCR " + std::to_string(pcr_) + " (" +
                std::string(crypto::hash_name(bank_)) + ") only with " +
                std::string(ima::name_of(*other)) +
                " digests, which the policy does not allow: the node's kernel lacks this hash";
    }
    add(Code::kImaReplay, Severity::kFailure, to_hex(quoted_.find(bank_, pcr_)->bytes()),
        to_hex(walk.value().bytes()), std::move(message));
  }

  // A list that was read from a stream is gone: nothing is said of it then.
  std::optional<DigestMode> mode_that_matches(const ImaEvidence& ima) const {
    if (ima.read || ima.first_entry != 0 || bank_ == Hash::kSha1 || mode_ != DigestMode::kNative)
      return std::nullopt;
    for (const DigestMode mode : {DigestMode::kPadded, DigestMode::kPaddedOld}) {
      NoJudge nothing;
      ImaWalk walk(nothing, quoted_, bank_, pcr_, mode);
      walk_all(ima, walk);
      if (walk.covered()) return mode;
    }
    return std::nullopt;
  }

  void differs(Hash other, PcrTable& table) {
    table.set(other, pcr_, PcrState::kMismatch);
    add(Code::kImaReplay, Severity::kFailure, to_hex(quoted_.find(other, pcr_)->bytes()), {},
        "the IMA list replays in the " + std::string(crypto::hash_name(bank_)) +
            " bank and not in the " + std::string(crypto::hash_name(other)) + " bank");
  }

  void check_mode() {
    if (mode_ == DigestMode::kNative) return;
    add(Code::kImaDigestMode, Severity::kWarning, {}, std::string(ima::name_of(mode_)),
        "the IMA list was replayed with " + std::string(ima::name_of(mode_)) +
            " digests: it is proven no better than SHA-1 proves it");
  }

  // A Keylime runtime policy says which list it is for.
  void check_list_bank(const ImaWalk& walk) {
    if (ima_policy_ == nullptr || ima_policy_->rules == nullptr) return;
    const auto expected = ima_policy_->rules->log_hash;
    const auto found = walk.list_bank();
    if (!expected || !found || *expected == *found) return;
    add(Code::kImaListBank, Severity::kFailure, std::string(crypto::hash_name(*expected)),
        std::string(crypto::hash_name(*found)),
        "the IMA list's own digests are not of the algorithm that the policy says");
  }

  void check_empty(const ImaWalk& walk, PcrTable& table) {
    if (*walk.covered() != 0) return;
    if (ima_policy_ != nullptr && ima_policy_->allow_empty && walk.num_entries() == 0) {
      table.set(bank_, pcr_, PcrState::kAppraised);
      return;
    }
    add(Code::kImaEmpty, ima_policy_ != nullptr ? Severity::kFailure : Severity::kWarning, {}, {},
        "the quote covers no entry of the IMA list: PCR " + std::to_string(pcr_) + " is zero");
  }

  void check_tail(const ImaWalk& walk) {
    const std::uint64_t tail = walk.num_entries() - *walk.covered();
    if (tail == 0) return;
    const std::uint64_t most =
        ima_policy_ != nullptr ? ima_policy_->max_unverified_tail : UINT64_MAX;
    if (tail > most) {
      add(Code::kImaTailLong, Severity::kFailure, std::to_string(most) + " entries at most",
          std::to_string(tail) + " entries",
          "more entries follow the quoted part of the IMA list than the policy tolerates");
    } else {
      add(Code::kImaTail, Severity::kInfo, {}, std::to_string(tail) + " entries",
          "the IMA list goes on for " + std::to_string(tail) +
              " entries that the quote does not cover: they were not judged");
    }
  }

  // The list is read after the quote is made: what it had then, a later quote covers. So a tail is
  // tolerated once, and nobody can keep an entry out of every judgement.
  void check_progress(const ImaWalk& walk, const NodeState& before) {
    if (!before.ima || *walk.covered() >= before.ima->listed) return;
    add(Code::kImaProgress, Severity::kFailure, std::to_string(before.ima->listed) + " entries",
        std::to_string(*walk.covered()) + " entries",
        "the quote does not cover the entries that followed the last one's");
  }

  std::optional<ImaPosition> position(const ImaWalk& walk, const ImaRules& rules) const {
    const auto identity = policy_ != nullptr ? rules_identity(*policy_) : std::nullopt;
    if (!identity || *walk.covered() == 0) return std::nullopt;
    ImaPosition out = walk.position();
    out.rules = *identity;
    return rules.complete(out) ? std::optional(std::move(out)) : std::nullopt;
  }

  void judged(const ImaWalk& walk, PcrTable& table) {
    if (ima_policy_ == nullptr) return;
    if (ima_policy_->rules != nullptr) {
      if (*walk.covered() != 0) table.set(bank_, pcr_, PcrState::kAppraised);
      return;
    }
    add(Code::kImaNoRules, ima_policy_->required ? Severity::kFailure : Severity::kWarning, {}, {},
        "the IMA list replays, and the policy has no rules for its entries");
  }

  void add(Code code, Severity severity, std::string expected, std::string found,
           std::string message) {
    findings_.add({code,
                   severity,
                   Component::kIma,
                   pcr_,
                   {},
                   {},
                   std::move(expected),
                   std::move(found),
                   std::move(message)});
  }

  const policy::Policy* policy_;
  const policy::ImaPolicy* ima_policy_;
  const QuotedPcrs& quoted_;
  Hash bank_;
  std::uint32_t pcr_;
  DigestMode mode_;
  policy::Findings& findings_;
};

// Why a list can not begin at entry `first`; empty when the state says all about those before it.
std::string why_not_from(std::uint64_t first, const policy::Policy* policy,
                         const QuotedPcrs& quoted, std::uint32_t pcr, const NodeState* state,
                         bool same_boot) {
  if (state == nullptr) return "no state of the node says what came before";
  if (state->seen && !same_boot)
    return "the node was rebooted since the entries before were verified";
  if (!state->ima) return "the node's state does not say what came before";
  const ImaPosition& at = *state->ima;
  if (at.entries != first) {
    return "the entries that were verified end before entry " + std::to_string(at.entries);
  }
  if (policy == nullptr || rules_identity(*policy) != at.rules) {
    return "the entries before were verified by another policy";
  }
  for (const QuotedPcrs::Bank& bank : quoted.banks()) {
    if (quoted.find(bank.hash, pcr) != nullptr &&
        std::ranges::find(at.banks, bank.hash, &ImaPosition::Bank::hash) == at.banks.end()) {
      return "the " + std::string(crypto::hash_name(bank.hash)) +
             " bank was not quoted when the entries before were verified";
    }
  }
  return {};
}

}  // namespace

void walk_all(const ImaEvidence& ima, ImaWalk& walk) {
  if (!ima.read) {
    walk.feed(ima.bytes);
  } else {
    std::vector<std::uint8_t> chunk(kChunk);
    while (const std::size_t size = ima.read(chunk)) walk.feed(Bytes(chunk).first(size));
  }
  walk.finish();
}

std::optional<ImaPosition> judge_ima(const ImaEvidence& ima, const policy::Policy* policy,
                                     const QuotedPcrs& quoted, Hash bank, const ImaContext& context,
                                     PcrTable& table, policy::Findings& findings,
                                     policy::Claims& claims) {
  const std::uint32_t pcr = policy != nullptr && policy->ima ? policy->ima->pcr : kDefaultImaPcr;
  const auto add = [&](Code code, Severity severity, std::string message) {
    findings.add({code, severity, Component::kIma, pcr, {}, {}, {}, {}, std::move(message)});
  };
  if (quoted.find(bank, pcr) == nullptr) {
    // A policy that asks for it has failed already (check_quoted).
    add(Code::kPcrMissing, Severity::kWarning,
        "the IMA list could not be looked at: PCR " + std::to_string(pcr) + " (" +
            std::string(crypto::hash_name(bank)) + ") is not in the quote");
    return std::nullopt;
  }
  const NodeState* state = context.state;
  const bool goes_on = state != nullptr && state->seen && of_one_boot(*state->seen, context.now);
  const ImaPosition* from = nullptr;
  if (ima.first_entry != 0) {
    const std::string why = why_not_from(ima.first_entry, policy, quoted, pcr, state, goes_on);
    if (state == nullptr || !why.empty()) {
      add(Code::kImaPosition, Severity::kFailure,
          "the IMA list begins at entry " + std::to_string(ima.first_entry) + ", and " + why +
              ": the whole list is needed");
      return std::nullopt;
    }
    from = &*state->ima;
  }
  return ImaJudgement(policy, quoted, bank, pcr, findings)
      .run(ima, from, goes_on ? state : nullptr, table, claims);
}

}  // namespace attest::verify
