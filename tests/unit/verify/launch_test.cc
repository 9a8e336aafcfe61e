// SPDX-License-Identifier: Apache-2.0

// A dynamic launch judged: the sample of a real TPM with its log in each form, and what is wrong in
// each of the ways that it can be.

#include <algorithm>
#include <catch2/catch.hpp>

#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/types.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::policy::Code;
using attest::policy::Component;
using attest::policy::Finding;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Severity;
using attest::policy::Verdict;
using attest::verify::Profile;
namespace eventlog = attest::eventlog;
using Catch::Contains;

const Finding* find(const Report& report, Code code) {
  for (const Finding& f : report.findings.list()) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

// The failures' codes, each once.
std::vector<Code> failures(const Report& report) {
  std::vector<Code> out;
  for (const Finding& f : report.findings.list()) {
    if (f.severity == Severity::kFailure && std::ranges::find(out, f.code) == out.end()) {
      out.push_back(f.code);
    }
  }
  return out;
}

Parts drtm(const std::string& log = "agile") {
  Parts p;
  p.ak = read_vector("drtm/ak.tss");
  p.attest = read_vector("drtm/quote.msg");
  p.signature = read_vector("drtm/quote.sig");
  p.pcrs = read_vector("drtm/quote.pcrs");
  p.nonce = nonce_from("drtm/nonce.hex");
  if (!log.empty()) p.launch_log = read_vector("drtm/launchlog." + log + ".bin");
  return p;
}

// The records of the agile log, which begin with its header.
std::vector<Octets> records_of(const Octets& bytes) {
  const eventlog::Log log = eventlog::Log::parse_launch(bytes);
  std::vector<Octets> out;
  for (std::size_t i = 0; i < log.events().size(); ++i) {
    const std::size_t end = i + 1 < log.events().size() ? log.events()[i + 1].offset : bytes.size();
    out.emplace_back(bytes.begin() + static_cast<long>(log.events()[i].offset),
                     bytes.begin() + static_cast<long>(end));
  }
  return out;
}

Octets join(const std::vector<Octets>& records) {
  Octets out;
  for (const Octets& r : records) out.insert(out.end(), r.begin(), r.end());
  return out;
}

// A quote of our own, over PCRs of our own.
struct Node {
  std::map<std::uint32_t, Octets> values;
  Octets launch_log, eventlog;
  Policy policy;

  Parts parts() const {
    static Signer key = Signer::rsa();
    const PcrValues pcrs{{static_cast<std::uint16_t>(Hash::kSha256), values}};
    Parts p;
    p.ak = key.tpm2b_public();
    p.attest = make_attest(quote_of(pcrs));
    p.signature = key.sign(p.attest);
    p.pcrs = make_pcrs(pcrs);
    p.nonce = Octets(20, 0x5a);
    p.launch_log = launch_log;
    p.eventlog = eventlog;
    return p;
  }
  Report appraise() const { return parts().appraise(&policy); }
};

Octets bytes_of(const Digest& digest) { return {digest.bytes().begin(), digest.bytes().end()}; }

eventlog_builder::LogBuilder small_launch() {
  eventlog_builder::LogBuilder b({Hash::kSha256});
  b.measured(17, eventlog::kTxtHashStart, {}, eventlog_builder::text("sinit"));
  b.measured(17, eventlog::kTxtTbootMeasurement, {}, eventlog_builder::text("policy"));
  return b;
}

Node launched() {
  Node node;
  node.launch_log = small_launch().bytes();
  const eventlog::Log log = eventlog::Log::parse_launch(node.launch_log);
  const auto replay = eventlog::replay(log);
  for (const std::uint32_t pcr : {17U, 18U, 19U}) {
    node.values[pcr] = bytes_of(replay.banks[0].pcrs[pcr]);
    node.policy.pcrs[pcr] = {replay.banks[0].pcrs[pcr]};
  }
  node.policy.launch.required = true;
  return node;
}

}  // namespace

