// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_status.h"

#include <catch2/catch.hpp>

#include "tests/support/parse_error.h"

using namespace attest::net;
using std::chrono::milliseconds;

namespace {

KeylimeStatus status_of(const std::string& json) {
  const auto document = attest::json::Document::parse(json, "answer");
  return read_status(document.root());
}

// An answer of a verifier that counts.
std::string counted(int state, int count, const std::string& more = "") {
  return R"({"operational_state": )" + std::to_string(state) + R"(, "attestation_count": )" +
         std::to_string(count) + more + "}";
}

// One of a verifier before 6.4.
KeylimeStatus uncounted(int state, const std::string& hash_alg = "sha256") {
  return status_of(R"({"operational_state": )" + std::to_string(state) + R"(, "hash_alg": ")" +
                   hash_alg + R"(", "last_event_id": null, "severity_level": null})");
}

const SettledState::Clock::time_point kStart{};

}  // namespace

TEST_CASE("each state has its verdict, with and without a counted attestation") {
  using enum KeylimeVerdict;
  struct Row {
    const char* name;
    KeylimeVerdict never;
    KeylimeVerdict counted;
  };
  const std::array<Row, 11> rows{{{"Registered", kPending, kPending},
                                  {"Start", kPending, kPending},
                                  {"Saved", kPending, kPending},
                                  {"Get Quote", kPending, kTrusted},
                                  {"Get Quote (retry)", kUnreachable, kUnreachable},
                                  {"Provide V", kPending, kTrusted},
                                  {"Provide V (retry)", kUnreachable, kUnreachable},
                                  {"Failed", kFailed, kFailed},
                                  {"Terminated", kNotAttested, kNotAttested},
                                  {"Invalid Quote", kFailed, kFailed},
                                  {"Tenant Quote Failed", kFailed, kFailed}}};
  for (int state = 0; state <= 10; ++state) {
    const Row& row = rows[static_cast<std::size_t>(state)];
    CHECK(state_name(static_cast<std::uint32_t>(state)) == row.name);
    CHECK(status_of(counted(state, 0)).verdict == row.never);
    CHECK(status_of(counted(state, 1)).verdict == row.counted);
    // Without a counter nothing is trusted at first sight.
    CHECK(uncounted(state).verdict == row.never);
  }
  CHECK(state_name(11).empty());
}

TEST_CASE("what 7.14 says of itself can take trust away and never gives it") {
  using enum KeylimeVerdict;
  const auto with = [](int state, int count, const char* word) {
    return status_of(
               counted(state, count, std::string(R"(, "attestation_status": ")") + word + '"'))
        .verdict;
  };
  CHECK(with(3, 1, "PASS") == kTrusted);
  CHECK(with(3, 1, "FAIL") == kFailed);
  CHECK(with(3, 1, "PENDING") == kPending);
  CHECK(with(3, 1, "TIMEOUT") == kUnreachable);
  CHECK(with(3, 0, "PASS") == kPending);
  CHECK(with(9, 5, "PASS") == kFailed);
  CHECK(with(4, 5, "PASS") == kUnreachable);
  CHECK(parse_error_of([&] { return with(3, 1, "OK"); }).find("/attestation_status") !=
        std::string::npos);
}

TEST_CASE("an answer that is not understood is no status") {
  for (const char* json :
       {"{}", "[]", "null", R"({"operational_state": null, "attestation_status": "PASS"})",
        R"({"operational_state": "3"})", R"({"operational_state": 11})",
        R"({"operational_state": -1})", R"({"operational_state": 3.0})",
        R"({"operational_state": true})", R"({"operational_state": 3, "attestation_count": "1"})",
        R"({"operational_state": 3, "attestation_count": null})",
        R"({"operational_state": 3, "attestation_count": -1})",
        R"({"operational_state": 3, "attestation_count": 1, "attestation_count": 0})",
        R"({"operational_state": 3, "last_event_id": 7})",
        R"({"operational_state": 3, "severity_level": 7})",
        R"({"operational_state": 3, "hash_alg": 3})",
        R"({"operational_state": 3, "attestation_count": 1, "attestation_status": 1})"}) {
    INFO(json);
    CHECK(parse_error_of([&] { return status_of(json); }) != "accepted");
  }
}

TEST_CASE("the last failure is passed on, escaped and cut") {
  const KeylimeStatus s =
      status_of(counted(9, 4, R"(, "last_event_id": "ima.pcr\nmismatch", "severity_level": 6)"));
  CHECK(s.last_event_id == "ima.pcr\\x0amismatch");
  CHECK(s.severity == 6U);
  CHECK(s.attestation_count == 4U);
  const std::string longer(1000, 'x');
  CHECK(status_of(counted(9, 0, R"(, "last_event_id": ")" + longer + '"')).last_event_id.size() <=
        203);  // and three dots
}

TEST_CASE("without a counter, a good state that lasts is trusted") {
  SettledState settled;
  CHECK(settled.judge(uncounted(1, ""), kStart).verdict == KeylimeVerdict::kPending);
  CHECK(settled.judge(uncounted(5), kStart).verdict == KeylimeVerdict::kPending);
  CHECK(settled.judge(uncounted(3), kStart + milliseconds(3999)).verdict ==
        KeylimeVerdict::kPending);
  CHECK(settled.judge(uncounted(3), kStart + milliseconds(4000)).verdict ==
        KeylimeVerdict::kTrusted);
}

TEST_CASE("without a counter, a good state without a quote is never trusted") {
  // An agent that does not answer: state 3 is stored while it is asked again and again.
  SettledState settled;
  for (int second = 0; second < 60; ++second) {
    CHECK(settled.judge(uncounted(3, ""), kStart + milliseconds(1000 * second)).verdict ==
          KeylimeVerdict::kPending);
  }
}

TEST_CASE("without a counter, whatever comes between begins the wait again") {
  for (const int between : {0, 1, 2, 4, 6, 7, 8, 9, 10}) {
    SettledState settled;
    (void)settled.judge(uncounted(3), kStart);
    const auto status = settled.judge(uncounted(between), kStart + milliseconds(2000));
    CHECK(status.verdict != KeylimeVerdict::kTrusted);
    CHECK(settled.judge(uncounted(3), kStart + milliseconds(5000)).verdict ==
          KeylimeVerdict::kPending);
    CHECK(settled.judge(uncounted(3), kStart + milliseconds(9000)).verdict ==
          KeylimeVerdict::kTrusted);
  }
}

TEST_CASE("a counter that says 0 is not outwaited") {
  SettledState settled;
  const KeylimeStatus never = status_of(counted(3, 0, R"(, "hash_alg": "sha256")"));
  (void)settled.judge(never, kStart);
  CHECK(settled.judge(never, kStart + milliseconds(60000)).verdict == KeylimeVerdict::kPending);
}

TEST_CASE("verdicts have names, and some are final") {
  using enum KeylimeVerdict;
  CHECK(verdict_name(kUnknown) == "unknown");
  CHECK(verdict_name(kTrusted) == "trusted");
  CHECK(verdict_name(kFailed) == "failed");
  CHECK(verdict_name(kPending) == "pending");
  CHECK(verdict_name(kUnreachable) == "unreachable");
  CHECK(verdict_name(kNotAttested) == "not-attested");
  CHECK(is_final(kTrusted));
  CHECK(is_final(kFailed));
  CHECK(is_final(kNotAttested));
  CHECK_FALSE(is_final(kPending));
  CHECK_FALSE(is_final(kUnreachable));
  CHECK_FALSE(is_final(kUnknown));
}
