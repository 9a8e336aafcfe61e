// SPDX-License-Identifier: Apache-2.0

#include "libattest/cache/host_verdicts.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace attest::cache;
using Settings = HostVerdicts::Settings;

namespace {

constexpr double kTtl = 60;
constexpr double kSkew = 30;
constexpr Moment kStart{1'800'000'000, 5'000};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The same moment, later on both clocks.
Moment after(double seconds) { return {kStart.now + seconds, kStart.monotonic + seconds}; }
// The wall clock was set; the other one was not.
Moment wall_set_by(double seconds, double after = 0) {
  return {kStart.now + after + seconds, kStart.monotonic + after};
}

HostVerdict trusted(std::string_view name, double measured = 0) {
  return {name, Verdict::kTrusted, kStart.now + measured};
}
HostVerdict untrusted(std::string_view name, double measured = 0) {
  return {name, Verdict::kUntrusted, kStart.now + measured};
}
HostVerdict unknown(std::string_view name) { return {name, Verdict::kUnknown, std::nullopt}; }

struct Cache : HostVerdicts {
  explicit Cache(double ttl = kTtl, std::size_t limit = 1000, std::uint64_t seed = 7)
      : HostVerdicts(Settings{ttl, kSkew, limit, seed}) {}

  void store(const std::vector<HostVerdict>& verdicts, Moment at = kStart) { put(verdicts, at); }
  Decision ask(const std::vector<std::string_view>& names, Moment at = kStart) const {
    return decide(names, at);
  }
  Reason reason(std::string_view name, Moment at = kStart) const {
    return ask({name}, at).reasons.at(0);
  }
  bool fetches(std::string_view name, Moment at = kStart) const {
    return !ask({name}, at).to_fetch.empty();
  }
};

using Indices = std::vector<std::size_t>;
using Reasons = std::vector<Reason>;

}  // namespace

TEST_CASE("a verdict is given back for its own host, and what is missing is fetched") {
  Cache cache;
  cache.store({trusted("a"), untrusted("b"), unknown("c")});
  const Decision d = cache.ask({"d", "c", "b", "a"});
  CHECK(d.reasons ==
        Reasons{Reason::kMissing, Reason::kUnknown, Reason::kUntrusted, Reason::kTrusted});
  CHECK(d.to_fetch == Indices{0});
  CHECK(cache.size() == 3);
}

TEST_CASE("an empty list and an empty cache are no special cases") {
  Cache cache;
  CHECK(cache.ask({}).reasons.empty());
  CHECK(cache.ask({"a"}).reasons == Reasons{Reason::kMissing});
  cache.store({});
  CHECK(cache.size() == 0);
}

TEST_CASE("a name is asked for several times and fetched once, in the order of asking") {
  Cache cache;
  cache.store({trusted("known")});
  const Decision d = cache.ask({"b", "a", "b", "known", "a", "b"});
  CHECK(d.to_fetch == Indices{0, 1});
  CHECK(d.reasons.size() == 6);
  CHECK(d.reasons[3] == Reason::kTrusted);
}

TEST_CASE("a verdict holds up to its ttl and not a moment more") {
  Cache cache;
  cache.store({trusted("a"), untrusted("b"), unknown("c")});
  for (const std::string_view name : {"a", "b", "c"}) {
    CAPTURE(name);
    CHECK_FALSE(cache.fetches(name, after(kTtl - 0.001)));
    CHECK(cache.reason(name, after(kTtl)) == Reason::kExpired);
    CHECK(cache.fetches(name, after(kTtl)));
    CHECK(cache.reason(name, after(1e9)) == Reason::kExpired);
  }
}

TEST_CASE("the server's time ends a verdict before its receipt does") {
  Cache cache;
  cache.store({trusted("a", -45)});
  CHECK(cache.reason("a", after(14.999)) == Reason::kTrusted);
  CHECK(cache.reason("a", after(15)) == Reason::kExpired);
  CHECK(cache.fetches("a", after(15)));
}

TEST_CASE("the receipt ends a verdict before the server's time does") {
  Cache cache;
  cache.store({trusted("a", +20)});
  CHECK(cache.reason("a", after(59.999)) == Reason::kTrusted);
  CHECK(cache.reason("a", after(60)) == Reason::kExpired);
}

