// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_answer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "tests/support/parse_error.h"

using namespace attest::net;
using enum OatReason;
using enum OatVerdict;

namespace {

constexpr std::int64_t kNow = 1456784966;  // 2016-02-29T22:29:26Z
constexpr const char* kTimeText = R"("2016-02-29T22:29:26.365+0000")";

struct Read {
  std::vector<OatHost> hosts;
  std::size_t num_ignored = 0;
};

// What an answer comes to for n0, n1 and n2.
Read read(const std::string& body) {
  Read out;
  out.hosts = {{"n0"}, {"n1"}, {"n2"}};
  out.num_ignored = read_poll_answer(body, kNow, out.hosts);
  return out;
}

std::string entry(const std::string& name, const std::string& level,
                  const std::string& time = kTimeText) {
  return R"({"host_name": ")" + name + R"(", "trust_lvl": ")" + level + R"(", "vtime": )" + time +
         "}";
}

std::string list(const std::string& entries) { return R"({"hosts": [)" + entries + "]}"; }

// The one host of a list with one entry for it.
OatHost one(const std::string& fields) {
  return read(list(R"({"host_name": "n0")" + (fields.empty() ? "" : ", " + fields) + "}")).hosts[0];
}

void check_unknown(const OatHost& host, OatReason reason) {
  CHECK(host.verdict == kUnknown);
  CHECK(host.reason == reason);
  CHECK_FALSE(host.measured_at.has_value());
}

}  // namespace

TEST_CASE("a list says what each host is") {
  const Read got = read(list(entry("n1", "untrusted") + ", " +
                             entry("n0", "trusted", R"("2016-02-29T17:29:00-05")")));
  CHECK(got.num_ignored == 0);
  CHECK(got.hosts[0].name == "n0");
  CHECK(got.hosts[0].verdict == kTrusted);
  CHECK(got.hosts[0].reason == kAnswered);
  CHECK(got.hosts[0].measured_at == kNow - 26);
  CHECK(got.hosts[1].verdict == kUntrusted);
  CHECK(got.hosts[1].measured_at == kNow);
  check_unknown(got.hosts[2], kNotAnswered);
}

TEST_CASE("the answers of all versions are read") {
  // v1.5 to v1.7
  const Read v1_5 = read(R"({"hosts": [
    {"host_name": "n0", "trust_lvl": "trusted", "vtime": "2016-02-29T22:29:26Z",
     "pcr_values": [{"pcr_number": "0", "pcr_value": "31A2"}], "report_is_valid": true,
     "url": "https://oat/x", "score": 0.5,
     "analysis_details": [{"analysis_name": "VALIDATE_PCR", "status": "ANALYSIS_COMPLETED",
                           "analysis_output": null}]},
    {"host_name": "n1", "trust_lvl": "timeout", "report_is_valid": false}]})");
  CHECK(v1_5.hosts[0].verdict == kTrusted);
  check_unknown(v1_5.hosts[1], OatReason::kSaysTimeout);
  // The map of v2.x's documentation, and the same wrapped
  const std::string map = R"({"count": 3, "hosts": {
    "n0": {"trust_lvl": "unknown", "timestamp": "Tue Feb 14 09:02:48 2012"},
    "n1": {"trust_lvl": "trusted", "timestamp": "Tue Feb 14 09:02:48 2012"},
    "n3": {"trust_lvl": "trusted", "timestamp": "Tue Feb 14 09:02:48 2012"}}})";
  for (const std::string& body : {map, R"({"PollHosts": )" + map + "}"}) {
    const Read got = read(body);
    CHECK(got.num_ignored == 1);
    check_unknown(got.hosts[0], OatReason::kSaysUnknown);
    CHECK(got.hosts[1].verdict == kTrusted);
    CHECK(got.hosts[1].measured_at == 1329210168);
    check_unknown(got.hosts[2], kNotAnswered);
  }
  const Read wrapped = read(R"({"PollHosts": )" + list(entry("n2", "trusted")) + "}");
  CHECK(wrapped.hosts[2].verdict == kTrusted);
  CHECK(read(R"({"hosts": []})").num_ignored == 0);
  CHECK(read(R"({"hosts": {}})").num_ignored == 0);
}

