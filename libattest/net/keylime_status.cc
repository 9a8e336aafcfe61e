// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_status.h"

#include <array>
#include <limits>

#include "libattest/base/text.h"

namespace attest::net {
namespace {

struct State {
  std::string_view name;
  KeylimeVerdict verdict;  // trusted: when an attestation was counted
};

constexpr std::array<State, kMaxState + 1> kStates{{
    {"Registered", KeylimeVerdict::kPending},
    {"Start", KeylimeVerdict::kPending},
    {"Saved", KeylimeVerdict::kPending},
    {"Get Quote", KeylimeVerdict::kTrusted},
    {"Get Quote (retry)", KeylimeVerdict::kUnreachable},
    {"Provide V", KeylimeVerdict::kTrusted},
    {"Provide V (retry)", KeylimeVerdict::kUnreachable},
    {"Failed", KeylimeVerdict::kFailed},
    {"Terminated", KeylimeVerdict::kNotAttested},
    {"Invalid Quote", KeylimeVerdict::kFailed},
    {"Tenant Quote Failed", KeylimeVerdict::kFailed},
}};

bool is_good(std::uint32_t state) noexcept {
  return kStates[state].verdict == KeylimeVerdict::kTrusted;
}

// Text that may be null or absent.
std::string optional_text(const json::Value& results, std::string_view key) {
  constexpr std::size_t kMax = 200;
  const auto value = results.find(key);
  return value && !value->is_null() ? printable(value->string(), kMax) : std::string();
}

// 7.14's own word, which it makes from the state. It can only take trust away.
KeylimeVerdict hold_against(const json::Value& results, KeylimeVerdict verdict) {
  const auto value = results.find("attestation_status");
  if (!value || value->is_null()) return verdict;
  const std::string_view word = value->string();
  if (word != "PASS" && word != "FAIL" && word != "PENDING" && word != "TIMEOUT") {
    value->fail("is not PASS, FAIL, PENDING or TIMEOUT");
  }
  if (verdict != KeylimeVerdict::kTrusted || word == "PASS") return verdict;
  if (word == "FAIL") return KeylimeVerdict::kFailed;
  return word == "TIMEOUT" ? KeylimeVerdict::kUnreachable : KeylimeVerdict::kPending;
}

}  // namespace

std::string_view verdict_name(KeylimeVerdict verdict) noexcept {
  switch (verdict) {
    case KeylimeVerdict::kUnknown:
      return "unknown";
    case KeylimeVerdict::kTrusted:
      return "trusted";
    case KeylimeVerdict::kFailed:
      return "failed";
    case KeylimeVerdict::kPending:
      return "pending";
    case KeylimeVerdict::kUnreachable:
      return "unreachable";
    case KeylimeVerdict::kNotAttested:
      return "not-attested";
  }
  return "";
}

std::string_view state_name(std::uint32_t state) noexcept {
  return state <= kMaxState ? kStates[state].name : std::string_view();
}

KeylimeStatus read_status(const json::Value& results) {
  constexpr std::uint64_t kMostSevere = 6;
  KeylimeStatus out;
  const json::Value state = results.at("operational_state");
  if (state.is_null()) state.fail("is null: an agent in push mode, which this client does not ask");
  out.state = static_cast<std::uint32_t>(state.number(kMaxState));
  if (const auto count = results.find("attestation_count")) {
    out.attestation_count = count->number(std::numeric_limits<std::uint64_t>::max());
  }
  out.last_event_id = optional_text(results, "last_event_id");
  if (const auto severity = results.find("severity_level"); severity && !severity->is_null()) {
    out.severity = static_cast<std::uint32_t>(severity->number(kMostSevere));
  }
  out.quoted = !optional_text(results, "hash_alg").empty();
  out.verdict = kStates[out.state].verdict;
  if (out.verdict == KeylimeVerdict::kTrusted && out.attestation_count.value_or(0) == 0) {
    out.verdict = KeylimeVerdict::kPending;
  }
  out.verdict = hold_against(results, out.verdict);
  return out;
}

KeylimeStatus SettledState::judge(KeylimeStatus status, Clock::time_point now) noexcept {
  const bool good = is_good(status.state) && status.quoted &&
                    status.verdict == KeylimeVerdict::kPending && !status.attestation_count;
  if (!good) {
    good_since_.reset();
  } else if (!good_since_) {
    good_since_ = now;
  } else if (now - *good_since_ >= kSettle) {
    status.verdict = KeylimeVerdict::kTrusted;
  }
  return status;
}

bool is_final(KeylimeVerdict verdict) noexcept {
  return verdict == KeylimeVerdict::kTrusted || verdict == KeylimeVerdict::kFailed ||
         verdict == KeylimeVerdict::kNotAttested;
}

}  // namespace attest::net
