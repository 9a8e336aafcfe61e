// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/inspect.h"

#include <array>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/eventlog/describe.h"
#include "libattest/eventlog/secure_boot.h"
#include "libattest/eventlog/types.h"
#include "libattest/ima/boot_aggregate.h"
#include "libattest/json/writer.h"
#include "libattest/policy/report.h"
#include "libattest/verify/eventlog.h"
#include "libattest/verify/ima_rules.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using policy::Code;
using policy::Component;
using policy::Severity;

Hash choose_bank(const eventlog::Log& log, std::optional<Hash> bank) {
  if (bank) {
    if (!log.find(*bank)) {
      throw std::invalid_argument("the event log has no " + std::string(crypto::hash_name(*bank)) +
                                  " digests");
    }
    return *bank;
  }
  if (log.find(Hash::kSha256)) return Hash::kSha256;
  for (const eventlog::Algorithm& algorithm : log.algorithms()) {
    if (algorithm.hash) return *algorithm.hash;
  }
  throw ParseError("event log", 0, "digestSizes", "no digest algorithm that libattest computes");
}

void write_findings(json::Writer& w, const policy::Findings& findings) {
  w.key("findings").begin_array();
  for (const policy::Finding& finding : findings.list()) policy::write_finding(w, finding);
  w.end_array();
}

void write_event(json::Writer& w, const EventLogInspection& in, const eventlog::Event& event) {
  const eventlog::Coverage coverage = in.checked.coverage[event.index];
  w.begin_object()
      .member("index", std::uint64_t{event.index})
      .member("offset", std::uint64_t{event.offset})
      .member("pcr", std::uint64_t{event.pcr})
      .member("type", eventlog::type_name(event.type));
  w.key("digests").begin_object();
  for (std::size_t i = 0; i < in.log.algorithms().size(); ++i) {
    const eventlog::Algorithm& algorithm = in.log.algorithms()[i];
    const Bytes digest = in.log.digest(event, i);  // the header of an agile log has none
    if (!algorithm.hash || digest.empty()) continue;
    w.member(crypto::hash_name(*algorithm.hash), to_hex(digest));
  }
  w.end_object();
  // What no digest covers is named so: it is whatever somebody wrote there.
  w.member("coverage", eventlog::name_of(coverage))
      .member("data_size", std::uint64_t{event.data.size()})
      .member(eventlog::is_hint(coverage) ? "untrusted_description" : "description",
              eventlog::describe(in.log, event))
      .end_object();
}

}  // namespace

EventLogInspection inspect_eventlog(Bytes in, std::optional<Hash> bank, eventlog::Source source) {
  EventLogInspection out;
  out.bytes.assign(in.begin(), in.end());
  const bool launch = source == eventlog::Source::kLaunch;
  out.log = launch ? eventlog::Log::parse_launch(out.bytes) : eventlog::Log::parse(out.bytes);
  out.bank = choose_bank(out.log, bank);
  out.replay = eventlog::replay(out.log);
  out.checked = eventlog::check(out.log, out.bank);
  for (const eventlog::Issue& issue : out.checked.issues) {
    out.findings.add(
        finding_of(issue, out.log, is_information(issue) ? Severity::kInfo : Severity::kWarning));
  }
  return out;
}

std::string to_json(const EventLogInspection& in) {
  json::Writer w;
  w.begin_object().member("format", eventlog::name_of(in.log.format()));
  w.key("banks").begin_object();
  for (const eventlog::Bank& bank : in.replay.banks) {
    w.key(crypto::hash_name(bank.hash)).begin_object();
    for (std::uint32_t pcr = 0; pcr < eventlog::kNumPcrs; ++pcr) {
      if (in.replay.num_extends[pcr] == 0) continue;
      w.member(std::to_string(pcr), to_hex(bank.pcrs[pcr].bytes()));
    }
    w.end_object();
  }
  w.end_object();
  w.key("events").begin_array();
  for (const eventlog::Event& event : in.log.events()) write_event(w, in, event);
  w.end_array();
  const eventlog::SecureBoot state = eventlog::secure_boot(in.log, in.checked).state;
  w.key("secure_boot");
  if (state == eventlog::SecureBoot::kUnknown) {
    w.null();
  } else {
    w.value(eventlog::name_of(state));
  }
  write_findings(w, in.findings);
  return w.end_object().take();
}

ImaInspection::ImaInspection(ima::ListFormat format, Hash bank, std::optional<Hash> list_bank,
                             ima::DigestMode mode)
    : bank_(bank), mode_(mode), reader_(*this, format, list_bank) {}

void ImaInspection::entry(const ima::Entry& entry) {
  const auto add = [&](Code code, Severity severity, std::string found, std::string message) {
    findings_.add({code,
                   severity,
                   Component::kIma,
                   entry.pcr,
                   entry.index,
                   entry.offset,
                   {},
                   std::move(found),
                   "IMA entry " + std::to_string(entry.index) + ": " + std::move(message)});
  };
  if (entry.template_name != last_template_ && templates_.size() < kMaxTemplates) {
    last_template_ = entry.template_name;
    templates_.insert(printable(last_template_));
  }
  auto replay = replays_.find(entry.pcr);
  if (replay == replays_.end()) {
    if (replays_.size() >= kMaxPcrs) {
      throw ParseError("IMA list", entry.offset, "pcr", "more than 24 different PCRs");
    }
    const std::array banks{bank_};
    replay = replays_.try_emplace(entry.pcr, *reader_.bank(), banks, mode_).first;
  }
  const bool header_good = replay->second.check_header(entry);
  replay->second.extend(entry);
  if (!entry.known) {
    add(Code::kImaTemplate, Severity::kFailure, printable(entry.template_name),
        "its template is not one that libattest knows");
  } else if (!header_good) {
    add(Code::kImaHeaderDigest, Severity::kFailure, to_hex(entry.header_digest),
        "its digest is not the digest of its data");
  }
  if (entry.violation) {
    ++num_violations_;
    add(Code::kImaViolation, Severity::kWarning, {},
        "a measurement was invalidated (the unauthenticated text says " + describe_name(entry) +
            ")");
  } else if (entry.index == 0 && ima::is_boot_aggregate(entry)) {
    boot_aggregate_ = describe_digest(entry);
  }
}

std::map<std::uint32_t, Digest> ImaInspection::pcrs() const {
  std::map<std::uint32_t, Digest> out;
  for (const auto& [pcr, replay] : replays_) out.emplace(pcr, replay.banks().front().value);
  return out;
}

std::string ImaInspection::to_json() const {
  json::Writer w;
  w.begin_object().member("entries", num_entries()).member("violations", num_violations_);
  w.key("templates").begin_array();
  for (const std::string& name : templates_) w.value(name);
  w.end_array();
  w.member("bank", crypto::hash_name(bank_));
  w.key("pcrs").begin_object();
  for (const auto& [pcr, value] : pcrs()) w.member(std::to_string(pcr), to_hex(value.bytes()));
  w.end_object();
  w.member("boot_aggregate", boot_aggregate_);
  write_findings(w, findings_);
  return w.end_object().take();
}

}  // namespace attest::verify
