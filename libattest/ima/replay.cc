// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/replay.h"

#include <algorithm>
#include <array>

#include "libattest/base/text.h"

namespace attest::ima {
namespace {

using crypto::Digest;
using crypto::Hash;

constexpr std::array<std::uint8_t, crypto::kMaxDigestSize> kZeros{};

Digest violation_of(std::size_t size, DigestMode mode) {
  constexpr std::size_t kSha1Size = 20;
  Digest d = Digest::filled(size, 0xff);
  if (mode == DigestMode::kPaddedOld)
    std::ranges::fill(d.resize(size).subspan(kSha1Size), std::uint8_t{0});
  return d;
}

}  // namespace

std::string_view name_of(DigestMode mode) noexcept {
  switch (mode) {
    case DigestMode::kNative:
      return "native";
    case DigestMode::kPadded:
      return "padded";
    case DigestMode::kPaddedOld:
      return "padded-old";
  }
  return "?";
}

Replay::Replay(Hash list_bank, std::span<const Hash> banks, DigestMode mode) {
  slot_of(list_bank);
  for (const Hash hash : banks) {
    const std::size_t size = crypto::hash_size(hash);
    const Hash source_hash = mode == DigestMode::kNative ? hash : Hash::kSha1;
    Rule rule{slot_of(hash), slot_of(source_hash),
              Bytes(kZeros).first(size - crypto::hash_size(source_hash)), violation_of(size, mode)};
    if (rule.source != 0 && std::ranges::find(sources_, rule.source) == sources_.end()) {
      sources_.push_back(rule.source);
    }
    rules_.push_back(rule);
    banks_.push_back({hash, mode, Digest::filled(size, 0)});
  }
}

void Replay::resume(Hash bank, const Digest& value) {
  std::ranges::find(banks_, bank, &BankState::hash)->value = value;
}

std::size_t Replay::slot_of(Hash hash) {
  const auto has = [hash](const Slot& slot) { return slot.hasher.algorithm() == hash; };
  const auto found = std::ranges::find_if(slots_, has);
  const auto place = static_cast<std::size_t>(found - slots_.begin());
  if (found == slots_.end()) slots_.emplace_back(hash);
  return place;
}

bool Replay::check_header(const Entry& entry) {
  if (entry.violation) return true;
  slots_[0].hash(entry.template_data);
  // Public data: the time that comparing takes tells nobody anything.
  return as_text(slots_[0].bytes()) == as_text(entry.header_digest) &&
         (entry.known || !entry.template_data.empty());
}

void Replay::extend(const Entry& entry) {
  if (!entry.violation) {
    for (const std::size_t source : sources_) slots_[source].hash(entry.template_data);
  }
  for (std::size_t i = 0; i < banks_.size(); ++i) {
    const Rule& rule = rules_[i];
    crypto::Hasher& hasher = slots_[rule.own].hasher;
    Digest& pcr = banks_[i].value;
    const auto out = pcr.resize(hasher.size());
    if (entry.violation) {
      hasher.into(out, {pcr.bytes(), rule.violation.bytes()});
    } else if (rule.padding.empty()) {
      hasher.into(out, {pcr.bytes(), slots_[rule.source].bytes()});
    } else {
      hasher.into(out, {pcr.bytes(), slots_[rule.source].bytes(), rule.padding});
    }
  }
}

}  // namespace attest::ima