TEST_CASE("a level is one of five words, or nothing") {
  const std::string time = std::string(R"(, "vtime": )") + kTimeText;
  CHECK(one(R"("trust_lvl": "trusted")" + time).verdict == kTrusted);
  CHECK(one(R"("trust_lvl": "untrusted")" + time).verdict == kUntrusted);
  check_unknown(one(R"("trust_lvl": "unknown")" + time), OatReason::kSaysUnknown);
  check_unknown(one(R"("trust_lvl": "timeout")" + time), OatReason::kSaysTimeout);
  check_unknown(one(R"("trust_lvl": "pending")" + time), kSaysPending);
  for (const char* level : {R"("Trusted")", R"("TRUSTED")", R"(" trusted")", R"("trusted ")",
                            R"("trusted\u0000")", R"("trusted\n")", R"("")", R"("true")", R"("ok")",
                            "true", "1", "null", R"(["trusted"])", R"({"trusted": true})"}) {
    INFO(level);
    check_unknown(one(std::string(R"("trust_lvl": )") + level + time), kLevel);
  }
  check_unknown(one(time.substr(2)), kLevel);
  check_unknown(one(""), kLevel);
}

TEST_CASE("a level without a time that is understood is none") {
  for (const char* level : {"trusted", "untrusted"}) {
    const std::string head = std::string(R"("trust_lvl": ")") + level + '"';
    check_unknown(one(head), kNoTime);
    check_unknown(one(head + R"(, "vtime": null)"), kNoTime);
    for (const char* time : {R"("")", R"("yesterday")", R"("29.02.2016 22:29:26")", "1456784966",
                             "true", "[]", "{}", R"("2016-02-30T00:00:00Z")"}) {
      INFO(time);
      check_unknown(one(head + R"(, "vtime": )" + time), OatReason::kTime);
    }
    check_unknown(one(head + R"(, "vtime": )" + kTimeText + R"(, "timestamp": )" + kTimeText),
                  OatReason::kTime);
  }
}