TEST_CASE("a launch verifies with its log in each form of this bank", "[launch]") {
  for (const char* form : {"agile", "legacy"}) {
    CAPTURE(form);
    const Parts p = drtm(form);
    const Policy policy = p.learn(Profile::kTrustedBoot);
    CHECK(policy.launch.required);
    CHECK(policy.launch.log_required);
    CHECK(policy.event_log.pcrs == std::vector<std::uint32_t>{17, 18});
    CHECK(policy.event_log.known_events.at(17).size() == 12);
    CHECK(policy.event_log.known_events.at(17).back().description == "module 1 (the ramdisk)");
    const Report report = p.appraise(&policy);
    INFO(attest::policy::to_json(report));
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(report.claims.measured_launch == true);
    CHECK(report.claims.num_launch_events == 20U);
    CHECK(report.claims.launch_mapping == "details-authorities");
    CHECK_THAT(attest::policy::to_json(report),
               Contains(R"("measured_launch":true)") &&
                   Contains(R"("untrusted_launch_mapping":"details-authorities")"));
    // What it learned survives its own JSON.
    const std::string json = attest::policy::to_json(policy);
    const Policy again = attest::policy::parse_policy(json);
    CHECK(p.appraise(&again).verdict == Verdict::kTrusted);
    CHECK(attest::policy::to_json(again) == json);
  }
}

TEST_CASE("a SHA-1 container proves nothing of the SHA-256 bank", "[launch]") {
  const Parts p = drtm("container");
  const Policy policy = p.learn(Profile::kTrustedBoot);
  CHECK_FALSE(policy.launch.log_required);
  CHECK(policy.event_log.known_events.empty());
  const Report report = p.appraise(&policy);
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(find(report, Code::kEventLogBank)->component == Component::kLaunchLog);
  // The reference value is what says that there was a launch.
  CHECK(report.claims.measured_launch == true);
  CHECK_FALSE(p.appraise(nullptr).claims.measured_launch.has_value());
  CHECK(drtm().appraise(nullptr).claims.measured_launch == true);

  // Where the log is asked for, one of another bank is none.
  Policy logged = policy;
  logged.launch.log_required = true;
  CHECK(failures(p.appraise(&logged)) == std::vector<Code>{Code::kEventLogBank});

  Policy sha1;
  sha1.bank = Hash::kSha1;
  sha1.allow_sha1 = true;
  for (const auto& pcr : report.claims.pcrs) {
    if (pcr.bank == Hash::kSha1) sha1.pcrs[pcr.index] = {pcr.value};
  }
  sha1.launch = {true, true};
  sha1.event_log.pcrs = {17, 18};
  CHECK(p.appraise(&sha1).verdict == Verdict::kTrusted);
  CHECK(p.appraise(&sha1).claims.measured_launch == true);
}

TEST_CASE("without a policy the bank is judged that a policy would be learned of", "[launch]") {
  static Signer key = Signer::rsa();
  const std::vector<Hash> banks{Hash::kSha1, Hash::kSha384};
  eventlog_builder::LogBuilder b(banks);
  b.measured(17, eventlog::kTxtHashStart, {}, eventlog_builder::text("sinit"));
  const Octets log = b.bytes();
  const auto replay = eventlog::replay(eventlog::Log::parse_launch(log));
  PcrValues pcrs;
  for (const auto& bank : replay.banks) {
    pcrs.emplace_back(static_cast<std::uint16_t>(bank.hash),
                      std::map<std::uint32_t, Octets>{{17, bytes_of(bank.pcrs[17])}});
  }
  Parts p;
  p.ak = key.tpm2b_public();
  p.attest = make_attest(quote_of(pcrs));
  p.signature = key.sign(p.attest);
  p.pcrs = make_pcrs(pcrs);
  p.nonce = Octets(20, 0x5a);
  p.launch_log = log;
  // What SHA-1 says is no proof, and it stands first.
  CHECK(p.appraise(nullptr).claims.measured_launch == true);
  const Policy policy = p.learn(Profile::kTrustedBoot);
  CHECK(policy.bank == Hash::kSha384);
  CHECK(p.appraise(&policy).verdict == Verdict::kTrusted);
}

