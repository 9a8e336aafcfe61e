// SPDX-License-Identifier: Apache-2.0

// A dynamic launch through the C ABI: its log, its place in the evidence, the policy learned of it.

#include "tests/abi/api/calls.h"

namespace {

using Octets = std::vector<std::uint8_t>;

Octets launch_log() { return read_vector("drtm/launchlog.agile.bin"); }

void make_drtm_evidence(Evidence& evidence) {
  const Octets ak = read_vector("drtm/ak.tss");
  const Octets quote = read_vector("drtm/quote.msg");
  const Octets signature = read_vector("drtm/quote.sig");
  const Octets pcrs = read_vector("drtm/quote.pcrs");
  const Octets log = launch_log();
  REQUIRE(attest_evidence_new(evidence.place()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_ak(evidence.get(), ak.data(), ak.size()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_quote(evidence.get(), quote.data(), quote.size(), signature.data(),
                                    signature.size(), pcrs.data(), pcrs.size()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_launch_log(evidence.get(), log.data(), log.size()) == ATTEST_OK);
}

Octets drtm_nonce() { return good_node_detail::unhex(read_text_vector("drtm/nonce.hex")); }

}  // namespace

TEST_CASE("a launch's log is told in each of its forms") {
  struct Form {
    const char* name;
    attest_eventlog_format format;
    attest_hash bank;
  };
  for (const Form& form : {Form{"agile", ATTEST_EVENTLOG_CRYPTO_AGILE, ATTEST_HASH_SHA256},
                           Form{"legacy", ATTEST_EVENTLOG_TXT_LEGACY, ATTEST_HASH_SHA256},
                           Form{"container", ATTEST_EVENTLOG_TXT_CONTAINER, ATTEST_HASH_SHA1}}) {
    CAPTURE(form.name);
    const Octets bytes = read_vector(std::string("drtm/launchlog.") + form.name + ".bin");
    EventLog log;
    REQUIRE(attest_eventlog_parse_launch(log.place(), bytes.data(), bytes.size(),
                                         ATTEST_HASH_NONE) == ATTEST_OK);
    CHECK(attest_eventlog_get_format(log.get()) == form.format);
    REQUIRE(attest_eventlog_num_events(log.get()) == 20);
    attest_event event = ATTEST_EVENT_INIT;
    REQUIRE(attest_eventlog_event(&event, log.get(), 1) == ATTEST_OK);
    CHECK(event.pcr == 17);
    CHECK(event.type_name == std::string("HASH_START"));
    std::size_t size = 0;
    CHECK(attest_eventlog_digest(log.get(), 1, form.bank, &size) != nullptr);
    Pcrs pcrs;
    REQUIRE(attest_eventlog_pcrs(pcrs.place(), log.get()) == ATTEST_OK);
    CHECK(attest_pcrs_find(pcrs.get(), form.bank, 17, nullptr) != nullptr);
    CHECK(attest_eventlog_num_findings(log.get()) == 0);
    Buffer json;
    REQUIRE(attest_eventlog_to_json(json.place(), log.get()) == ATTEST_OK);
    CHECK(text_of(json).find("module 0 (the kernel)") != std::string::npos);
  }
}

TEST_CASE("a policy of a launch trusts it, and nothing without it") {
  Evidence evidence;
  Policy policy;
  Report learnt, report;
  make_drtm_evidence(evidence);
  const Octets nonce = drtm_nonce();
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = nonce.data();
  options.nonce_len = nonce.size();
  REQUIRE(attest_policy_learn_profile(policy.place(), learnt.place(), evidence.get(), &options,
                                      ATTEST_PROFILE_TRUSTED_BOOT) == ATTEST_OK);
  REQUIRE(policy.get() != nullptr);
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_TRUSTED);
  Buffer json;
  REQUIRE(attest_report_to_json(json.place(), report.get()) == ATTEST_OK);
  CHECK(text_of(json).find("\"measured_launch\":true") != std::string::npos);

  Octets log = launch_log();
  log[100] ^= 1U;  // in the first event's digest
  REQUIRE(attest_evidence_set_launch_log(evidence.get(), log.data(), log.size()) == ATTEST_OK);
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNTRUSTED);
  attest_finding finding = ATTEST_FINDING_INIT;
  REQUIRE(attest_report_finding(&finding, report.get(), 0) == ATTEST_OK);
  CHECK(finding.component == ATTEST_COMPONENT_LAUNCHLOG);
  CHECK(attest_component_name(finding.component) == std::string("launchlog"));
}

TEST_CASE("a machine without a launch teaches no policy of one") {
  Evidence evidence;
  Policy policy;
  Report report;
  make_good_evidence(evidence);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_policy_learn_profile(policy.place(), report.place(), evidence.get(), &options,
                                      ATTEST_PROFILE_TRUSTED_BOOT) == ATTEST_OK);
  CHECK(policy.get() == nullptr);
  REQUIRE(report.get() != nullptr);
  CHECK(attest_report_num_findings(report.get()) > 0);
  REQUIRE(attest_policy_learn_profile(policy.place(), report.place(), evidence.get(), &options,
                                      ATTEST_PROFILE_MEASURED_BOOT) == ATTEST_OK);
  CHECK(policy.get() != nullptr);
}

TEST_CASE("wrong calls about launches are the caller's mistake") {
  Evidence evidence;
  make_drtm_evidence(evidence);
  const attest_appraise_options options = good_options();
  for (const int profile : {-1, 3, 0x10000}) {
    auto* policy = rubbish<attest_policy>();
    auto* report = rubbish<attest_report>();
    check_failed(attest_policy_learn_profile(&policy, &report, evidence.get(), &options,
                                             any<attest_profile>(profile)),
                 ATTEST_E_ARGUMENT, "profile");
    CHECK(policy == nullptr);
    CHECK(report == nullptr);
  }
  const std::uint8_t byte = 17;
  auto* log = rubbish<attest_eventlog>();
  check_failed(attest_eventlog_parse_launch(&log, &byte, 1, ATTEST_HASH_NONE), ATTEST_E_MALFORMED,
               "launch log");
  CHECK(log == nullptr);
  check_failed(attest_eventlog_parse_launch(nullptr, &byte, 1, ATTEST_HASH_NONE), ATTEST_E_ARGUMENT,
               "out is NULL");
  const Octets bytes = launch_log();
  check_failed(attest_eventlog_parse_launch(&log, bytes.data(), bytes.size(), ATTEST_HASH_SHA512),
               ATTEST_E_ARGUMENT, "sha512");
  check_failed(attest_evidence_set_launch_log(nullptr, &byte, 1), ATTEST_E_ARGUMENT, "evidence");
  check_failed(attest_evidence_set_launch_log(evidence.get(), nullptr, 1), ATTEST_E_ARGUMENT, "");
  check_failed(attest_evidence_set_launch_log(evidence.get(), &byte, 1), ATTEST_E_MALFORMED,
               "launch log");
}