TEST_CASE("a wall clock that is set back does not make trust last longer") {
  Cache cache;
  cache.store({trusted("a"), trusted("old", -45)});
  CHECK(cache.reason("a", wall_set_by(-25, 59)) == Reason::kTrusted);
  CHECK(cache.reason("a", wall_set_by(-25, 60)) == Reason::kExpired);
  // 15 s were left when it came. An hour ago by the wall clock, it is not even measured.
  CHECK(cache.reason("old", wall_set_by(-25, 14)) == Reason::kTrusted);
  CHECK(cache.reason("old", wall_set_by(-25, 15)) == Reason::kExpired);
  CHECK(cache.reason("a", wall_set_by(-3600, 1)) == Reason::kFutureTime);
  CHECK(cache.fetches("a", wall_set_by(-3600, 1)));
  CHECK(cache.reason("a", wall_set_by(-3600, 61)) == Reason::kExpired);
}

TEST_CASE("a wall clock that is set forward ends trust at once") {
  Cache cache;
  cache.store({trusted("a"), untrusted("b"), unknown("c")});
  CHECK(cache.reason("a", wall_set_by(60, 1)) == Reason::kExpired);
  CHECK(cache.reason("b", wall_set_by(60, 1)) == Reason::kExpired);
  // What has no time of a server keeps that of its receipt.
  CHECK(cache.reason("c", wall_set_by(60, 1)) == Reason::kUnknown);
}

TEST_CASE("a monotonic clock is believed a little behind, and is another clock far behind") {
  Cache cache;
  cache.store({trusted("a"), unknown("b")});
  CHECK(cache.reason("a", {kStart.now, kStart.monotonic - kSkew}) == Reason::kTrusted);
  CHECK(cache.reason("a", {kStart.now, kStart.monotonic - kSkew - 1}) == Reason::kExpired);
  CHECK(cache.reason("b", {kStart.now, 0}) == Reason::kExpired);
  CHECK(cache.fetches("b", {kStart.now, 0}));
}

TEST_CASE("a time in the future is refused beyond the skew, and not fetched again at once") {
  const double measured = GENERATE(kSkew + 0.001, 3600.0, 1e9, 1e300, kInfinite);
  Cache cache;
  cache.store({trusted("a", measured), untrusted("b", measured)});
  for (const std::string_view name : {"a", "b"}) {
    CHECK(cache.reason(name) == Reason::kFutureTime);
    CHECK_FALSE(cache.fetches(name, after(kTtl - 1)));
    CHECK(cache.reason(name, after(kTtl)) == Reason::kExpired);
    // Its time comes, and it is still not believed.
    if (std::isfinite(measured)) {
      CHECK(cache.reason(name, wall_set_by(measured, 1)) == Reason::kFutureTime);
    }
  }
}

TEST_CASE("the skew itself is allowed") {
  Cache cache;
  cache.store({trusted("a", kSkew)});
  CHECK(cache.reason("a") == Reason::kTrusted);
}

TEST_CASE(
    "a verdict that was too old when it came is not believed, and not fetched again at once") {
  const double measured = GENERATE(-kTtl, -1e6, -1e300, -kInfinite);
  Cache cache;
  cache.store({trusted("a", measured), untrusted("b", measured)});
  for (const std::string_view name : {"a", "b"}) {
    CHECK(cache.reason(name) == Reason::kExpired);
    CHECK_FALSE(cache.fetches(name));
    // Nor when the wall clock is set back to when it was young.
    CHECK(cache.reason(name, wall_set_by(std::isfinite(measured) ? measured : 0, 1)) ==
          Reason::kExpired);
    CHECK(cache.fetches(name, after(kTtl)));
  }
}

TEST_CASE("a verdict without a time is no verdict") {
  Cache cache;
  cache.store({{"a", Verdict::kTrusted, std::nullopt}, {"b", Verdict::kUntrusted, std::nullopt}});
  for (const std::string_view name : {"a", "b"}) {
    CHECK(cache.reason(name) == Reason::kNoTime);
    CHECK_FALSE(cache.fetches(name));
    CHECK(cache.reason(name, after(kTtl)) == Reason::kExpired);
  }
  cache.store({{"a", Verdict::kTrusted, kNan}});
  CHECK(cache.reason("a") == Reason::kFutureTime);
}

TEST_CASE("with a ttl of 0 nothing ever holds") {
  Cache cache(0);
  cache.store({trusted("a"), untrusted("b"), unknown("c"), trusted("d", kSkew)});
  for (const std::string_view name : {"a", "b", "c", "d"}) {
    CAPTURE(name);
    for (const double seconds : {-1.0, 0.0, 0.001}) {
      CHECK(cache.reason(name, after(seconds)) == Reason::kExpired);
      CHECK(cache.fetches(name, after(seconds)));
    }
  }
}