TEST_CASE("a launch whose log is wrong is not trusted, and each way has its own finding",
          "[launch]") {
  Parts p = drtm();
  const Policy policy = p.learn(Profile::kTrustedBoot);
  std::vector<Octets> records = records_of(p.launch_log);

  SECTION("the log is not there") {
    p.launch_log.clear();
    const Report report = p.appraise(&policy);
    CHECK(failures(report) == std::vector<Code>{Code::kLaunchLogMissing});
    CHECK(find(report, Code::kLaunchLogMissing)->component == Component::kLaunchLog);
  }
  SECTION("it is not there, and only rules for its PCRs ask for it") {
    p.launch_log.clear();
    Policy rules = policy;
    rules.launch.log_required = false;
    CHECK(failures(p.appraise(&rules)) == std::vector<Code>{Code::kLaunchLogMissing});
    rules.event_log.pcrs.clear();
    CHECK(p.appraise(&rules).verdict == Verdict::kTrusted);
  }
  SECTION("rules for other PCRs ask for the other log") {
    Policy rules = policy;
    rules.event_log.pcrs.push_back(0);
    CHECK(fails_with(p.appraise(&rules), Code::kEventLogMissing));
  }
  SECTION("it is empty") {
    p.launch_log.clear();
    attest::verify::Evidence e = p.evidence();
    e.launch_log.emplace();
    e.launch_log->log = eventlog::Log::parse_launch({});
    const Report report = attest::verify::appraise(e, &policy, nullptr, p.options());
    CHECK(fails_with(report, Code::kEventLogEmpty));
  }
  SECTION("an event is dropped") {
    records.erase(records.begin() + 5);
    p.launch_log = join(records);
    const Report report = p.appraise(&policy);
    CHECK(failures(report) == std::vector<Code>{Code::kPcrReplay, Code::kEventOrder});
    CHECK_THAT(find(report, Code::kEventOrder)->message,
               Contains("the first that it misses is LCP_DETAILS_HASH"));
  }
  SECTION("an event is changed") {
    records[5][20] ^= 1U;  // in its SHA-1 digest
    p.launch_log = join(records);
    CHECK(failures(p.appraise(&policy)) == std::vector<Code>{Code::kPcrReplay});
    records = records_of(drtm().launch_log);
    records[11][12 + 22 + 2] ^= 1U;  // in its SHA-256 digest
    p.launch_log = join(records);
    const Report report = p.appraise(&policy);
    CHECK(failures(report) == std::vector<Code>{Code::kPcrReplay, Code::kEventUnknown});
    const Finding& unknown = *find(report, Code::kEventUnknown);
    CHECK(unknown.index == 11U);
    CHECK(unknown.pcr == 17U);
    CHECK(unknown.component == Component::kLaunchLog);
    CHECK_THAT(unknown.message,
               Contains("launch log event 11 (TBOOT_MEASUREMENT, module 0 (the kernel))") &&
                   Contains("misses is TBOOT_MEASUREMENT, module 0 (the kernel)"));
  }
  SECTION("two events change places") {
    std::swap(records[5], records[6]);
    p.launch_log = join(records);
    CHECK(failures(p.appraise(&policy)) == std::vector<Code>{Code::kPcrReplay, Code::kEventOrder});
  }
  SECTION("an event is moved to another PCR") {
    records[12][0] = 18;
    p.launch_log = join(records);
    const Report report = p.appraise(&policy);
    CHECK(fails_with(report, Code::kPcrReplay));
    CHECK(find(report, Code::kEventUnknown)->pcr == 18U);
    CHECK(find(report, Code::kEventOrder)->pcr == 17U);
  }
  SECTION("an event is retyped: its digest is what it was") {
    for (std::size_t i = 1; i < records.size(); ++i) {
      CAPTURE(i);
      std::vector<Octets> retyped = records;
      retyped[i][4] ^= 0x05U;
      p.launch_log = join(retyped);
      const Report report = p.appraise(&policy);
      CHECK(fails_with(report, Code::kEventRetyped));
      CHECK_FALSE(fails_with(report, Code::kPcrReplay));
    }
    records[1][4] = 0x04;  // HASH_START to MLE_HASH
    p.launch_log = join(records);
    Policy forgetful = policy;
    forgetful.event_log.known_events.clear();
    CHECK(failures(p.appraise(&forgetful)) == std::vector<Code>{Code::kEventRetyped});
  }
}

