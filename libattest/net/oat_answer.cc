// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_answer.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/json/value.h"
#include "libattest/net/oat_time.h"

namespace attest::net {
namespace {

constexpr std::string_view kFormat = "PollHosts answer";

constexpr std::array<std::string_view, kNumOatReasons> kReasons{
    "answered", "name-refused", "not-answered", "unknown", "timeout",      "pending",
    "level",    "no-time",      "time",         "future",  "contradiction"};

struct Entry {
  std::string_view name;
  OatVerdict verdict = OatVerdict::kUnknown;
  OatReason reason = OatReason::kAnswered;
  std::optional<std::int64_t> measured_at{};
};

void read_level(Entry& out, const json::Value& fields) {
  const auto level = fields.find("trust_lvl");
  const std::string_view word = level && level->is_string() ? level->string() : std::string_view();
  out.reason = OatReason::kAnswered;
  if (word == "trusted") {
    out.verdict = OatVerdict::kTrusted;
  } else if (word == "untrusted") {
    out.verdict = OatVerdict::kUntrusted;
  } else if (word == "unknown") {
    out.reason = OatReason::kSaysUnknown;
  } else if (word == "timeout") {
    out.reason = OatReason::kSaysTimeout;
  } else if (word == "pending") {
    out.reason = OatReason::kSaysPending;
  } else {
    out.reason = OatReason::kLevel;
  }
}

// "vtime" of lists and "timestamp" of maps. Which of two would be meant is not known.
OatReason read_time(Entry& out, const json::Value& fields, std::int64_t now) {
  auto time = fields.find("vtime");
  if (const auto other = fields.find("timestamp")) {
    if (time) return OatReason::kTime;
    time = other;
  }
  if (!time || time->is_null()) return OatReason::kNoTime;
  if (!time->is_string()) return OatReason::kTime;
  const auto seconds = parse_oat_time(time->string());
  if (!seconds) return OatReason::kTime;
  if (*seconds - kOatClockSkew > now) return OatReason::kFuture;
  out.measured_at = seconds;
  return OatReason::kAnswered;
}

Entry read_entry(std::string_view name, const json::Value& fields, std::int64_t now) {
  Entry out;
  out.name = name;
  read_level(out, fields);
  if (out.verdict == OatVerdict::kUnknown) return out;
  out.reason = read_time(out, fields, now);
  if (out.reason != OatReason::kAnswered) out.verdict = OatVerdict::kUnknown;
  return out;
}

json::Value hosts_of(const json::Value& root) {
  if (!root.is_object()) root.fail("is not an object");
  const auto wrapped = root.find("PollHosts");
  if (wrapped && root.find("hosts")) root.fail("has hosts, and PollHosts, too");
  const json::Value object = wrapped ? *wrapped : root;
  if (!object.is_object()) object.fail("is not an object");
  for (const json::Value& place : {root, object}) {
    if (place.find("error_code")) place.fail("is about an error");
  }
  return object.at("hosts");
}

std::vector<Entry> read_list(const json::Value& hosts, std::int64_t now) {
  std::vector<Entry> out;
  out.reserve(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const json::Value one = hosts.at(i);
    if (!one.is_object()) one.fail("is not an object");
    out.push_back(read_entry(one.at("host_name").string(), one, now));
  }
  return out;
}

std::vector<Entry> read_map(const json::Value& hosts, std::int64_t now) {
  std::vector<Entry> out;
  for (const auto& [name, one] : hosts.members()) {
    if (!one.is_object()) one.fail("is not an object");
    const auto again = one.find("host_name");
    if (again && (!again->is_string() || again->string() != name)) {
      again->fail("is not the name that it stands under");
    }
    out.push_back(read_entry(name, one, now));
  }
  return out;
}

constexpr int badness(OatVerdict verdict) noexcept {
  switch (verdict) {
    case OatVerdict::kTrusted:
      return 0;
    case OatVerdict::kUnknown:
      return 1;
    case OatVerdict::kUntrusted:
      return 2;
  }
  return 2;
}

void add(OatHost& host, const Entry& entry) {
  if (entry.verdict == host.verdict) {
    // Both have a time, or none has.
    if (entry.measured_at < host.measured_at) host.measured_at = entry.measured_at;
    return;
  }
  if (badness(entry.verdict) > badness(host.verdict)) {
    host.verdict = entry.verdict;
    host.measured_at = entry.measured_at;
  }
  host.reason = OatReason::kContradiction;
}

}  // namespace

std::string_view reason_name(OatReason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)];
}

std::size_t read_poll_answer(std::string_view body, std::int64_t now, std::span<OatHost> asked) {
  const json::Document document = json::Document::parse(body, kFormat);
  const json::Value hosts = hosts_of(document.root());
  if (!hosts.is_array() && !hosts.is_object()) hosts.fail("is neither a list nor an object");
  const std::vector<Entry> entries =
      hosts.is_array() ? read_list(hosts, now) : read_map(hosts, now);

  struct Place {
    OatHost* host;
    bool answered = false;
  };
  std::unordered_map<std::string_view, Place> places;
  for (OatHost& host : asked) places.try_emplace(host.name, Place{&host});
  std::size_t ignored = 0;
  for (const Entry& entry : entries) {
    const auto found = places.find(entry.name);
    if (found == places.end()) {
      ++ignored;
      continue;
    }
    Place& place = found->second;
    if (place.answered) {
      add(*place.host, entry);
      continue;
    }
    place.host->verdict = entry.verdict;
    place.host->reason = entry.reason;
    place.host->measured_at = entry.measured_at;
    place.answered = true;
  }
  return ignored;
}

std::string poll_refusal_words(std::string_view body) {
  constexpr std::size_t kMaxBody = 65536;  // more is no explanation
  if (body.empty() || body.size() > kMaxBody) return "";
  try {
    const json::Document document = json::Document::parse(body, kFormat);
    if (!document.root().is_object()) return "";
    const auto message = document.root().find("error_message");
    return message && message->is_string() ? std::string(message->string()) : "";
  } catch (const ParseError&) {
    return "";  // a page of a proxy, say: the HTTP status has decided
  }
}

}  // namespace attest::net
