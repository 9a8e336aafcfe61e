// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/eventlog.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libattest/base/hex.h"
#include "libattest/eventlog/describe.h"
#include "libattest/eventlog/launch.h"
#include "libattest/eventlog/quirks.h"
#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/secure_boot.h"
#include "libattest/eventlog/types.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using eventlog::Problem;
using policy::Code;
using policy::Component;
using policy::Finding;
using policy::PcrState;
using policy::Severity;

constexpr std::uint32_t kExitBootServicesPcr = 5;

constexpr bool has(std::uint32_t mask, std::uint32_t pcr) noexcept {
  return pcr < tpm::kNumPcrs && (mask >> pcr & 1U) != 0;
}

Code code_of(Problem problem) noexcept {
  switch (problem) {
    case Problem::kDataMismatch:
    case Problem::kMalformedData:
      return Code::kEventData;
    case Problem::kNoActionDigest:
      return Code::kEventNoAction;
    case Problem::kLocality:
      return Code::kEventLocality;
    case Problem::kHcrtm:
      return Code::kEventHcrtm;
    case Problem::kSeparator:
      return Code::kEventSeparator;
    case Problem::kFirmwareError:
      return Code::kEventFirmwareError;
    case Problem::kUnknownType:
    case Problem::kUnusedType:
      return Code::kEventType;
    case Problem::kRetyped:
      return Code::kEventRetyped;
    case Problem::kQuirk:
      return Code::kEventQuirk;
    case Problem::kLogFull:
      return Code::kEventLogFull;
  }
  return Code::kEventData;
}

std::string name_of_log(const eventlog::Log& log) {
  return log.source() == eventlog::Source::kLaunch ? "launch log" : "event log";
}

class EventLogJudge {
 public:
  EventLogJudge(const eventlog::Log& log, const policy::Policy* policy, const QuotedPcrs& quoted,
                Hash bank, std::uint32_t pcrs, PcrTable& table, policy::Findings& findings)
      : log_(log),
        component_(component_of(log)),
        policy_(policy),
        quoted_(quoted),
        bank_(bank),
        pcrs_(pcrs),
        table_(table),
        findings_(findings) {
    if (policy != nullptr) policed_ = policy->event_log.pcrs_with_rules() & pcrs;
  }

  // Whether an empty log is less than the policy asks for.
  void check_empty() {
    if (!log_.events().empty()) return;
    findings_.add({Code::kEventLogEmpty,
                   is_required() ? Severity::kFailure : Severity::kWarning,
                   component_,
                   {},
                   {},
                   {},
                   {},
                   {},
                   "the " + name_of_log(log_) + " is empty"});
  }

  // The quoted banks that the log carries; the judged one first, if it is one of them.
  void choose_banks() {
    for (const QuotedPcrs::Bank& bank : quoted_.banks()) {
      if (log_.find(bank.hash)) {
        banks_.push_back(bank.hash);
      } else if (!log_.events().empty()) {
        lacks_bank(bank.hash);
      }
    }
    const auto own = std::ranges::find(banks_, bank_);
    if (own != banks_.end()) std::iter_swap(banks_.begin(), own);
  }

