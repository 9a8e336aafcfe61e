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
                 ima::DigestMode mode)
    : judge_(judge), pcr_(pcr), mode_(mode), reader_(*this) {
  targets_.push_back({bank, *quoted.find(bank, pcr)});
  for (const QuotedPcrs::Bank& other : quoted.banks()) {
    const Digest* value = quoted.find(other.hash, pcr);
    if (other.hash != bank && value != nullptr) targets_.push_back({other.hash, *value});
  }
  // A quote of the PCR's initial value covers no entry, whatever the list holds.
  if (targets_.front().value.all(0)) {
    for (const Target& target : targets_) {
      if (!target.value.all(0)) differing_.push_back(target.bank);
    }
    covered_ = 0;
  }
}

Digest ImaWalk::value() const noexcept {
  const Target& target = targets_.front();
  return replay_ ? value_of(*replay_, target.bank) : Digest::filled(target.value.size(), 0);
}

void ImaWalk::start() {
  std::vector<Hash> banks;
  std::vector<Hash> others;
  for (const Target& target : targets_) {
    banks.push_back(target.bank);
    if (target.bank != targets_.front().bank && target.bank != Hash::kSha1) {
      others.push_back(target.bank);
    }
  }
  const Hash list_bank = *reader_.bank();
  replay_.emplace(list_bank, banks, mode_);
  if (!others.empty() && mode_ == ima::DigestMode::kNative) {
    padded_.emplace(list_bank, others, ima::DigestMode::kPadded);
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

bool ImaWalk::reached() const noexcept {
  return value_of(*replay_, targets_.front().bank) == targets_.front().value;
}

void ImaWalk::settle(std::uint64_t covered) {
  covered_ = covered;
  for (const Target& target : targets_) {
    const bool native = value_of(*replay_, target.bank) == target.value;
    const bool padded = padded_ && target.bank != targets_.front().bank &&
                        target.bank != Hash::kSha1 &&
                        value_of(*padded_, target.bank) == target.value;
    if (!native && !padded) differing_.push_back(target.bank);
  }
}

}  // namespace attest::verify