TEST_CASE("of several verdicts on a host in a batch the worst counts, in any order") {
  std::vector<HostVerdict> batch{trusted("a"), unknown("a")};
  Reason worst = Reason::kUnknown;
  SECTION("an unknown one among them") {}
  SECTION("an untrusted one among them") {
    batch.push_back(untrusted("a"));
    worst = Reason::kUntrusted;
  }
  SECTION("a trusted one in the future") {
    batch = {trusted("a"), trusted("a", 3600)};
    worst = Reason::kFutureTime;
  }
  SECTION("one without a time") {
    batch = {trusted("a"), {"a", Verdict::kTrusted, std::nullopt}};
    worst = Reason::kNoTime;
  }
  SECTION("an old one") {
    batch = {trusted("a"), trusted("a", -kTtl)};
    worst = Reason::kExpired;
  }
  const auto by_reason = [](const HostVerdict& a, const HostVerdict& b) {
    return std::pair(a.verdict, a.measured_at) < std::pair(b.verdict, b.measured_at);
  };
  std::sort(batch.begin(), batch.end(), by_reason);
  do {
    Cache cache;
    cache.store(batch);
    CHECK(cache.reason("a") == worst);
    CHECK(cache.size() == 1);
  } while (std::next_permutation(batch.begin(), batch.end(), by_reason));
}

TEST_CASE("of several equal verdicts the one that ends first counts") {
  for (const auto& batch : {std::vector{trusted("a", -50), trusted("a")},
                            std::vector{trusted("a"), trusted("a", -50)}}) {
    Cache cache;
    cache.store(batch);
    CHECK(cache.reason("a", after(9)) == Reason::kTrusted);
    CHECK(cache.reason("a", after(10)) == Reason::kExpired);
  }
}

TEST_CASE("the worst of a batch counts although the cache is too small for the batch") {
  Cache cache(kTtl, 1);
  cache.store({untrusted("a"), trusted("b"), trusted("c"), trusted("a")});
  CHECK(cache.size() == 1);
  CHECK(cache.reason("a") != Reason::kTrusted);
}

TEST_CASE("a later batch replaces an earlier one") {
  Cache cache;
  cache.store({trusted("a"), untrusted("b"), trusted("c")});
  cache.store({unknown("a"), trusted("b", 1), untrusted("c", -10)}, after(2));
  CHECK(cache.reason("a", after(2)) == Reason::kUnknown);
  CHECK(cache.reason("b", after(2)) == Reason::kTrusted);
  CHECK(cache.reason("c", after(2)) == Reason::kUntrusted);
  CHECK(cache.reason("a", after(kTtl)) == Reason::kUnknown);
  cache.store({unknown("c")}, after(3));
  CHECK(cache.reason("c", after(3)) == Reason::kUnknown);
}

TEST_CASE("a trusted verdict that was overtaken by an untrusted one does not replace it") {
  Cache cache;
  cache.store({untrusted("a", -5)});
  cache.store({trusted("a", -6)}, after(1));
  CHECK(cache.reason("a", after(1)) == Reason::kUntrusted);
  // As old, it may be newer: servers round.
  cache.store({trusted("a", -5)}, after(1));
  CHECK(cache.reason("a", after(1)) == Reason::kTrusted);
  // What does not hold any more does not stand in the way of what does, as when the server's clock
  // was set back.
  cache.store({untrusted("b", 20)});
  cache.store({trusted("b", 19)}, after(61));
  CHECK(cache.reason("b", after(61)) == Reason::kTrusted);
}

TEST_CASE("names are bytes: nothing but the very name is answered for") {
  using namespace std::string_view_literals;
  Cache cache;
  cache.store({trusted("host"), trusted("a\0b"sv), trusted("0123456789abcdef")});
  for (const std::string_view other :
       {"Host"sv, "hos"sv, "host."sv, "host\0"sv, "\0host"sv, " host"sv, "host "sv, "a"sv, "a\0"sv,
        "a\0c"sv, "a\0b\0"sv, "89abcdef01234567"sv, "h\xc3\xb6st"sv}) {
    CAPTURE(other);
    CHECK(cache.reason(other) == Reason::kMissing);
  }
  CHECK(cache.reason("a\0b"sv) == Reason::kTrusted);
}

