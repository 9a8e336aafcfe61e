// SPDX-License-Identifier: Apache-2.0

// What a verifier says of an agent, and what that is worth.

#ifndef LIBATTEST_NET_KEYLIME_STATUS_H_
#define LIBATTEST_NET_KEYLIME_STATUS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/json/value.h"

namespace attest::net {

// Numbers of the C ABI. Only kTrusted is good news.
enum class KeylimeVerdict : std::uint8_t {
  kUnknown = 0,
  kTrusted = 1,
  kFailed = 2,
  kPending = 3,      // no verdict yet
  kUnreachable = 4,  // the verifier does not reach the agent
  kNotAttested = 5,  // it no longer asks it
};
std::string_view verdict_name(KeylimeVerdict verdict) noexcept;  // "not-attested"

// keylime/common/states.py
inline constexpr std::uint32_t kMaxState = 10;
std::string_view state_name(std::uint32_t state) noexcept;  // "Get Quote"

struct KeylimeStatus {
  KeylimeVerdict verdict = KeylimeVerdict::kUnknown;
  std::uint32_t state = 0;
  std::optional<std::uint64_t> attestation_count;  // nothing before Keylime 6.4
  std::string last_event_id;                       // escaped and cut; "" when there is none
  std::optional<std::uint32_t> severity;           // 0 (info) to 6 (emergency)
  bool quoted = false;  // the verifier has seen a quote: it knows the algorithms of one
};

// The results of GET /agents/ID. State 3 ("Get Quote") alone proves nothing: it is stored, too,
// while the first quote of an agent that is not reached is asked for again. It is trusted with an
// attestation that was counted. Where there is no counter (before 6.4) it stays pending here, and
// SettledState decides. Throws ParseError for what is not such an answer: a push-mode agent, whose
// state is null, and unknown states among it.
KeylimeStatus read_status(const json::Value& results);

// For verifiers without a counter. A good state is trusted when it is seen twice, kSettle apart,
// with nothing else between, and the verifier has seen a quote both times: its stored state lags by
// one transition, and a failure would have replaced it. A rule of ours, not of Keylime's.
class SettledState {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kSettle{4000};  // twice Keylime's quote_interval

  // The status with the verdict that this rule gives it.
  KeylimeStatus judge(KeylimeStatus status, Clock::time_point now) noexcept;

 private:
  std::optional<Clock::time_point> good_since_;
};

// Whether waiting on may lead to another verdict.
bool is_final(KeylimeVerdict verdict) noexcept;

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_STATUS_H_
