// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_body.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "libattest/base/base64.h"
#include "libattest/base/text.h"
#include "libattest/json/value.h"
#include "libattest/net/error.h"
#include "tests/support/parse_error.h"

using namespace attest::net;

namespace {

const std::string kPolicy = R"({"digests":{"/a":["00"]},"excludes":[]})";

KeylimeAgent agent() {
  KeylimeAgent a;
  a.uuid = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000";
  a.ak = {0, 1, 7};
  a.certificate = "-----BEGIN CERTIFICATE-----\n";
  a.ip = "192.0.2.7";
  a.port = 9002;
  return a;
}

class Body {
 public:
  Body(const Api& api, const KeylimePolicies& policies, ApiVersion agent_version = {2, 1})
      : agent_(agent()),
        document_(attest::json::Document::parse(
            add_body(api, {agent_, policies, {"192.0.2.1", 8881}, agent_version, "djI="}),
            "body")) {}

  bool has(const char* key) const { return document_.root().find(key).has_value(); }
  bool is_null(const char* key) const { return document_.root().at(key).is_null(); }
  std::string text(const char* key) const { return std::string(document_.root().at(key).string()); }
  std::string list(const char* key) const {
    std::string out;
    const auto values = document_.root().at(key);
    for (std::size_t i = 0; i < values.size(); ++i) out += std::string(values.at(i).string()) + ' ';
    return out;
  }
  std::uint64_t number(const char* key) const { return document_.root().at(key).number(65535); }

 private:
  KeylimeAgent agent_;
  attest::json::Document document_;
};

std::string base64(const std::string& text) { return attest::to_base64(attest::as_bytes(text)); }

}  // namespace

TEST_CASE("the newest verifier gets a runtime policy, and nothing of the oldest") {
  KeylimePolicies policies;
  policies.runtime_policy = kPolicy;
  const Body body(Api{ApiVersion{2, 6}}, policies);
  CHECK(body.text("cloudagent_ip") == "192.0.2.7");
  CHECK(body.number("cloudagent_port") == 9002);
  CHECK(body.text("verifier_ip") == "192.0.2.1");
  CHECK(body.number("verifier_port") == 8881);
  CHECK(body.text("ak_tpm") == "AAEH");
  CHECK(body.text("mtls_cert") == "-----BEGIN CERTIFICATE-----\n");
  CHECK(body.text("supported_version") == "2.1");
  CHECK(body.text("tpm_policy") == R"({"mask":"0x400"})");
  CHECK(body.text("runtime_policy") == base64(kPolicy));
  CHECK(body.text("runtime_policy_name").empty());
  CHECK(body.is_null("v"));
  CHECK(body.is_null("mb_policy"));
  CHECK(body.is_null("mb_policy_name"));
  CHECK(body.list("accept_tpm_hash_algs") == "sha512 sha384 sha256 ");
  CHECK(body.list("accept_tpm_encryption_algs") == "ecc rsa rsa3072 rsa4096 ecc384 ecc521 ");
  CHECK(body.list("accept_tpm_signing_algs") == "rsassa ecdsa ");
  for (const char* key : {"allowlist", "vtpm_policy", "ima_policy_bundle", "ima_policy_name"}) {
    CHECK_FALSE(body.has(key));
  }
}

TEST_CASE("API 2.1 is 6.4 to 7.10: the policy is there in both forms") {
  KeylimePolicies policies;
  policies.runtime_policy = kPolicy;
  policies.policy_name = "golden";
  const Body body(Api{ApiVersion{2, 1}}, policies);
  CHECK(body.text("runtime_policy") == base64(kPolicy));
  CHECK(body.text("allowlist").find(R"("hashes":{"/a":["00"]})") != std::string::npos);
  CHECK(body.text("ima_policy_bundle") == "{}");
  CHECK(body.text("ima_policy_name") == "golden");
  CHECK(body.text("runtime_policy_name") == "golden");
  CHECK(body.text("v") == "djI=");
  CHECK(body.text("mb_refstate") == "null");
}