TEST_CASE("hosts whose names have one hash are not mixed up") {
  // Without a seed, all names of fewer than eight bytes and one length have.
  REQUIRE(attest::seeded_hash("h000", 0) == attest::seeded_hash("h999", 0));
  Cache cache(kTtl, 50, 0);
  std::vector<std::string> names;
  for (int i = 100; i < 200; ++i) names.push_back("h" + std::to_string(i));
  std::vector<HostVerdict> batch;
  for (std::size_t i = 0; i < 50; ++i) {
    batch.push_back(i % 3 == 0 ? trusted(names[i]) : untrusted(names[i]));
  }
  cache.store(batch);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Reason known = i % 3 == 0 ? Reason::kTrusted : Reason::kUntrusted;
    CHECK(cache.reason(names[i]) == (i < 50 ? known : Reason::kMissing));
  }
  cache.store({trusted(names[99])});  // the first one is forgotten, and no other
  CHECK(cache.reason(names[0]) == Reason::kMissing);
  CHECK(cache.reason(names[3]) == Reason::kTrusted);
}

TEST_CASE("a name that is none is never trusted, never fetched, and never stored") {
  Cache cache;
  const std::string longest(kMaxHostName, 'x');
  cache.store({trusted(longest)});
  CHECK(cache.reason(longest) == Reason::kTrusted);
  for (const std::string& none : {std::string(), longest + "x", std::string(1 << 20, 'x')}) {
    CHECK(cache.reason(none) == Reason::kInvalidName);
    CHECK_FALSE(cache.fetches(none));
    CHECK_THROWS_AS(cache.store({untrusted(longest), trusted(none)}), std::invalid_argument);
    CHECK(cache.reason(longest) == Reason::kTrusted);  // nothing of that batch was stored
  }
  CHECK(cache.size() == 1);
}

TEST_CASE("over the limit, what was received longest ago is forgotten") {
  Cache cache(kTtl, 3);
  cache.store({trusted("a"), trusted("b")});
  cache.store({trusted("c")}, after(1));
  cache.store({untrusted("a", 2)}, after(2));  // received again: now b is the oldest
  CHECK(cache.ask({"a", "b", "c"}, after(2)).to_fetch.empty());
  cache.store({trusted("d"), trusted("e")}, after(3));
  CHECK(cache.size() == 3);
  CHECK(cache.ask({"a", "b", "c", "d", "e"}, after(3)).reasons ==
        Reasons{Reason::kUntrusted, Reason::kMissing, Reason::kMissing, Reason::kTrusted,
                Reason::kTrusted});
}

TEST_CASE("asking does not keep a host from being forgotten, nor its verdict from ending") {
  Cache cache(kTtl, 2);
  cache.store({trusted("a"), trusted("b")});
  for (int i = 0; i < 100; ++i) CHECK(cache.reason("a", after(i / 2.0)) == Reason::kTrusted);
  cache.store({trusted("c")}, after(50));
  CHECK(cache.reason("a", after(50)) == Reason::kMissing);
  CHECK(cache.reason("b", after(60)) == Reason::kExpired);
}

TEST_CASE("what was forgotten and comes again is what came last") {
  Cache cache(kTtl, 1);
  cache.store({trusted("a")});
  cache.store({trusted("b")});
  cache.store({untrusted("a")});
  CHECK(cache.reason("a") == Reason::kUntrusted);
  cache.clear();
  CHECK(cache.size() == 0);
  CHECK(cache.reason("a") == Reason::kMissing);
  cache.store({unknown("a")});
  CHECK(cache.reason("a") == Reason::kUnknown);
  cache.store({trusted("b")});
  CHECK(cache.ask({"a", "b"}).reasons == Reasons{Reason::kMissing, Reason::kTrusted});
}

TEST_CASE("settings and times that are no numbers are refused, and change nothing") {
  CHECK_THROWS_AS(HostVerdicts({-1, kSkew, 1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(HostVerdicts({kTtl, -1, 1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(HostVerdicts({kTtl, kSkew, 0, 0}), std::invalid_argument);
  Cache cache;
  cache.store({untrusted("a")});
  for (const double bad : {kNan, kInfinite, -kInfinite}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(HostVerdicts({bad, kSkew, 1, 0}), std::invalid_argument);
    CHECK_THROWS_AS(HostVerdicts({kTtl, bad, 1, 0}), std::invalid_argument);
    for (const Moment at : {Moment{bad, 1}, Moment{1, bad}}) {
      CHECK_THROWS_AS(cache.ask({"a"}, at), std::invalid_argument);
      CHECK_THROWS_AS(cache.store({trusted("a")}, at), std::invalid_argument);
    }
  }
  CHECK(cache.reason("a") == Reason::kUntrusted);
}

TEST_CASE("reasons have words of their own") {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(kLastReason); ++i) {
    words.push_back(name_of(static_cast<Reason>(i)));
  }
  CHECK(words == std::vector<std::string_view>{"missing", "trusted", "untrusted", "unknown",
                                               "expired", "future-time", "no-time",
                                               "invalid-name"});
  CHECK(name_of(static_cast<Reason>(200)) == "?");
}