TEST_CASE("a PCR 17 of ones or zeros is no launch, by a code of its own", "[launch]") {
  Node node = launched();
  REQUIRE(node.appraise().verdict == Verdict::kTrusted);
  const auto value = GENERATE(as<std::uint8_t>{}, 0xff, 0x00);
  node.values[17] = Octets(32, value);
  node.launch_log.clear();
  const Report report = node.appraise();
  CHECK(failures(report) == std::vector<Code>{Code::kNoMeasuredLaunch});
  CHECK_THAT(find(report, Code::kNoMeasuredLaunch)->message,
             Contains("VMM (PCR 17-19)") && Contains("no measured launch"));
  CHECK(report.claims.measured_launch == false);
  CHECK_THAT(attest::policy::to_json(report), Contains(R"("measured_launch":false)"));
  // Without the demand the reference value says it.
  node.policy.launch.required = false;
  const Report undemanded = node.appraise();
  CHECK(failures(undemanded) ==
        std::vector<Code>{value == 0xff ? Code::kNoMeasuredLaunch : Code::kPcrValue});
}

TEST_CASE("events of a launch beside a PCR of ones contradict each other", "[launch]") {
  Node node = launched();
  node.values[17] = Octets(32, 0xff);
  node.values[18] = Octets(32, 0xff);
  node.policy = {};
  node.policy.pcrs[18] = {Digest::filled(32, 0xff)};
  const Report report = node.appraise();
  CHECK(failures(report) == std::vector<Code>{Code::kNoMeasuredLaunch});
  CHECK_THAT(find(report, Code::kNoMeasuredLaunch)->message,
             Contains("the launch log has events of a launch"));
  CHECK(find(report, Code::kNoMeasuredLaunch)->component == Component::kLaunchLog);
}

TEST_CASE("a chain from ones is software's, never a launch", "[launch]") {
  Node node = launched();
  const eventlog::Log log = eventlog::Log::parse_launch(node.launch_log);
  const Digest forged = eventlog::replay_without_launch(log, Hash::kSha256, 17);
  node.values[17] = bytes_of(forged);
  node.policy.pcrs[17] = {forged};  // even where somebody learned it
  const Report report = node.appraise();
  CHECK(failures(report) == std::vector<Code>{Code::kNoMeasuredLaunch});
  CHECK_THAT(find(report, Code::kNoMeasuredLaunch)->message,
             Contains("from all ones: software extended it"));
  CHECK_FALSE(report.claims.measured_launch == true);
}

TEST_CASE("two logs have no PCR between them", "[launch]") {
  Node node = launched();
  eventlog_builder::LogBuilder b({Hash::kSha256});
  b.separators();
  node.eventlog = b.bytes();
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  CHECK(node.appraise().claims.num_events == 9U);
  b.measured(17, eventlog::kTxtHashStart, {}, eventlog_builder::text("sinit"));
  node.eventlog = b.bytes();
  const Report report = node.appraise();
  CHECK(failures(report) == std::vector<Code>{Code::kPcrReplay});
  CHECK_THAT(find(report, Code::kPcrReplay)->message, Contains("both the boot event log and the"));
}

TEST_CASE("a launch's PCR that no log and no rule explains fails beside a launch log", "[launch]") {
  Node node = launched();
  node.values[20] = Octets(32, 9);
  CHECK(failures(node.appraise()) == std::vector<Code>{Code::kPcrUnexplained});
  node.values[20] = Octets(32, 0);
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.values.erase(20);
  node.values[8] = Octets(32, 9);  // no business of this log
  CHECK(node.appraise().verdict == Verdict::kTrusted);
}

