// SPDX-License-Identifier: Apache-2.0

#include "libattest/host_verdicts.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/abi/api/calls.h"

namespace {

constexpr double kNow = 1'800'000'000;
constexpr double kMonotonic = 5'000;
const double kNoTime = std::nan("");

attest_host_verdict verdict_on(const std::string& name, attest_verdict verdict,
                               double measured_at = kNow) {
  return {name.data(), name.size(), verdict, measured_at};
}

void make(HostVerdicts& verdicts, double ttl = 60) {
  attest_host_verdicts_options options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
  options.ttl = ttl;
  REQUIRE(attest_host_verdicts_new(verdicts.place(), &options) == ATTEST_OK);
}

attest_status put(const HostVerdicts& verdicts, const std::vector<attest_host_verdict>& answers) {
  return attest_host_verdicts_put(verdicts.get(), answers.data(), answers.size(), kNow, kMonotonic);
}

// What an earlier call may have left in the caller's arrays.
struct Asked {
  explicit Asked(std::vector<std::string> asked)
      : names(std::move(asked)),
        reasons(names.size(), ATTEST_HOST_TRUSTED),
        to_fetch(names.size(), 99) {
    for (const std::string& name : names) list.push_back({name.data(), name.size()});
  }
  attest_status decide(const HostVerdicts& verdicts, double now = kNow,
                       double monotonic = kMonotonic) {
    return attest_host_verdicts_decide(reasons.data(), to_fetch.data(), &num_to_fetch,
                                       verdicts.get(), list.data(), list.size(), now, monotonic);
  }
  void check_nothing() const {
    CHECK(std::count(reasons.begin(), reasons.end(), ATTEST_HOST_MISSING) ==
          static_cast<std::ptrdiff_t>(reasons.size()));
    CHECK(num_to_fetch == 0);
  }

  const std::vector<std::string> names;
  std::vector<attest_host_name> list;
  std::vector<std::uint8_t> reasons;
  std::vector<std::size_t> to_fetch;
  std::size_t num_to_fetch = 77;
};

}  // namespace

TEST_CASE("a list of hosts is decided, and what is not known is to be fetched") {
  HostVerdicts verdicts;
  make(verdicts);
  const std::string a = "a", b = "b", c = "c", d = "d";
  REQUIRE(
      put(verdicts, {verdict_on(a, ATTEST_VERDICT_TRUSTED), verdict_on(b, ATTEST_VERDICT_UNTRUSTED),
                     verdict_on(c, ATTEST_VERDICT_UNKNOWN, kNoTime),
                     verdict_on(d, ATTEST_VERDICT_TRUSTED, kNoTime)}) == ATTEST_OK);
  CHECK(attest_host_verdicts_count(verdicts.get()) == 4);
  Asked asked({"x", "d", "c", "b", "a", "x", "", "y"});
  REQUIRE(asked.decide(verdicts) == ATTEST_OK);
  CHECK(asked.reasons == std::vector<std::uint8_t>{ATTEST_HOST_MISSING, ATTEST_HOST_NO_TIME,
                                                   ATTEST_HOST_UNKNOWN, ATTEST_HOST_UNTRUSTED,
                                                   ATTEST_HOST_TRUSTED, ATTEST_HOST_MISSING,
                                                   ATTEST_HOST_INVALID_NAME, ATTEST_HOST_MISSING});
  REQUIRE(asked.num_to_fetch == 2);
  CHECK(asked.to_fetch[0] == 0);
  CHECK(asked.to_fetch[1] == 7);
  REQUIRE(asked.decide(verdicts, kNow + 60, kMonotonic + 60) == ATTEST_OK);
  CHECK(asked.reasons[4] == ATTEST_HOST_EXPIRED);
  attest_host_verdicts_clear(verdicts.get());
  CHECK(attest_host_verdicts_count(verdicts.get()) == 0);
  REQUIRE(asked.decide(verdicts) == ATTEST_OK);
  CHECK(asked.reasons[4] == ATTEST_HOST_MISSING);
}

TEST_CASE("options that were not set trust nobody") {
  HostVerdicts verdicts;
  const attest_host_verdicts_options options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
  REQUIRE(attest_host_verdicts_new(verdicts.place(), &options) == ATTEST_OK);
  const std::string a = "a";
  REQUIRE(put(verdicts, {verdict_on(a, ATTEST_VERDICT_TRUSTED)}) == ATTEST_OK);
  Asked asked({a});
  REQUIRE(asked.decide(verdicts) == ATTEST_OK);
  CHECK(asked.reasons[0] == ATTEST_HOST_EXPIRED);
  // Nor does an answer that was not filled in.
  make(verdicts);
  attest_host_verdict empty{};
  empty.name = a.data();
  empty.name_len = a.size();
  REQUIRE(put(verdicts, {empty}) == ATTEST_OK);
  REQUIRE(asked.decide(verdicts) == ATTEST_OK);
  CHECK(asked.reasons[0] == ATTEST_HOST_UNKNOWN);
}

TEST_CASE("no names and no answers are no mistake") {
  HostVerdicts verdicts;
  make(verdicts);
  std::size_t num_to_fetch = 7;
  CHECK(attest_host_verdicts_put(verdicts.get(), nullptr, 0, kNow, kMonotonic) == ATTEST_OK);
  CHECK(attest_host_verdicts_decide(nullptr, nullptr, &num_to_fetch, verdicts.get(), nullptr, 0,
                                    kNow, kMonotonic) == ATTEST_OK);
  CHECK(num_to_fetch == 0);
}

