// SPDX-License-Identifier: Apache-2.0

// Reading what an OAT server answers to PollHosts. Lenient about the shapes that servers sent,
// strict about what they mean: an answer that is not understood as a whole is no answer, and a host
// about which anything is missing, unknown or contradictory is not trusted.

#ifndef LIBATTEST_NET_OAT_ANSWER_H_
#define LIBATTEST_NET_OAT_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace attest::net {

enum class OatVerdict : std::uint8_t { kUnknown = 0, kTrusted = 1, kUntrusted = 2 };

// Why a host has the verdict that it has. The numbers are attest_oat_reason's.
enum class OatReason : std::uint8_t {
  kAnswered = 0,       // the server says so
  kNameRefused = 1,    // it was not asked about
  kNotAnswered = 2,    // the answer does not have it
  kSaysUnknown = 3,    // the server's own words: it does not know
  kSaysTimeout = 4,    // it waited in vain for the host
  kSaysPending = 5,    // it has no answer yet
  kLevel = 6,          // its level is none of the five words
  kNoTime = 7,         // a level without a time
  kTime = 8,           // its time is of no form that is known
  kFuture = 9,         // its time is not yet
  kContradiction = 10  // entries that say different things: the worst of them
};
inline constexpr std::size_t kNumOatReasons = 11;

std::string_view reason_name(OatReason reason) noexcept;  // "not-answered"; literals

struct OatHost {
  std::string name;
  OatVerdict verdict = OatVerdict::kUnknown;
  OatReason reason = OatReason::kNotAnswered;
  std::optional<std::int64_t> measured_at{};  // seconds since 1970-01-01 UTC; never with kUnknown
};

// How far a server's clock may be ahead of ours.
inline constexpr std::int64_t kOatClockSkew = 30;

// Reads {"hosts": [{"host_name", "trust_lvl", "vtime"}, ...]}, {"hosts": {name: {"trust_lvl",
// "timestamp"}}} or either as {"PollHosts": {...}}, and fills in `asked`, whose names are all
// different. Of several entries of one host the worst counts (untrusted, unknown, trusted), and of
// those that agree the oldest. `now`: seconds since 1970-01-01 UTC. Returns how many entries are
// about hosts that were not asked for. Throws ParseError, and has changed nothing then.
std::size_t read_poll_answer(std::string_view body, std::int64_t now, std::span<OatHost> asked);

// Why, in the server's own words, as they are: {"error_code", "error_message"}; "" when it does not
// say.
std::string poll_refusal_words(std::string_view body);

}  // namespace attest::net

#endif  // LIBATTEST_NET_OAT_ANSWER_H_
