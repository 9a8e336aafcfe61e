// SPDX-License-Identifier: Apache-2.0

#include "libattest/keylime.h"

#include <array>

#include "tests/abi/api/calls.h"

namespace {

const std::string kPem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const std::string kUuid = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000";
const std::string kNonce = "0123456789abcdef";
constexpr std::array<std::uint8_t, 6> kAk{0, 4, 1, 2, 3, 4};

// Nobody listens on port 1.
attest_keylime_options options() {
  attest_keylime_options o = ATTEST_KEYLIME_OPTIONS_INIT;
  o.verifier = "127.0.0.1:1";
  o.registrar = "127.0.0.1:1";
  o.ca = o.certificate = o.key = kPem.data();
  o.ca_len = o.certificate_len = o.key_len = kPem.size();
  return o;
}

attest_status make(Keylime& out, const attest_keylime_options& o) {
  return attest_keylime_new(out.place(), &o);
}

attest_keylime_agent_info info() {
  attest_keylime_agent_info i = ATTEST_KEYLIME_AGENT_INFO_INIT;
  i.uuid = kUuid.c_str();
  i.ak = kAk.data();
  i.ak_len = kAk.size();
  i.ip = "127.0.0.1";
  i.port = 1;
  return i;
}

attest_status make_agent(KeylimeAgent& out, const attest_keylime_agent_info& i) {
  return attest_keylime_agent_new(out.place(), &i);
}

}  // namespace

TEST_CASE("a Keylime client is made of addresses and PEM texts") {
  Keylime keylime;
  CHECK(make(keylime, options()) == ATTEST_OK);
  attest_keylime_options o = options();
  o.verifier = nullptr;
  o.registrar = nullptr;
  o.no_name_check = 1;
  CHECK(make(keylime, o) == ATTEST_OK);
  attest_keylime_cancel(keylime.get());
  attest_keylime_cancel(nullptr);
  attest_keylime_free(nullptr);
}

TEST_CASE("a Keylime client is not made of anything else") {
  auto* keylime = rubbish<attest_keylime>();
  CHECK(attest_keylime_new(&keylime, nullptr) == ATTEST_E_ARGUMENT);
  CHECK(keylime == nullptr);
  const attest_keylime_options good = options();
  CHECK(attest_keylime_new(nullptr, &good) == ATTEST_E_ARGUMENT);
  const auto refused = [](auto change) {
    attest_keylime_options o = options();
    change(o);
    auto* out = rubbish<attest_keylime>();
    CHECK(attest_keylime_new(&out, &o) == ATTEST_E_ARGUMENT);
    CHECK(out == nullptr);
  };
  refused([](auto& o) { o.size = 0; });
  refused([](auto& o) { o.verifier = "nowhere"; });
  refused([](auto& o) { o.registrar = "a b:1"; });
  refused([](auto& o) { o.ca = nullptr; });
  refused([](auto& o) { o.ca_len = 0; });
  refused([](auto& o) { o.certificate_len = 3; });
  const std::string encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
  refused([&](auto& o) { o.key = encrypted.data(), o.key_len = encrypted.size(); });
  refused([](auto& o) { o.no_name_check = 2; });
}

TEST_CASE("an agent is what was given") {
  KeylimeAgent agent;
  attest_keylime_agent_info i = info();
  i.certificate = kPem.c_str();
  REQUIRE(make_agent(agent, i) == ATTEST_OK);
  attest_keylime_agent_info got = ATTEST_KEYLIME_AGENT_INFO_INIT;
  REQUIRE(attest_keylime_agent_get_info(&got, agent.get()) == ATTEST_OK);
  CHECK(got.uuid == kUuid);
  CHECK(std::vector(got.ak, got.ak + got.ak_len) == std::vector(kAk.begin(), kAk.end()));
  CHECK(got.ek == nullptr);
  CHECK(got.ek_certificate == nullptr);
  CHECK(got.certificate == kPem);
  CHECK(got.ip == std::string("127.0.0.1"));
  CHECK(got.port == 1);
  CHECK(attest_keylime_agent_get_info(&got, nullptr) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_agent_get_info(nullptr, agent.get()) == ATTEST_E_ARGUMENT);
}