TEST_CASE("an answer that is none is refused with all that came with it") {
  HostVerdicts verdicts;
  make(verdicts);
  const std::string a = "a";
  const attest_host_verdict good = verdict_on(a, ATTEST_VERDICT_TRUSTED);
  for (const int number : {-1, 3, 1000000}) {
    check_failed(put(verdicts, {good, verdict_on(a, any<attest_verdict>(number))}),
                 ATTEST_E_ARGUMENT, "verdict");
  }
  const std::string nothing, longer(256, 'x');
  for (const attest_host_verdict& bad :
       {verdict_on(nothing, ATTEST_VERDICT_TRUSTED), verdict_on(longer, ATTEST_VERDICT_TRUSTED)}) {
    check_failed(put(verdicts, {good, bad}), ATTEST_E_ARGUMENT, "255 bytes");
  }
  attest_host_verdict null = good;
  null.name = nullptr;
  check_failed(put(verdicts, {good, null}), ATTEST_E_ARGUMENT, "NULL");
  CHECK(attest_host_verdicts_count(verdicts.get()) == 0);
}

TEST_CASE("after a failed decision nothing is trusted and nothing is to be fetched") {
  HostVerdicts verdicts, none;
  make(verdicts);
  const std::string a = "a";
  REQUIRE(put(verdicts, {verdict_on(a, ATTEST_VERDICT_TRUSTED)}) == ATTEST_OK);
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {kNoTime, infinite, -infinite}) {
    Asked asked({a});
    check_failed(asked.decide(verdicts, bad), ATTEST_E_ARGUMENT, "now");
    asked.check_nothing();
    Asked again({a});
    check_failed(again.decide(verdicts, kNow, bad), ATTEST_E_ARGUMENT, "monotonic");
    again.check_nothing();
    check_failed(attest_host_verdicts_put(verdicts.get(), nullptr, 0, bad, 1), ATTEST_E_ARGUMENT,
                 "now");
    check_failed(attest_host_verdicts_put(verdicts.get(), nullptr, 0, 1, bad), ATTEST_E_ARGUMENT,
                 "monotonic");
  }
  Asked asked({a});
  check_failed(asked.decide(none), ATTEST_E_ARGUMENT, "verdicts is NULL");
  asked.check_nothing();
  Asked null({a});
  null.list[0].name = nullptr;
  check_failed(null.decide(verdicts), ATTEST_E_ARGUMENT, "NULL");
  null.check_nothing();
}

TEST_CASE("NULLs in calls about hosts are the caller's mistake") {
  HostVerdicts verdicts;
  make(verdicts);
  auto* out = rubbish<attest_host_verdicts>();
  check_failed(attest_host_verdicts_new(nullptr, nullptr), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_host_verdicts_new(&out, nullptr), ATTEST_E_ARGUMENT, "options is NULL");
  CHECK(out == nullptr);
  const attest_host_name name{"a", 1};
  std::uint8_t reason = ATTEST_HOST_TRUSTED;
  std::size_t index = 0, count = 7;
  const auto decide = [&](std::uint8_t* reasons, std::size_t* to_fetch, std::size_t* num,
                          const attest_host_name* names) {
    return attest_host_verdicts_decide(reasons, to_fetch, num, verdicts.get(), names, 1, kNow,
                                       kMonotonic);
  };
  check_failed(decide(nullptr, &index, &count, &name), ATTEST_E_ARGUMENT, "reasons is NULL");
  CHECK(count == 0);
  check_failed(decide(&reason, nullptr, &count, &name), ATTEST_E_ARGUMENT, "to_fetch is NULL");
  CHECK(reason == ATTEST_HOST_MISSING);
  reason = ATTEST_HOST_TRUSTED;
  check_failed(decide(&reason, &index, nullptr, &name), ATTEST_E_ARGUMENT, "num_to_fetch is NULL");
  CHECK(reason == ATTEST_HOST_MISSING);
  check_failed(decide(&reason, &index, &count, nullptr), ATTEST_E_ARGUMENT, "names is NULL");
  check_failed(attest_host_verdicts_put(nullptr, nullptr, 0, kNow, kMonotonic), ATTEST_E_ARGUMENT,
               "verdicts is NULL");
  check_failed(attest_host_verdicts_put(verdicts.get(), nullptr, 1, kNow, kMonotonic),
               ATTEST_E_ARGUMENT, "answers is NULL");
  attest_host_verdicts_clear(nullptr);
  CHECK(attest_host_verdicts_count(nullptr) == 0);
}

TEST_CASE("options that make no sense, and structures whose size was not set, are refused") {
  auto* out = rubbish<attest_host_verdicts>();
  attest_host_verdicts_options options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
  std::string words;
  SECTION("a negative ttl") { options.ttl = -1, words = "ttl"; }
  SECTION("a ttl that is no number") { options.ttl = kNoTime, words = "ttl"; }
  SECTION("an endless ttl") { options.ttl = HUGE_VAL, words = "ttl"; }
  SECTION("a negative skew") { options.skew = -1, words = "skew"; }
  SECTION("an endless skew") { options.skew = HUGE_VAL, words = "skew"; }
  SECTION("no room") { options.limit = 0, words = "limit"; }
  SECTION("no size") { options.size = 0, words = "options.size"; }
  SECTION("half a size") { options.size = 8, words = "options.size"; }
  check_failed(attest_host_verdicts_new(&out, &options), ATTEST_E_ARGUMENT, words);
  CHECK(out == nullptr);
}

TEST_CASE("reasons have names") {
  CHECK(attest_host_reason_name(ATTEST_HOST_TRUSTED) == std::string("trusted"));
  CHECK(attest_host_reason_name(ATTEST_HOST_INVALID_NAME) == std::string("invalid-name"));
  CHECK(attest_host_reason_name(any<attest_host_reason>(8)) == std::string("?"));
  CHECK(attest_host_reason_name(any<attest_host_reason>(-1)) == std::string("?"));
}