TEST_CASE("a launch's PCR without its events is explained by those that it lacks", "[launch]") {
  const auto node_with = [](bool kernel) {
    auto b = small_launch();
    if (kernel) b.measured(18, eventlog::kTxtTbootMeasurement, {}, eventlog_builder::text("k"));
    Node node;
    node.launch_log = b.bytes();
    const auto replay = eventlog::replay(eventlog::Log::parse_launch(node.launch_log));
    for (const std::uint32_t pcr : {17U, 18U, 19U}) {
      node.values[pcr] = bytes_of(replay.banks[0].pcrs[pcr]);
    }
    return node;
  };
  const Policy policy = node_with(true).parts().learn(Profile::kTrustedBoot);
  REQUIRE(policy.event_log.known_events.at(18).size() == 1);
  Node node = node_with(false);
  node.policy = policy;

  SECTION("zero: nothing was measured there") {
    const Report report = node.appraise();
    CHECK(failures(report) == std::vector<Code>{Code::kPcrValue, Code::kEventOrder});
    CHECK(find(report, Code::kEventOrder)->pcr == 18U);
    CHECK_THAT(find(report, Code::kEventOrder)->message,
               Contains("the first that it misses is TBOOT_MEASUREMENT"));
  }
  SECTION("all ones: there was no launch, of which events say nothing") {
    node.values[18] = Octets(32, 0xff);
    CHECK(failures(node.appraise()) == std::vector<Code>{Code::kNoMeasuredLaunch});
  }
  SECTION("its own value, and the log is silent") {
    node.values[18] = node_with(true).values[18];
    CHECK(failures(node.appraise()) == std::vector<Code>{Code::kPcrReplay, Code::kEventOrder});
    // The same where the policy names PCR 17 alone.
    node.policy = {};
    node.policy.pcrs[17] = policy.pcrs.at(17);
    node.policy.launch.required = true;
    CHECK(failures(node.appraise()) == std::vector<Code>{Code::kPcrUnexplained});
    node.values[18] = Octets(32, 0xff);
    CHECK(failures(node.appraise()) == std::vector<Code>{Code::kNoMeasuredLaunch});
  }
}

TEST_CASE("event rules for a launch's PCRs are kept by its log", "[launch]") {
  Node node = launched();
  const eventlog::Log log = eventlog::Log::parse_launch(node.launch_log);
  node.policy.pcrs.erase(17);
  CHECK(fails_with(node.appraise(), Code::kPcrNotAppraised));
  for (const auto& e : log.events()) {
    if (e.pcr == 17) node.policy.event_log.events[17].emplace_back(log.digest(e, 0));
  }
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  CHECK(node.appraise().claims.measured_launch == true);
  node.policy.event_log.events[17].pop_back();
  const Report report = node.appraise();
  CHECK(find(report, Code::kEventNotListed)->component == Component::kLaunchLog);
  CHECK_THAT(find(report, Code::kEventNotListed)->message, Contains("launch log event 2"));
  node.launch_log.clear();
  CHECK(fails_with(node.appraise(), Code::kPcrNotAppraised));
}

TEST_CASE("mismatches say whether BIOS or VMM differs", "[launch]") {
  Node node = launched();
  node.values[0] = Octets(32, 1);
  node.values[8] = Octets(32, 1);
  for (const std::uint32_t pcr : {0U, 8U, 18U}) node.policy.pcrs[pcr] = {Digest::filled(32, 7)};
  std::vector<std::string> messages;
  const Report report = node.appraise();
  for (const Finding& f : report.findings.list()) {
    if (f.code == Code::kPcrValue) messages.push_back(f.message);
  }
  REQUIRE(messages.size() == 3);
  CHECK_THAT(messages[0], Catch::StartsWith("BIOS (PCR 0-7): PCR 0 (sha256) has a value"));
  CHECK_THAT(messages[1], Catch::StartsWith("PCR 8 (sha256) has a value"));
  CHECK_THAT(messages[2], Catch::StartsWith("VMM (PCR 17-19): PCR 18 (sha256) has a value"));
}

