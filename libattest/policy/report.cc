// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/report.h"

#include <map>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/json/writer.h"

namespace attest::policy {
namespace {

// Evidence may stand in these words, escaped by whoever made them up; what still is not UTF-8 is
// escaped here, so that a report can always be written.
std::string utf8(const std::string& text) {
  return is_utf8(text) ? text : printable(text, std::string::npos);
}

void member_or_null(json::Writer& w, std::string_view name, const std::string& text) {
  w.key(name);
  if (text.empty()) {
    w.null();
  } else {
    w.value(utf8(text));
  }
}

void write_pcrs(json::Writer& w, const std::vector<PcrClaim>& pcrs) {
  std::map<std::string_view, std::map<std::uint32_t, const PcrClaim*>> banks;
  for (const PcrClaim& pcr : pcrs) banks[crypto::hash_name(pcr.bank)][pcr.index] = &pcr;
  w.key("pcrs").begin_object();
  for (const auto& [bank, claims] : banks) {
    w.key(bank).begin_object();
    for (const auto& [index, claim] : claims) {
      w.key(std::to_string(index)).begin_object();
      w.member("value", to_hex(claim->value.bytes()));
      w.member("state", name_of(claim->state));
      w.end_object();
    }
    w.end_object();
  }
  w.end_object();
}

void write_claims(json::Writer& w, const Claims& claims) {
  w.key("claims").begin_object();
  w.member("time", claims.time);
  w.member("quote_verified", claims.quote_verified);
  member_or_null(w, "key", claims.key);
  member_or_null(w, "key_name", claims.key_name);
  member_or_null(w, "key_ek", claims.key_ek);
  member_or_null(w, "scheme", claims.scheme);
  w.member("clock", claims.clock);
  w.member("reset_count", claims.reset_count);
  w.member("restart_count", claims.restart_count);
  w.member("clock_safe", claims.clock_safe);
  w.member("firmware_version", claims.firmware_version);
  write_pcrs(w, claims.pcrs);
  w.member("num_events", claims.num_events);
  member_or_null(w, "secure_boot", claims.secure_boot.value_or(""));
  w.member("measured_launch", claims.measured_launch);
  w.member("num_launch_events", claims.num_launch_events);
  member_or_null(w, "untrusted_launch_mapping", claims.launch_mapping);
  w.member("ima_entries", claims.ima_entries);
  w.member("ima_verified_before", claims.ima_verified);
  w.member("ima_unverified", claims.ima_unverified);
  w.member("ima_violations", claims.ima_violations);
  w.end_object();
}

}  // namespace

std::string_view name_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kTrusted:
      return "trusted";
    case Verdict::kUntrusted:
      return "untrusted";
  }
  return {};
}

std::string_view name_of(PcrState state) noexcept {
  switch (state) {
    case PcrState::kUnexplained:
      return "unexplained";
    case PcrState::kReplayed:
      return "replayed";
    case PcrState::kInitial:
      return "initial";
    case PcrState::kAppraised:
      return "appraised";
    case PcrState::kMismatch:
      return "mismatch";
  }
  return {};
}

void write_finding(json::Writer& w, const Finding& finding) {
  w.begin_object();
  w.member("code", static_cast<std::uint32_t>(finding.code));
  w.member("id", id_of(finding.code));
  w.member("severity", name_of(finding.severity));
  w.member("component", name_of(finding.component));
  w.member("pcr", finding.pcr);
  w.member("index", finding.index);
  w.member("offset", finding.offset);
  member_or_null(w, "expected", finding.expected);
  member_or_null(w, "found", finding.found);
  w.member("message", utf8(finding.message));
  w.end_object();
}

std::string to_json(const Report& report) {
  json::Writer w;
  w.begin_object();
  w.member("verdict", name_of(report.verdict));
  w.key("findings").begin_array();
  for (const Finding& finding : report.findings.list()) write_finding(w, finding);
  w.end_array();
  w.member("findings_dropped", report.findings.dropped());
  write_claims(w, report.claims);
  w.end_object();
  return w.take();
}

}  // namespace attest::policy
