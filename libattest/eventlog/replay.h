// SPDX-License-Identifier: Apache-2.0

// Replaying a log: what the PCRs are after its events, in every bank that it carries.

#ifndef LIBATTEST_EVENTLOG_REPLAY_H_
#define LIBATTEST_EVENTLOG_REPLAY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

inline constexpr std::uint32_t kNumPcrs = 24;

struct Bank {
  crypto::Hash hash{};
  std::array<crypto::Digest, kNumPcrs> pcrs;
};

struct Replay {
  std::vector<Bank> banks;
  std::array<std::uint32_t, kNumPcrs> num_extends{};  // events that were extended into each PCR
  std::uint8_t startup_locality = 0;                  // 4 after an H-CRTM event
  bool hcrtm = false;

  const Bank* find(crypto::Hash bank) const noexcept;
};

// For all of `banks`, each of which the log must carry (else
// std::invalid_argument). PCRs 17 to 22 start at zero, the value that a dynamic launch gives them,
// when the log has events for them, and at all ones when it has none (PFP; TXT: reference values of
// PCR 17 are those after a launch).
Replay replay(const Log& log, std::span<const crypto::Hash> banks);
// The same for every bank that the log carries and libattest computes.
Replay replay(const Log& log);

// What a PCR of 17 to 22 would be, had its events been extended by software and without the launch
// that sets it to zero. For words only: no value that this leads to is a launch's.
crypto::Digest replay_without_launch(const Log& log, crypto::Hash bank, std::uint32_t pcr);

// The value of a PCR that nothing was ever extended into: zero, and for PCRs 17 to 22 also all
// ones. For PCR 17 these alone: the launch that makes it zero extends it.
bool is_initial(std::uint32_t pcr, Bytes value) noexcept;

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_REPLAY_H_