TEST_CASE("trusted-boot is learned from launches only, and says what it leaves out", "[launch]") {
  Node node = launched();
  node.values[0] = Octets(32, 1);
  node.values[10] = Octets(32, 2);
  node.values[14] = Octets(32, 3);
  const auto learned = [&](Profile profile) {
    const Parts p = node.parts();
    attest::verify::Evidence e = p.evidence();
    return attest::verify::learn_policy(e, p.options(), profile);
  };
  const auto good = learned(Profile::kTrustedBoot);
  REQUIRE(good.policy);
  CHECK(good.policy->pcrs.size() == 4);
  CHECK(good.policy->pcrs.contains(0));
  CHECK_FALSE(good.policy->ima.has_value());
  const Finding* missing = find(good.report, Code::kPolicyPcr);
  REQUIRE(missing != nullptr);
  CHECK(missing->found == "1,2,3,4,5,6,7");

  SECTION("a launch without a log is learned by its values, and that is said") {
    node.launch_log.clear();
    node.eventlog = eventlog_builder::LogBuilder({Hash::kSha256}).separators(1).bytes();
    node.values = {{17, node.values[17]}, {18, node.values[18]}};
    const auto by_value = learned(Profile::kTrustedBoot);
    INFO(attest::policy::to_json(by_value.report));
    REQUIRE(by_value.policy);
    CHECK_FALSE(by_value.report.findings.any_failure());
    CHECK(std::ranges::count(by_value.report.findings.list(), Code::kPolicyPcr, &Finding::code) ==
          2);
    CHECK(node.parts().appraise(&*by_value.policy).verdict == Verdict::kTrusted);
    CHECK_FALSE(learned(Profile::kEverything).policy);
  }
  SECTION("no launch, no policy") {
    node.launch_log.clear();
    node.values[17] = Octets(32, GENERATE(as<std::uint8_t>{}, 0xff, 0x00));
    const auto none = learned(Profile::kTrustedBoot);
    CHECK_FALSE(none.policy);
    CHECK(fails_with(none.report, Code::kNoMeasuredLaunch));
  }
  SECTION("PCR 17 that was not quoted") {
    node.launch_log.clear();
    node.values.erase(17);
    const auto none = learned(Profile::kTrustedBoot);
    CHECK_FALSE(none.policy);
    CHECK(fails_with(none.report, Code::kPcrMissing));
  }
  SECTION("measured-boot leaves the launch out") {
    node.values[9] = Octets(32, 4);
    const auto boot_only = learned(Profile::kMeasuredBoot);
    REQUIRE(boot_only.policy);
    CHECK(boot_only.policy->pcrs.size() == 2);
    CHECK_FALSE(boot_only.policy->launch.required);
    CHECK_FALSE(boot_only.policy->launch.log_required);
  }
}

TEST_CASE("a changed event of the boot event log is named with what it replaced", "[launch]") {
  using eventlog_builder::text;
  const auto log_with = [](const char* ramdisk) {
    eventlog_builder::LogBuilder b({Hash::kSha256});
    b.separators();
    b.measured(9, eventlog::kEvIpl, text("/vmlinuz"), text("kernel"));
    b.measured(9, eventlog::kEvIpl, text("/initrd.gz"), text(ramdisk));
    return b.bytes();
  };
  const auto node_of = [&](const char* ramdisk) {
    Node node;
    node.eventlog = log_with(ramdisk);
    const auto replay = eventlog::replay(eventlog::Log::parse(node.eventlog));
    for (std::uint32_t pcr = 0; pcr < 10; ++pcr) {
      node.values[pcr] = bytes_of(replay.banks[0].pcrs[pcr]);
    }
    return node;
  };
  Policy policy = node_of("good").parts().learn(Profile::kMeasuredBoot);
  CHECK(node_of("good").parts().appraise(&policy).verdict == Verdict::kTrusted);
  const Report report = node_of("evil").parts().appraise(&policy);
  CHECK(failures(report) == std::vector<Code>{Code::kPcrValue, Code::kEventUnknown});
  const Finding& unknown = *find(report, Code::kEventUnknown);
  CHECK(unknown.index == 10U);
  CHECK(unknown.pcr == 9U);
  CHECK(unknown.component == Component::kEventLog);
  CHECK(unknown.expected ==
        attest::to_hex(attest::crypto::Hasher(Hash::kSha256)(text("good")).bytes()));
  CHECK(unknown.found ==
        attest::to_hex(attest::crypto::Hasher(Hash::kSha256)(text("evil")).bytes()));
  CHECK(unknown.message ==
        "event 10 (EV_IPL, /initrd.gz) is the first in PCR 9 that the policy does not know; the "
        "first "
        "that it knows and misses is EV_IPL, /initrd.gz");
  // Known events let nothing pass: a value that is listed does.
  policy.pcrs[9].push_back(Digest(node_of("evil").values[9]));
  CHECK(node_of("evil").parts().appraise(&policy).verdict == Verdict::kTrusted);
}