TEST_CASE("a stored policy is named, and none is sent with it") {
  KeylimePolicies policies;
  policies.policy_name = "golden";
  const Body body(Api{ApiVersion{2, 1}}, policies);
  CHECK(body.text("runtime_policy").empty());
  CHECK_FALSE(body.has("allowlist"));
  CHECK(body.text("ima_policy_name") == "golden");
  CHECK(body.text("tpm_policy") == R"({"mask":"0x400"})");
  for (const Api& api : {Api{}, Api{ApiVersion{1, 0}}, Api{ApiVersion{2, 0}}}) {
    CHECK_THROWS_AS(Body(api, policies), NetError);
  }
}

TEST_CASE("verifiers before 6.4 get an allowlist") {
  KeylimePolicies policies;
  policies.runtime_policy = kPolicy;
  const Body body(Api{ApiVersion{2, 0}}, policies, {2, 0});
  CHECK(body.text("allowlist").find(R"("hashes":{"/a":["00"]})") != std::string::npos);
  CHECK(body.text("vtpm_policy") == R"({"mask": "0x0"})");
  CHECK(body.text("ima_sign_verification_keys") == "[]");
  CHECK(body.text("supported_version") == "2.0");
  CHECK_FALSE(body.has("runtime_policy"));
  CHECK(body.list("accept_tpm_hash_algs") == "sha512 sha384 sha256 ");
  // 6.1: its IMA check works with a bank of SHA-1 only.
  CHECK(Body(Api{}, policies, {1, 0}).list("accept_tpm_hash_algs") == "sha512 sha384 sha256 sha1 ");
}

TEST_CASE("measured boot and TPM policies bring their PCRs") {
  KeylimePolicies policies;
  policies.mb_policy = R"({"a":1})";
  policies.tpm_policy = R"({"22":")" + std::string(64, 'a') + R"("})";
  const Body body(Api{ApiVersion{2, 3}}, policies);
  CHECK(body.text("mb_policy") == R"({"a":1})");
  CHECK(body.text("mb_refstate") == R"({"a":1})");
  CHECK(body.text("tpm_policy").find(R"("mask":"0x40fbff")") != std::string::npos);
  CHECK(body.text("runtime_policy").empty());
}

TEST_CASE("an agent without a certificate has none in the body") {
  KeylimePolicies policies;
  policies.runtime_policy = kPolicy;
  KeylimeAgent bare = agent();
  bare.certificate.clear();
  const std::string body = add_body(Api{}, {bare, policies, {"192.0.2.1", 8881}, {1, 0}, "djI="});
  CHECK(body.find(R"("mtls_cert":null)") != std::string::npos);
}

TEST_CASE("nothing to judge by is refused, and so is what is no policy") {
  KeylimePolicies policies;
  CHECK_THROWS_AS(check_policies(policies), std::invalid_argument);
  policies.policy_name = "../x";
  CHECK_THROWS_AS(check_policies(policies), std::invalid_argument);
  policies = {};
  const auto said = [&] {
    return parse_error_of([&] {
      check_policies(policies);
      return 0;
    });
  };
  policies.runtime_policy = "{}";
  CHECK(said() != "accepted");
  policies = {};
  policies.tpm_policy = R"({"99":"aa"})";
  CHECK(said() != "accepted");
  policies = {};
  policies.mb_policy = "[]";
  CHECK(said() != "accepted");
  policies.mb_policy = "{}";
  CHECK(said() == "accepted");
}

TEST_CASE("policies are stored by their bodies") {
  CHECK(stored_runtime_policy_body(kPolicy) ==
        R"({"runtime_policy":")" + base64(kPolicy) +
            R"(","runtime_policy_key":"","tpm_policy":"{\"mask\":\"0x0\"}"})");
  CHECK(stored_mb_policy_body(R"({"a":1})") == R"({"mb_policy":"{\"a\":1}"})");
}