TEST_CASE("a time that is not yet is none, but for the difference of two clocks") {
  const auto at = [](const char* time) {
    return one(std::string(R"("trust_lvl": "trusted", "vtime": ")") + time + '"');
  };
  CHECK(at("2016-02-29T22:29:56Z").verdict == kTrusted);
  check_unknown(at("2016-02-29T22:29:57Z"), kFuture);
  check_unknown(at("2099-01-01T00:00:00Z"), kFuture);
  check_unknown(at("9999-12-31T23:59:59-23:59"), kFuture);
  check_unknown(at("Thu Jan  1 00:00:00 2099"), kFuture);
  CHECK(at("1970-01-01T00:00:00Z").measured_at == 0);  // how old it may be is not judged here
}

TEST_CASE("of several entries of a host the worst counts, in any order") {
  const std::string old = R"("2016-02-29T22:00:00Z")";
  const auto merged = [](const std::string& first, const std::string& second) {
    const OatHost a = read(list(first + ", " + second)).hosts[0];
    const OatHost b = read(list(second + ", " + first)).hosts[0];
    CHECK(a.verdict == b.verdict);
    CHECK(a.measured_at == b.measured_at);
    return a;
  };
  const OatHost same = merged(entry("n0", "trusted"), entry("n0", "trusted", old));
  CHECK(same.verdict == kTrusted);
  CHECK(same.reason == kAnswered);
  CHECK(same.measured_at == kNow - 1766);  // the oldest
  const OatHost bad = merged(entry("n0", "trusted"), entry("n0", "untrusted", old));
  CHECK(bad.verdict == kUntrusted);
  CHECK(bad.reason == kContradiction);
  CHECK(bad.measured_at == kNow - 1766);
  for (const char* level : {"unknown", "timeout", "pending", "nonsense"}) {
    check_unknown(merged(entry("n0", "trusted"), entry("n0", level)), kContradiction);
    CHECK(merged(entry("n0", "untrusted"), entry("n0", level)).verdict == kUntrusted);
  }
  check_unknown(merged(entry("n0", "trusted"), entry("n0", "trusted", "null")), kContradiction);
  check_unknown(merged(entry("n0", "trusted"), entry("n0", "trusted", R"("2099-01-01T00:00:00Z")")),
                kContradiction);
  const Read three = read(list(entry("n0", "untrusted") + ", " + entry("n0", "unknown") + ", " +
                               entry("n0", "trusted")));
  CHECK(three.hosts[0].verdict == kUntrusted);
}

TEST_CASE("names are compared exactly, and others are counted") {
  for (const char* name : {"N0", "n0 ", " n0", "n0.example", "n", "", "n0\\u0000", "n0\\n"}) {
    const Read got = read(list(entry(name, "trusted")));
    CHECK(got.num_ignored == 1);
    for (const OatHost& host : got.hosts) check_unknown(host, kNotAnswered);
  }
}

TEST_CASE("an answer that is not understood as a whole is none, and changes nothing") {
  const std::string good = entry("n0", "trusted");
  const std::vector<std::string> bodies{
      std::string(), std::string("trusted"), std::string("<html>trusted</html>"),
      std::string("null"), std::string("true"), std::string("[]"), "[" + good + "]",
      std::string("{}"), std::string(R"({"hosts": null})"), std::string(R"({"hosts": "n0"})"),
      std::string(R"({"hosts": 1})"), std::string(R"({"Hosts": []})"), list(good) + "x",
      list(good) + list(good), list(good + ", null"), list(good + R"(, "n1")"),
      list(good + ", [" + good + "]"), list(good + ", {}"),
      list(good + R"(, {"trust_lvl": "trusted"})"),
      list(good + R"(, {"host_name": null, "trust_lvl": "trusted"})"),
      list(good + R"(, {"host_name": 1, "trust_lvl": "trusted"})"),
      list(good + R"(, {"host_name": "n1", "host_name": "n2"})"),
      list(good + R"(, {"host_name": "n1", "trust_lvl": "untrusted", "trust_lvl": "trusted"})"),
      R"({"hosts": [], )" + list(good).substr(1), list(good).substr(0, list(good).size() - 1),
      std::string(R"({"hosts": {"n0": "trusted"}})"), std::string(R"({"hosts": {"n0": []}})"),
      // What a list of one host would be in another mapping of XML: not seen, so not guessed.
      R"({"hosts": )" + good + "}", R"({"hosts": {"n0": )" + entry("n1", "trusted") + "}}",
      R"({"hosts": {"n0": {"trust_lvl": "untrusted"}, "n0": {"trust_lvl": "trusted"}}})",
      R"({"PollHosts": )" + list(good) + R"(, "hosts": []})",
      R"({"PollHosts": [)" + list(good) + "]}", std::string(R"({"PollHosts": {}})"),
      R"({"error_code": 0, )" + list(good).substr(1),
      R"({"error_code": 500, "PollHosts": )" + list(good) + "}",
      R"({"PollHosts": {"error_code": 500, )" + list(good).substr(1) + "}",
      std::string(R"({"error_code": 500, "error_message": "no"})"),
      R"({"x": )" + std::string(100000, '[') + std::string(100000, ']') + ", " +
          list(good).substr(1),
      "\xef\xbb\xbf" + list(good), list(good) + std::string(1, '\0'),
      list(entry("n0", "trusted\xff"))};
  for (const std::string& body : bodies) {
    INFO(body.substr(0, 200));
    std::vector<OatHost> hosts{{"n0"}, {"n1"}};
    const std::string said =
        parse_error_of([&] { return read_poll_answer(body, kNow, std::span(hosts)); });
    CHECK(said.starts_with("PollHosts answer: "));
    for (const OatHost& host : hosts) check_unknown(host, kNotAnswered);
  }
}

TEST_CASE("an answer cut short anywhere is none") {
  const std::string body = list(entry("n0", "trusted"));
  for (std::size_t size = 0; size < body.size(); ++size) {
    std::vector<OatHost> hosts{{"n0"}};
    CHECK(parse_error_of([&] {
            return read_poll_answer(body.substr(0, size), kNow, std::span(hosts));
          }) != "accepted");
    check_unknown(hosts[0], kNotAnswered);
  }
}

TEST_CASE("a refusal's words are the server's") {
  CHECK(poll_refusal_words(R"({"error_code":500,"error_message":"no host"})") == "no host");
  for (const char* body : {"", "<html>", "[]", "null", "{}", R"({"error_message": 5})"}) {
    CHECK(poll_refusal_words(body).empty());
  }
  CHECK(poll_refusal_words(R"({"error_message":")" + std::string(70000, 'x') + "\"}").empty());
}

TEST_CASE("each reason has a word of its own") {
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i < kNumOatReasons; ++i) {
    const std::string_view name = reason_name(static_cast<OatReason>(i));
    CHECK(!name.empty());
    CHECK(std::find(seen.begin(), seen.end(), name) == seen.end());
    seen.push_back(name);
  }
}
