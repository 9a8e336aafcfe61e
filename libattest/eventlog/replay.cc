// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/replay.h"

#include <algorithm>
#include <stdexcept>

#include "libattest/eventlog/startup.h"
#include "libattest/eventlog/types.h"
#include "libattest/tpm/pcr.h"

namespace attest::eventlog {
namespace {

bool all_bytes(Bytes value, std::uint8_t byte) noexcept {
  return std::ranges::all_of(value, [=](std::uint8_t b) { return b == byte; });
}

// Extends one bank at a time, so that one digest context is reused.
class BankReplay {
 public:
  BankReplay(Bank& bank, std::size_t algorithm)
      : bank_(bank), algorithm_(algorithm), hasher_(bank.hash) {}

  void start(bool dynamic_launch) {
    for (std::uint32_t pcr = 0; pcr < kNumPcrs; ++pcr) {
      const bool ones = tpm::is_launch_pcr(pcr) && !dynamic_launch;
      bank_.pcrs[pcr] = crypto::Digest::filled(hasher_.size(), ones ? 0xff : 0x00);
    }
  }
  void set_locality(std::uint8_t locality) {
    bank_.pcrs[0].resize(hasher_.size()).back() = locality;
  }
  void extend(const Log& log, const Event& e) {
    const std::span<std::uint8_t> value = bank_.pcrs[e.pcr].resize(hasher_.size());
    hasher_.into(value, {value, log.digest(e, algorithm_)});
  }

 private:
  Bank& bank_;
  std::size_t algorithm_;
  crypto::Hasher hasher_;
};

}  // namespace

const Bank* Replay::find(crypto::Hash bank) const noexcept {
  const auto it = std::ranges::find(banks, bank, &Bank::hash);
  return it == banks.end() ? nullptr : &*it;
}

Replay replay(const Log& log, std::span<const crypto::Hash> banks) {
  Replay out;
  for (const crypto::Hash hash : banks) {
    if (!log.find(hash)) throw std::invalid_argument("the event log does not carry this bank");
    out.banks.push_back({hash, {}});
  }
  bool dynamic_launch = false;
  for (const Event& e : log.events()) {
    if (!is_extended(e)) continue;
    ++out.num_extends[e.pcr];
    dynamic_launch |= tpm::is_launch_pcr(e.pcr);
  }
  std::vector<BankReplay> replays;
  replays.reserve(out.banks.size());
  for (Bank& bank : out.banks) {
    replays.emplace_back(bank, *log.find(bank.hash)).start(dynamic_launch);
  }
  Startup startup;
  for (const Event& e : log.events()) {
    const bool locality = startup.feed(e).step == Startup::Step::kApplied;
    for (BankReplay& bank : replays) {
      if (locality) bank.set_locality(startup.locality());
      if (is_extended(e)) bank.extend(log, e);
    }
  }
  out.startup_locality = startup.locality();
  out.hcrtm = startup.hcrtm();
  return out;
}

Replay replay(const Log& log) {
  std::vector<crypto::Hash> banks;
  for (const Algorithm& a : log.algorithms()) {
    if (a.hash) banks.push_back(*a.hash);
  }
  return replay(log, banks);
}

crypto::Digest replay_without_launch(const Log& log, crypto::Hash bank, std::uint32_t pcr) {
  const std::optional<std::size_t> algorithm = log.find(bank);
  if (!algorithm) throw std::invalid_argument("the event log does not carry this bank");
  crypto::Hasher hasher(bank);
  crypto::Digest value = crypto::Digest::filled(hasher.size(), 0xff);
  for (const Event& e : log.events()) {
    if (!is_extended(e) || e.pcr != pcr) continue;
    value = hasher({value.bytes(), log.digest(e, *algorithm)});
  }
  return value;
}

bool is_initial(std::uint32_t pcr, Bytes value) noexcept {
  if (value.empty() || pcr >= kNumPcrs) return false;
  return (all_bytes(value, 0x00) && pcr != tpm::kLaunchPcr) ||
         (tpm::is_launch_pcr(pcr) && all_bytes(value, 0xff));
}

}  // namespace attest::eventlog