TEST_CASE("an agent that no registrar could know is refused") {
  const auto refused = [](auto change) {
    attest_keylime_agent_info i = info();
    change(i);
    auto* out = rubbish<attest_keylime_agent>();
    CHECK(attest_keylime_agent_new(&out, &i) == ATTEST_E_ARGUMENT);
    CHECK(out == nullptr);
  };
  refused([](auto& i) { i.uuid = nullptr; });
  refused([](auto& i) { i.uuid = "../x"; });
  refused([](auto& i) { i.ak = nullptr; });
  refused([](auto& i) { i.ak_len = 5; });
  refused([](auto& i) { i.ek = kAk.data(), i.ek_len = 3; });
  refused([](auto& i) { i.certificate = "x"; });
  refused([](auto& i) { i.ip = "a/b"; });
  refused([](auto& i) { i.port = 0; });
}

TEST_CASE("a service that is not reached is a network failure, and its outputs are cleared") {
  Keylime keylime;
  REQUIRE(make(keylime, options()) == ATTEST_OK);
  KeylimeAgent agent;
  attest_keylime_agent_info i = info();
  REQUIRE(make_agent(agent, i) == ATTEST_OK);
  attest_keylime_add_options policies = ATTEST_KEYLIME_ADD_OPTIONS_INIT;
  policies.tpm_policy = "{}";
  policies.tpm_policy_len = 2;
  const auto* k = keylime.get();
  const char* id = kUuid.c_str();
  auto* buffer = rubbish<attest_buffer>();
  auto* second = rubbish<attest_buffer>();
  auto* found = rubbish<attest_keylime_agent>();
  attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
  status.verdict = ATTEST_KEYLIME_TRUSTED;
  // The client's certificate is no real one: either the connection or the credentials fail.
  const auto failed = [](attest_status s) {
    return s == ATTEST_E_NETWORK || s == ATTEST_E_ARGUMENT;
  };
  CHECK(failed(attest_keylime_versions(&buffer, &second, k, 1000)));
  CHECK(buffer == nullptr);
  CHECK(second == nullptr);
  CHECK(attest_last_http_status() == 0);
  CHECK(failed(attest_keylime_lookup(&found, k, id, 1000)));
  CHECK(found == nullptr);
  CHECK(failed(attest_keylime_delete_registration(k, id, 1000)));
  CHECK(failed(attest_keylime_add(k, agent.get(), &policies, 1000)));
  CHECK(failed(attest_keylime_get_status(&status, k, id, 1000)));
  CHECK(status.verdict == ATTEST_KEYLIME_UNKNOWN);
  status.verdict = ATTEST_KEYLIME_TRUSTED;
  CHECK(failed(attest_keylime_wait(&status, k, id, 1000)));
  CHECK(status.verdict == ATTEST_KEYLIME_UNKNOWN);
  CHECK(failed(attest_keylime_delete(k, id, 1000)));
  buffer = rubbish<attest_buffer>();
  CHECK(failed(attest_keylime_list(&buffer, k, 1000)));
  CHECK(buffer == nullptr);
}

