// SPDX-License-Identifier: Apache-2.0

// How an event log's findings and PCRs become a verdict.

#include "libattest/verify/eventlog.h"

#include <catch2/catch.hpp>
#include <functional>

#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/types.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::policy::Code;
using attest::policy::Finding;
using attest::policy::PcrState;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Severity;
using attest::policy::Verdict;
namespace eventlog = attest::eventlog;

Signer& ak() {
  static Signer key = Signer::rsa();
  return key;
}

// A node whose PCRs are those of `log`, unless a test gives them other values.
struct Node {
  Octets log;
  std::map<std::uint32_t, Octets> values;  // instead of the replayed ones
  std::vector<std::uint32_t> quoted{0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<Hash> banks{Hash::kSha256};
  std::optional<Octets> sent_log;  // instead of `log`
  bool sends_log = true;
  Policy policy;

  Octets value(Hash bank, std::uint32_t pcr) const {
    if (const auto at = values.find(pcr); at != values.end() && bank == Hash::kSha256) {
      return at->second;
    }
    const eventlog::Log parsed = eventlog::Log::parse(log);
    const auto replay = eventlog::replay(parsed);
    const auto* found = replay.find(bank);
    if (found == nullptr) return Octets(attest::crypto::hash_size(bank), 0);
    const auto bytes = found->pcrs[pcr].bytes();
    return {bytes.begin(), bytes.end()};
  }

  void expect_values() {
    for (const std::uint32_t pcr : quoted) policy.pcrs[pcr] = {Digest(value(policy.bank, pcr))};
  }

  Report appraise(bool with_policy = true) const {
    PcrValues pcrs;
    for (const Hash bank : banks) {
      auto& of_bank =
          pcrs.emplace_back(static_cast<std::uint16_t>(bank), std::map<std::uint32_t, Octets>{})
              .second;
      for (const std::uint32_t pcr : quoted) of_bank[pcr] = value(bank, pcr);
    }
    Parts p;
    p.ak = ak().tpm2b_public();
    p.attest = make_attest(quote_of(pcrs));
    p.signature = ak().sign(p.attest);
    p.pcrs = make_pcrs(pcrs);
    p.nonce = Octets(20, 0x5a);
    attest::verify::Evidence e = p.evidence();
    if (sends_log) {
      attest::verify::EventLogEvidence sent;
      sent.bytes = sent_log.value_or(log);
      sent.log = eventlog::Log::parse(sent.bytes);
      e.event_log.emplace(std::move(sent));
    }
    return attest::verify::appraise(e, with_policy ? &policy : nullptr, nullptr, p.options());
  }
};

const Finding* find(const Report& report, Code code) {
  for (const Finding& f : report.findings.list()) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

PcrState state_of(const Report& report, std::uint32_t index) {
  for (const auto& pcr : report.claims.pcrs) {
    if (pcr.index == index) return pcr.state;
  }
  throw std::runtime_error("not quoted");
}

eventlog_builder::LogBuilder good() {
  eventlog_builder::LogBuilder b({Hash::kSha1, Hash::kSha256});
  b.event(0, eventlog::kEvSCrtmVersion, eventlog_builder::utf16("1.0"));
  b.action(4, "Calling EFI Application from Boot Option");
  b.separators();
  return b;
}

}  // namespace

TEST_CASE("a log that replays is appraised by reference values", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.expect_values();
  node.policy.event_log.required = true;
  node.policy.event_log.pcrs = {0, 1, 2, 3, 4, 5, 6, 7};
  const Report report = node.appraise();
  INFO(attest::policy::to_json(report));
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(report.claims.num_events == 11U);

  SECTION("and by the digests of its events") {
    const eventlog::Log log = eventlog::Log::parse(node.log);
    node.policy.pcrs.erase(4);
    for (const auto& event : log.events()) {
      if (event.pcr == 4) node.policy.event_log.events[4].emplace_back(log.digest(event, 1));
    }
    CHECK(node.appraise().verdict == Verdict::kTrusted);
    CHECK(state_of(node.appraise(), 4) == PcrState::kAppraised);
    node.policy.event_log.events[4].erase(node.policy.event_log.events[4].begin());
    const Report unlisted = node.appraise();
    REQUIRE(find(unlisted, Code::kEventNotListed) != nullptr);
    CHECK(find(unlisted, Code::kEventNotListed)->index == 2U);
    CHECK(find(unlisted, Code::kEventNotListed)->pcr == 4U);
    CHECK(fails_with(unlisted, Code::kPcrNotAppraised));
  }
  SECTION("event rules for a PCR without events are not kept") {
    node.quoted.push_back(8);
    node.policy.event_log.events[8] = {Digest::filled(32, 1)};
    CHECK(fails_with(node.appraise(), Code::kPcrNotAppraised));
  }
}

TEST_CASE("a boot PCR that the log does not explain is untrusted", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.quoted = {0, 8};
  node.values[8] = Octets(32, 9);
  node.expect_values();
  node.policy.pcrs.erase(8);
  CHECK(fails_with(node.appraise(), Code::kPcrUnexplained));
  SECTION("unless the policy has a reference value for it") {
    node.expect_values();
    CHECK(node.appraise().verdict == Verdict::kTrusted);
  }
  SECTION("and even then when the log has to explain it") {
    node.expect_values();
    node.policy.event_log.pcrs = {8};
    CHECK(fails_with(node.appraise(), Code::kPcrReplay));
  }
  SECTION("PCRs of the operating system are a warning") {
    node.quoted = {0, 12};
    node.values = {{12, Octets(32, 9)}};
    const Report report = node.appraise();
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(find(report, Code::kPcrNotAppraised)->severity == Severity::kWarning);
  }
}

TEST_CASE("a PCR that differs from its log fails, the operating system's ones only if policed",
          "[eventlog]") {
  Node node;
  auto b = good();
  b.event(14, eventlog::kEvAction, eventlog_builder::text("x"));
  node.log = b.bytes();
  node.quoted = {0, 14};
  node.values[0] = Octets(32, 9);
  node.expect_values();
  CHECK(fails_with(node.appraise(), Code::kPcrReplay));
  CHECK(state_of(node.appraise(), 0) == PcrState::kMismatch);
  node.values = {{14, Octets(32, 9)}};
  node.expect_values();
  const Report report = node.appraise();
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(find(report, Code::kPcrReplay)->severity == Severity::kWarning);
  node.policy.event_log.pcrs = {14};
  CHECK(fails_with(node.appraise(), Code::kPcrReplay));
}

TEST_CASE("each rule that an event breaks fails where the policy wants the PCR explained",
          "[eventlog]") {
  using eventlog_builder::text;
  struct Case {
    Code code;
    std::uint32_t pcr;
    std::function<void(eventlog_builder::LogBuilder&)> add;
  };
  const Case c = GENERATE_COPY(values<Case>({
      {Code::kEventData, 1,
       [](auto& b) { b.measured(1, eventlog::kEvAction, text("x"), text("y")); }},
      {Code::kEventNoAction, 0, [](auto& b) { b.filled(0, eventlog::kEvNoAction, text("x"), 1); }},
      {Code::kEventLocality, 0, [](auto& b) { b.startup_locality(3); }},
      {Code::kEventHcrtm, 1,
       [](auto& b) { b.measured(1, eventlog::kEvEfiHcrtmEvent, text("HCRTM"), text("x")); }},
      {Code::kEventSeparator, 1, [](auto& b) { b.separators(1, 1); }},
      {Code::kEventFirmwareError, 1,
       [](auto& b) {
         b.measured(1, eventlog::kEvSeparator, text("fan"), {1, 0, 0, 0});
       }},
      {Code::kEventType, 1, [](auto& b) { b.event(1, 0x12345678, text("x")); }},
      {Code::kEventType, 1, [](auto& b) { b.event(1, eventlog::kEvUnused, text("x")); }},
      {Code::kEventRetyped, 1,
       [](auto& b) { b.measured(1, eventlog::kEvPostCode, text("x"), text("Calling INT 19h")); }},
  }));
  auto b = good();
  c.add(b);
  Node node;
  node.log = b.bytes();
  node.expect_values();
  node.policy.event_log.pcrs = {c.pcr};
  const Report report = node.appraise();
  INFO(attest::policy::to_json(report));
  CHECK(fails_with(report, c.code));
  node.policy.event_log.pcrs = {7};
  const Report elsewhere = node.appraise();
  CHECK(elsewhere.verdict == Verdict::kTrusted);
  REQUIRE(find(elsewhere, c.code) != nullptr);
  CHECK(find(elsewhere, c.code)->severity == Severity::kWarning);
}

TEST_CASE("an empty log explains nothing", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.expect_values();
  node.sent_log = Octets{};
  node.policy.event_log.required = true;
  CHECK(fails_with(node.appraise(), Code::kEventLogEmpty));
  node.policy.event_log.required = false;
  CHECK(find(node.appraise(), Code::kEventLogEmpty)->severity == Severity::kWarning);
  node.policy.event_log.pcrs = {0};
  CHECK(fails_with(node.appraise(), Code::kEventLogEmpty));
}

TEST_CASE("rules for the log are not kept by sending none", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.expect_values();
  node.sends_log = false;
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  SECTION("one that must be there") { node.policy.event_log.required = true; }
  SECTION("one that must explain a PCR whose value is listed") { node.policy.event_log.pcrs = {0}; }
  SECTION("one whose events are listed") {
    node.policy.event_log.events[4] = {Digest::filled(32, 1)};
  }
  CHECK(fails_with(node.appraise(), Code::kEventLogMissing));
}

TEST_CASE("the IMA list's PCR is the log's where no list is judged and the policy says so",
          "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.quoted.push_back(10);
  node.values[10] = Octets(32, 9);
  node.expect_values();
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.policy.event_log.pcrs = {10};
  CHECK(fails_with(node.appraise(), Code::kPcrReplay));
}

TEST_CASE("a bank that the log lacks can not be replayed", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.banks = {Hash::kSha256, Hash::kSha384};
  node.expect_values();
  const Report report = node.appraise();
  REQUIRE(find(report, Code::kEventLogBank) != nullptr);
  CHECK(find(report, Code::kEventLogBank)->severity == Severity::kWarning);
  node.policy = {};
  node.policy.bank = Hash::kSha384;
  node.expect_values();
  node.policy.event_log.pcrs = {0};
  CHECK(fails_with(node.appraise(), Code::kEventLogBank));
}

TEST_CASE("what a log does wrong fails in policed PCRs and is a warning elsewhere", "[eventlog]") {
  struct Case {
    const char* what;
    Code code;
    std::function<void(eventlog_builder::LogBuilder&)> add;
    std::uint32_t pcr;
  };
  const Octets data = eventlog_builder::text("data");
  const Case cases[] = {
      {"data that its digest does not cover", Code::kEventData,
       [&](auto& b) { b.filled(1, eventlog::kEvEfiAction, data, 0x42); }, 1},
      {"a type of nobody's", Code::kEventType, [&](auto& b) { b.event(1, 0x7777, data); }, 1},
      {"a second separator", Code::kEventSeparator, [](auto& b) { b.separators(1, 1); }, 1},
      {"a late locality", Code::kEventLocality, [](auto& b) { b.startup_locality(3); }, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    Node node;
    auto b = good();
    c.add(b);
    node.log = b.bytes();
    node.expect_values();
    const Report warned = node.appraise();
    REQUIRE(find(warned, c.code) != nullptr);
    CHECK(find(warned, c.code)->severity == Severity::kWarning);
    CHECK(warned.verdict == Verdict::kTrusted);
    node.policy.event_log.pcrs = {c.pcr};
    CHECK(fails_with(node.appraise(), c.code));
  }
}

TEST_CASE("a launch that did not happen is said", "[eventlog]") {
  Node node;
  node.log = good().bytes();
  node.quoted = {0, 17, 18};
  node.values = {{17, Octets(32, 0xff)}, {18, Octets(32, 0xff)}};
  node.expect_values();
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.policy.pcrs[17] = {Digest::filled(32, 1)};
  CHECK(fails_with(node.appraise(), Code::kNoMeasuredLaunch));
  // After a launch PCR 17 holds its measurement: zero is no value that it can have.
  node.policy.pcrs.erase(17);
  node.values[17] = Octets(32, 0);
  CHECK(fails_with(node.appraise(), Code::kPcrUnexplained));
}

TEST_CASE("firmware that does not log ExitBootServices is allowed for by name", "[eventlog]") {
  Node node;
  auto b = good();
  node.log = b.bytes();
  b.exit_boot_services();
  Node full;
  full.log = b.bytes();
  node.values[5] = full.value(Hash::kSha256, 5);
  node.expect_values();
  const Report report = node.appraise();
  INFO(attest::policy::to_json(report));
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(find(report, Code::kEventQuirk)->severity == Severity::kInfo);
  // Not where the policy wants the log whole: one whose end was cut off looks the same.
  node.policy.event_log.pcrs = {5};
  CHECK(fails_with(node.appraise(), Code::kPcrReplay));
}

TEST_CASE("Secure Boot is claimed only when PCR 7 replays", "[eventlog]") {
  Parts p = boot("shim-sb-ima-sig", "1-clean", "sha256");
  CHECK(p.appraise(nullptr).claims.secure_boot == "enabled");
  p.eventlog = boot("grub-ima-ng").eventlog;
  CHECK_FALSE(p.appraise(nullptr).claims.secure_boot.has_value());
}

TEST_CASE("Secure Boot is claimed from the judged bank, whichever was quoted first", "[eventlog]") {
  Parts p = boot("shim-sb-ima-sig", "1-clean", "both");
  REQUIRE(p.appraise(nullptr).claims.secure_boot == "enabled");
  Policy other;
  other.bank = Hash::kSha384;  // neither quoted nor in the log
  CHECK_FALSE(p.appraise(&other).claims.secure_boot.has_value());
}
