// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/explain.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/verify/eventlog.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using policy::Code;
using policy::KnownEvent;
using policy::Severity;

std::string words_for(const KnownEvent& event) {
  return printable(event.type) + ", " + printable(event.description);
}

// One PCR's events beside those that the policy knows.
class Comparison {
 public:
  Comparison(std::uint32_t pcr, const std::vector<KnownEvent>& known, const eventlog::Log& log,
             std::size_t algorithm, policy::Findings& findings)
      : pcr_(pcr), known_(known), log_(log), findings_(findings), seen_(known.size()) {
    for (const eventlog::Event& event : log.events()) {
      if (event.pcr == pcr && eventlog::is_extended(event)) {
        look_up(event, Digest(log.digest(event, algorithm)));
      }
    }
  }

  void explain() {
    const auto lacking = std::ranges::find(seen_, false);
    const KnownEvent* const lacked =
        lacking == seen_.end() ? nullptr
                               : &known_[static_cast<std::size_t>(lacking - seen_.begin())];
    const std::string pcr = "PCR " + std::to_string(pcr_);
    const std::string expected = lacked == nullptr ? "" : to_hex(lacked->digest.bytes());
    if (unknown_ != nullptr) {
      std::string message = verify::words_for(log_, *unknown_) + " is the first in " + pcr +
                            " that the policy does not know";
      if (lacked != nullptr)
        message += "; the first that it knows and misses is " + words_for(*lacked);
      add(Code::kEventUnknown, unknown_, expected, to_hex(unknown_digest_.bytes()),
          std::move(message));
      return;
    }
    std::string message = "the policy knows every event that the log has for " + pcr +
                          ": one is missing, repeated or in another order";
    if (lacked != nullptr) message += "; the first that it misses is " + words_for(*lacked);
    add(Code::kEventOrder, nullptr, expected, {}, std::move(message));
  }

 private:
  void look_up(const eventlog::Event& event, const Digest& digest) {
    const std::string type = eventlog::type_name(event.type);
    const KnownEvent* other = nullptr;  // the same digest under another type
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (known_[i].digest != digest) continue;
      seen_[i] = true;
      if (known_[i].type == type) return;
      other = &known_[i];
    }
    if (other != nullptr) {
      add(Code::kEventRetyped, &event, printable(other->type), type,
          verify::words_for(log_, event) +
              " has the digest of a known event of another type: " + words_for(*other));
    } else if (unknown_ == nullptr) {
      unknown_ = &event;
      unknown_digest_ = digest;
    }
  }

  void add(Code code, const eventlog::Event* event, std::string expected, std::string found,
           std::string message) {
    policy::Finding finding{code,
                            Severity::kFailure,
                            component_of(log_),
                            pcr_,
                            {},
                            {},
                            std::move(expected),
                            std::move(found),
                            std::move(message)};
    if (event != nullptr) {
      finding.index = event->index;
      finding.offset = event->offset;
    }
    findings_.add(std::move(finding));
  }

  std::uint32_t pcr_;
  const std::vector<KnownEvent>& known_;
  const eventlog::Log& log_;
  policy::Findings& findings_;
  std::vector<bool> seen_;                    // by known event: the log has its digest
  const eventlog::Event* unknown_ = nullptr;  // the first
  Digest unknown_digest_;
};

}  // namespace

void explain_pcrs(const policy::Policy& policy, const eventlog::Log& log, std::uint32_t pcrs,
                  const QuotedPcrs& quoted, const PcrTable& table, policy::Findings& findings) {
  const auto algorithm = log.find(policy.bank);
  if (!algorithm) return;
  for (const auto& [pcr, known] : policy.event_log.known_events) {
    const Digest* const value = quoted.find(policy.bank, pcr);
    if ((pcrs >> pcr & 1U) == 0 || value == nullptr) continue;
    Comparison comparison(pcr, known, log, *algorithm, findings);
    // Without a launch there are no events to compare.
    if (table.get(policy.bank, pcr) == policy::PcrState::kMismatch &&
        !tpm::shows_no_launch(pcr, *value)) {
      comparison.explain();
    }
  }
}

}  // namespace attest::verify