TEST_CASE("arguments that are none are refused before anything is sent") {
  Keylime keylime;
  REQUIRE(make(keylime, options()) == ATTEST_OK);
  KeylimeAgent agent;
  attest_keylime_agent_info i = info();
  REQUIRE(make_agent(agent, i) == ATTEST_OK);
  attest_keylime_add_options policies = ATTEST_KEYLIME_ADD_OPTIONS_INIT;
  attest_keylime_status status = ATTEST_KEYLIME_STATUS_INIT;
  const auto* k = keylime.get();
  const char* id = kUuid.c_str();
  auto* buffer = rubbish<attest_buffer>();
  auto* quote = rubbish<attest_keylime_quote>();
  CHECK(attest_keylime_get_status(&status, k, id, 0) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_get_status(&status, k, nullptr, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_get_status(&status, nullptr, id, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_get_status(nullptr, k, id, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_add(k, agent.get(), &policies, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_add(k, agent.get(), nullptr, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_add(k, nullptr, &policies, 1000) == ATTEST_E_ARGUMENT);
  policies.runtime_policy = "x";
  policies.runtime_policy_len = 1;
  CHECK(attest_keylime_add(k, agent.get(), &policies, 1000) == ATTEST_E_MALFORMED);
  const auto runtime = ATTEST_KEYLIME_RUNTIME_POLICY;
  CHECK(attest_keylime_policy_create(k, any<attest_keylime_policy_kind>(0), "a", "{}", 2, 1000) ==
        ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_policy_create(k, runtime, "a/b", R"({"digests":{}})", 14, 1000) ==
        ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_policy_create(k, runtime, "a", "{}", 2, 1000) == ATTEST_E_MALFORMED);
  CHECK(attest_keylime_policy_read(&buffer, k, any<attest_keylime_policy_kind>(3), "a", 1000) ==
        ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_policy_list(&buffer, k, any<attest_keylime_policy_kind>(-1), 1000) ==
        ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_policy_delete(k, runtime, nullptr, 1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_identity_quote(&quote, k, agent.get(), "short", 1000) == ATTEST_E_ARGUMENT);
  CHECK(quote == nullptr);
  // No certificate is registered: there is nothing to hold the agent to.
  CHECK(attest_keylime_identity_quote(&quote, k, agent.get(), kNonce.c_str(), 1000) ==
        ATTEST_E_PEER);
  CHECK(attest_keylime_integrity_quote(&quote, k, agent.get(), kNonce.c_str(), 1U << 24U, 0, 1,
                                       1000) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_integrity_quote(&quote, k, agent.get(), kNonce.c_str(), 1, 0, 2, 1000) ==
        ATTEST_E_ARGUMENT);
  attest_keylime_quote_info got = ATTEST_KEYLIME_QUOTE_INFO_INIT;
  CHECK(attest_keylime_quote_get_info(&got, nullptr) == ATTEST_E_ARGUMENT);
  attest_keylime_quote_free(nullptr);
  attest_keylime_agent_free(nullptr);
}

TEST_CASE("a diagnosis lists what is wrong") {
  Keylime keylime;
  REQUIRE(make(keylime, options()) == ATTEST_OK);
  KeylimeDiagnosis diagnosis;
  attest_keylime_options o = options();
  o.verifier = nullptr;
  o.registrar = nullptr;
  REQUIRE(make(keylime, o) == ATTEST_OK);
  const std::string configuration = "[registrar]\nip = 0.0.0.0\n";
  REQUIRE(attest_keylime_diagnose(diagnosis.place(), keylime.get(), configuration.data(),
                                  configuration.size(), 0, 1000) == ATTEST_OK);
  CHECK(attest_keylime_diagnosis_num_checks(diagnosis.get()) == 5);
  attest_keylime_check check = ATTEST_KEYLIME_CHECK_INIT;
  REQUIRE(attest_keylime_diagnosis_check(&check, diagnosis.get(), 4) == ATTEST_OK);
  CHECK(check.id == std::string("addresses"));
  CHECK(check.health == ATTEST_KEYLIME_HEALTH_BAD);
  CHECK(std::string(check.message).find("[registrar] ip = 0.0.0.0") != std::string::npos);
  CHECK(attest_keylime_diagnosis_check(&check, diagnosis.get(), 5) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_diagnosis_check(&check, nullptr, 0) == ATTEST_E_ARGUMENT);
  CHECK(attest_keylime_diagnosis_num_checks(nullptr) == 0);
  attest_keylime_diagnosis_free(nullptr);
}

TEST_CASE("verdicts and healths have names, other numbers have none") {
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_UNKNOWN) == std::string("unknown"));
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_TRUSTED) == std::string("trusted"));
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_FAILED) == std::string("failed"));
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_PENDING) == std::string("pending"));
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_UNREACHABLE) == std::string("unreachable"));
  CHECK(attest_keylime_verdict_name(ATTEST_KEYLIME_NOT_ATTESTED) == std::string("not-attested"));
  CHECK(attest_keylime_health_name(ATTEST_KEYLIME_HEALTH_OK) == std::string("ok"));
  CHECK(attest_keylime_health_name(ATTEST_KEYLIME_HEALTH_WARNING) == std::string("warning"));
  CHECK(attest_keylime_health_name(ATTEST_KEYLIME_HEALTH_BAD) == std::string("bad"));
  CHECK(attest_keylime_health_name(ATTEST_KEYLIME_HEALTH_UNKNOWN) == std::string("unknown"));
  for (const int number : {-1, 6, 1000}) {
    CHECK(attest_keylime_verdict_name(any<attest_keylime_verdict>(number)) == nullptr);
    CHECK(attest_keylime_health_name(any<attest_keylime_health>(number)) == nullptr);
  }
  CHECK(attest_keylime_health_name(ATTEST_KEYLIME_HEALTH_NONE) == nullptr);
}