  void replay() {
    replay_ = eventlog::replay(log_, banks_);
    for (const eventlog::Bank& bank : replay_.banks) {
      const QuotedPcrs::Bank& quoted = *quoted_.find(bank.hash);
      for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
        if (!has(quoted.mask, pcr)) continue;
        if (has(pcrs_, pcr)) {
          compare(bank, pcr, quoted.values[pcr]);
        } else if (tpm::is_launch_pcr(pcr) && replay_.num_extends[pcr] != 0) {
          told_twice(bank, pcr);
        }
      }
    }
  }

  void check_events() {
    if (banks_.empty()) return;
    checked_ = eventlog::check(log_, banks_.front());
    for (const eventlog::Issue& issue : checked_.issues) {
      // Where a PCR starts is PCR 0's business, in whichever PCR the event was put.
      const bool about_pcr_0 =
          issue.problem == Problem::kLocality || issue.problem == Problem::kHcrtm;
      const bool policed = has(policed_, issue.pcr) || (about_pcr_0 && has(policed_, 0));
      // Where the digest is of something else, what the data looks like proves nothing either way.
      const bool hint_only = issue.problem == Problem::kMalformedData &&
                             eventlog::is_hint(checked_.coverage[issue.event]);
      const Severity severity = is_information(issue)   ? Severity::kInfo
                                : policed && !hint_only ? Severity::kFailure
                                                        : Severity::kWarning;
      findings_.add(finding_of(issue, log_, severity));
    }
  }

  // Event rules: every digest that was extended into the PCR is one that the policy lists.
  void judge_events() {
    if (policy_ == nullptr || !has_bank()) return;
    const std::size_t algorithm = *log_.find(bank_);
    for (const auto& [pcr, listed] : policy_->event_log.events) {
      if (!has(pcrs_, pcr)) continue;
      bool all = replay_.num_extends[pcr] != 0;
      for (const eventlog::Event& event : log_.events()) {
        if (event.pcr != pcr || !eventlog::is_extended(event)) continue;
        const Digest digest(log_.digest(event, algorithm));
        if (std::ranges::find(listed, digest) != listed.end()) continue;
        all = false;
        findings_.add({Code::kEventNotListed,
                       Severity::kFailure,
                       component_,
                       pcr,
                       event.index,
                       event.offset,
                       {},
                       to_hex(digest.bytes()),
                       words_for(log_, event) + " in PCR " + std::to_string(pcr) +
                           " has a digest that the policy does not list"});
      }
      if (all && replays(pcr)) table_.set(bank_, pcr, PcrState::kAppraised);
    }
  }

  // What the log says of Secure Boot is proven when PCR 7 replays in the bank it is read from, and
  // PCR 2, whose separator ends the drivers' part.
  void claim(policy::Claims& claims) const {
    const bool launch = log_.source() == eventlog::Source::kLaunch;
    (launch ? claims.num_launch_events : claims.num_events) = log_.events().size();
    if (!has_bank()) return;
    if (has(pcrs_, tpm::kLaunchPcr) && proves_launch()) {
      claims.measured_launch = true;
      claims.launch_mapping = std::string(eventlog::name_of(eventlog::claimed_mapping(log_)));
    }
    if (launch || !replays(2) || !replays(7)) return;
    const eventlog::SecureBoot state = eventlog::secure_boot(log_, checked_).state;
    if (state != eventlog::SecureBoot::kUnknown) {
      claims.secure_boot = std::string(eventlog::name_of(state));
    }
  }

 private:
  // Whether the policy asks for this log, by rules or without.
  bool is_required() const noexcept {
    if (policy_ == nullptr) return false;
    return policed_ != 0 ||
           (log_.source() == eventlog::Source::kLaunch ? policy_->launch.log_required
                                                       : policy_->event_log.required);
  }

  // Whether the judged bank is quoted and in the log.
  bool has_bank() const noexcept { return !banks_.empty() && banks_.front() == bank_; }

  // Only a launch sets PCR 17 to zero, from where a log of it replays. What SHA-1 says without a
  // policy that allows it is no proof.
  bool proves_launch() const noexcept {
    return (policy_ != nullptr || bank_ != Hash::kSha1) && replays(tpm::kLaunchPcr);
  }

  // Whether the log explains the PCR in the judged bank, which it has.
  bool replays(std::uint32_t pcr) const noexcept {
    const eventlog::Bank& bank = *replay_.find(bank_);
    const Digest* value = quoted_.find(bank_, pcr);
    return value != nullptr && replay_.num_extends[pcr] != 0 && bank.pcrs[pcr] == *value;
  }

  void lacks_bank(Hash bank) {
    const bool needed = bank == bank_ && is_required();
    const std::string name(crypto::hash_name(bank));
    findings_.add({Code::kEventLogBank,
                   needed ? Severity::kFailure : Severity::kWarning,
                   component_,
                   {},
                   {},
                   {},
                   name,
                   {},
                   "the " + name_of_log(log_) + " has no " + name +
                       " digests: its PCRs can not be replayed"});
  }

  void compare(const eventlog::Bank& bank, std::uint32_t pcr, const Digest& quoted) {
    const std::uint32_t extends = replay_.num_extends[pcr];
    if (bank.pcrs[pcr] == quoted) {
      table_.set(bank.hash, pcr, extends == 0 ? PcrState::kInitial : PcrState::kReplayed);
      return;
    }
    if (tpm::is_launch_pcr(pcr) && quoted.all(0xff) && claims_launch()) {
      no_launch(bank.hash, pcr, quoted,
                "the " + name_of_log(log_) + " has events of a launch, and PCR " +
                    std::to_string(pcr) + " shows that there was none");
      return;
    }
    if (extends == 0) {
      if (eventlog::is_initial(pcr, quoted.bytes())) {
        table_.set(bank.hash, pcr, PcrState::kInitial);
      } else if (has(policed_, pcr)) {
        mismatch(bank, pcr, quoted);
      }
      return;
    }
    // Not where the policy wants the whole log: a log that was cut looks the same.
    if (pcr == kExitBootServicesPcr && !has(policed_, pcr)) {
      if (const auto quirk = eventlog::ebs_missing(quoted.bytes(), bank)) {
        table_.set(bank.hash, pcr, PcrState::kReplayed);
        const eventlog::Quirk& q = eventlog::quirk(*quirk);
        findings_.add({Code::kEventQuirk,
                       Severity::kInfo,
                       component_,
                       pcr,
                       {},
                       {},
                       {},
                       std::string(q.name),
                       "firmware quirk allowed for: " + std::string(q.what)});
        return;
      }
    }
    mismatch(bank, pcr, quoted);
  }

  bool claims_launch() const noexcept {
    for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
      if (tpm::is_launch_pcr(pcr) && replay_.num_extends[pcr] != 0) return true;
    }
    return false;
  }

  void no_launch(Hash bank, std::uint32_t pcr, const Digest& quoted, std::string message) {
    table_.set(bank, pcr, PcrState::kMismatch);
    findings_.add({Code::kNoMeasuredLaunch,
                   Severity::kFailure,
                   component_,
                   pcr,
                   {},
                   {},
                   {},
                   to_hex(quoted.bytes()),
                   std::move(message)});
  }

  void told_twice(const eventlog::Bank& bank, std::uint32_t pcr) {
    table_.set(bank.hash, pcr, PcrState::kMismatch);
    findings_.add(
        {Code::kPcrReplay,
         Severity::kFailure,
         component_,
         pcr,
         {},
         {},
         {},
         {},
         "both the boot event log and the launch log have events for PCR " + std::to_string(pcr)});
  }

  // The operating system goes on extending PCRs 10 to 15 without this log: a warning there, unless
  // the policy wants the log to explain them.
  void mismatch(const eventlog::Bank& bank, std::uint32_t pcr, const Digest& quoted) {
    if (tpm::is_launch_pcr(pcr) && replay_.num_extends[pcr] != 0 &&
        eventlog::replay_without_launch(log_, bank.hash, pcr) == quoted) {
      no_launch(bank.hash, pcr, quoted,
                "the events lead to PCR " + std::to_string(pcr) +
                    " from all ones: software extended it, and there was no measured launch");
      return;
    }
    const bool fails = pcr <= 9 || tpm::is_launch_pcr(pcr) || has(policed_, pcr);
    if (fails) table_.set(bank.hash, pcr, PcrState::kMismatch);
    findings_.add({Code::kPcrReplay,
                   fails ? Severity::kFailure : Severity::kWarning,
                   component_,
                   pcr,
                   {},
                   {},
                   to_hex(quoted.bytes()),
                   to_hex(bank.pcrs[pcr].bytes()),
                   "the " + name_of_log(log_) + " does not replay to PCR " + std::to_string(pcr) +
                       " (" + std::string(crypto::hash_name(bank.hash)) +
                       "): an event is missing, added or changed"});
  }

  const eventlog::Log& log_;
  Component component_;
  const policy::Policy* policy_;
  const QuotedPcrs& quoted_;
  Hash bank_;           // that is judged
  std::uint32_t pcrs_;  // that this log is to explain
  PcrTable& table_;
  policy::Findings& findings_;
  std::uint32_t policed_ = 0;
  std::vector<Hash> banks_;
  eventlog::Replay replay_;
  eventlog::Checked checked_;
};

}  // namespace

