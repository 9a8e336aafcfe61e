// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/ima_walk.h"

#include <algorithm>
#include <string>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using policy::Code;
using policy::Component;
using policy::Severity;

const Digest& value_of(const ima::Replay& replay, Hash bank) noexcept {
  return std::ranges::find(replay.banks(), bank, &ima::Replay::BankState::hash)->value;
}

}  // namespace

ImaWalk::ImaWalk(EntryJudge& judge, const QuotedPcrs& quoted, Hash bank, std::uint32_t pcr,
                 ima::DigestMode mode, const ImaPosition* from)
    : judge_(judge),
      first_(from != nullptr ? from->entries : 0),
      pcr_(pcr),
      mode_(mode),
      reader_(*this, ima::ListFormat::kDetect,
              from != nullptr ? std::optional(from->list_bank) : std::nullopt, first_),
      num_violations_(from != nullptr ? from->violations : 0) {
  const auto add = [&](Hash hash, const Digest& value) {
    Target target{hash, value, Digest::filled(value.size(), 0)};
    // Kernels that lack a bank's hash pad SHA-1 for it: allowed for banks that no rule looks at.
    target.padded = hash != bank && hash != Hash::kSha1 && mode == ima::DigestMode::kNative;
    if (from != nullptr) {
      const auto at = std::ranges::find(from->banks, hash, &ImaPosition::Bank::hash);
      target.start = at->value;
      target.native = !at->padded;
      target.padded = target.padded && at->padded;
    }
    targets_.push_back(target);
  };
  add(bank, *quoted.find(bank, pcr));
  for (const QuotedPcrs::Bank& other : quoted.banks()) {
    const Digest* value = quoted.find(other.hash, pcr);
    if (other.hash != bank && value != nullptr) add(other.hash, *value);
  }
  // The quote may be of the value before the first entry: then it covers none of this list.
  if (targets_.front().value == targets_.front().start) settle(first_);
}

const Digest& ImaWalk::replayed(const Target& target,
                                const std::optional<ima::Replay>& replay) noexcept {
  return replay ? value_of(*replay, target.bank) : target.start;
}

Digest ImaWalk::value() const noexcept { return replayed(targets_.front(), replay_); }

ImaPosition ImaWalk::position() const {
  ImaPosition out;
  out.entries = *covered_;
  out.listed = num_entries();
  out.violations = num_violations_;
  out.list_bank = *reader_.bank();
  for (const Target& target : targets_) {
    const bool native = target.native && replayed(target, replay_) == target.value;
    out.banks.push_back({target.bank, !native, target.value});
  }
  return out;
}

void ImaWalk::start() {
  std::vector<Hash> banks;
  std::vector<Hash> others;
  for (const Target& target : targets_) {
    banks.push_back(target.bank);
    if (target.padded) others.push_back(target.bank);
  }
  const Hash list_bank = *reader_.bank();
  replay_.emplace(list_bank, banks, mode_);
  if (!others.empty()) padded_.emplace(list_bank, others, ima::DigestMode::kPadded);
  for (const Target& target : targets_) {
    replay_->resume(target.bank, target.start);
    if (target.padded) padded_->resume(target.bank, target.start);
  }
}

void ImaWalk::entry(const ima::Entry& entry) {
  if (covered_) return;
  if (!replay_) start();
  judge_.prepare(entry);
  const bool header_good = replay_->check_header(entry);
  judge_.midway();
  if (entry.pcr == pcr_) {
    replay_->extend(entry);
    if (padded_) {
      (void)padded_->check_header(entry);
      padded_->extend(entry);
    }
  }
  check_list(entry, header_good);
  if (entry.violation) ++num_violations_;
  judge_.judge(entry, findings_);
  if (reached()) settle(entry.index + 1);
}

void ImaWalk::check_list(const ima::Entry& entry, bool header_good) {
  const auto fail = [&](Code code, std::string expected, std::string found, std::string message) {
    list_findings_.add({code, Severity::kFailure, Component::kIma, entry.pcr, entry.index,
                        entry.offset, std::move(expected), std::move(found),
                        "IMA entry " + std::to_string(entry.index) + ": " + std::move(message)});
  };
  if (!entry.known) {
    fail(Code::kImaTemplate, {}, printable(entry.template_name),
         "its template is not one that libattest knows");
  } else if (!header_good) {
    fail(Code::kImaHeaderDigest, {}, to_hex(entry.header_digest),
         "its digest is not the digest of its data");
  }
  if (entry.pcr != pcr_) {
    fail(Code::kImaPcr, std::to_string(pcr_), std::to_string(entry.pcr),
         "it was extended into another PCR than the list's");
  }
}

bool ImaWalk::reached() const noexcept { return value() == targets_.front().value; }

void ImaWalk::settle(std::uint64_t covered) {
  covered_ = covered;
  for (const Target& target : targets_) {
    const bool native = target.native && replayed(target, replay_) == target.value;
    const bool padded = target.padded && replayed(target, padded_) == target.value;
    if (!native && !padded) differing_.push_back(target.bank);
  }
}

}  // namespace attest::verify