bool is_information(const eventlog::Issue& issue) noexcept {
  return issue.problem == Problem::kQuirk;
}

Component component_of(const eventlog::Log& log) noexcept {
  return log.source() == eventlog::Source::kLaunch ? Component::kLaunchLog : Component::kEventLog;
}

std::string words_for(const eventlog::Log& log, const eventlog::Event& event) {
  return (log.source() == eventlog::Source::kLaunch ? "launch log event " : "event ") +
         std::to_string(event.index) + " (" + eventlog::type_name(event.type) + ", " +
         eventlog::describe(log, event) + ")";
}

Finding finding_of(const eventlog::Issue& issue, const eventlog::Log& log, Severity severity) {
  const eventlog::Event& event = log.events()[issue.event];
  std::optional<std::uint32_t> pcr;
  if (issue.pcr < tpm::kNumPcrs) pcr = issue.pcr;
  return {code_of(issue.problem),
          severity,
          component_of(log),
          pcr,
          event.index,
          event.offset,
          {},
          {},
          (log.source() == eventlog::Source::kLaunch ? "launch log event " : "event ") +
              std::to_string(event.index) + " (" + eventlog::type_name(event.type) +
              "): " + issue.what};
}

void judge_eventlog(const eventlog::Log& log, const policy::Policy* policy,
                    const QuotedPcrs& quoted, Hash bank, std::uint32_t pcrs, PcrTable& table,
                    policy::Findings& findings, policy::Claims& claims) {
  EventLogJudge judge(log, policy, quoted, bank, pcrs, table, findings);
  judge.check_empty();
  judge.choose_banks();
  judge.replay();
  judge.check_events();
  judge.judge_events();
  judge.claim(claims);
}

}  // namespace attest::verify
