// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_body.h"

#include <initializer_list>
#include <stdexcept>

#include "libattest/base/base64.h"
#include "libattest/base/text.h"
#include "libattest/json/writer.h"
#include "libattest/net/error.h"
#include "libattest/net/keylime_policy.h"

namespace attest::net {
namespace {

constexpr ApiVersion kStoredPolicies{2, 1};  // runtime policies are looked up by name
constexpr ApiVersion kOneForm{2, 2};         // runtime policies, and nothing of allowlists
constexpr ApiVersion kWithoutV{2, 3};        // "v" may be null, mb_policy replaces mb_refstate
constexpr ApiVersion kSizedKeys{2, 5};       // "rsa2048" beside "rsa"

std::string base64_of(std::string_view text) { return to_base64(as_bytes(text)); }

void write_list(json::Writer& writer, std::string_view key,
                std::initializer_list<const char*> values) {
  writer.key(key).begin_array();
  for (const char* value : values) writer.value(value);
  writer.end_array();
}

// What the agent's quotes may be made with. SHA-1 only where nothing else was known to work.
void write_algorithms(json::Writer& writer, const Api& api) {
  if (api.version) {
    write_list(writer, "accept_tpm_hash_algs", {"sha512", "sha384", "sha256"});
  } else {
    write_list(writer, "accept_tpm_hash_algs", {"sha512", "sha384", "sha256", "sha1"});
  }
  if (api.since(kSizedKeys)) {
    write_list(writer, "accept_tpm_encryption_algs",
               {"ecc", "rsa", "rsa3072", "rsa4096", "ecc384", "ecc521"});
  } else {
    write_list(writer, "accept_tpm_encryption_algs", {"ecc", "rsa"});
  }
  write_list(writer, "accept_tpm_signing_algs", {"rsassa", "ecdsa"});
}

std::uint32_t mask_of(const KeylimePolicies& policies) {
  std::uint32_t mask = 0;
  if (policies.runtime_policy || policies.policy_name) mask |= pcr_bit(kImaPcr);
  if (policies.mb_policy) mask |= kMeasuredBootMask;
  return mask;
}

// 6.1 to 6.5: the allowlist as a text, the keys of signatures apart from it.
void write_allowlist(json::Writer& writer, const KeylimePolicies& policies) {
  const auto& policy = policies.runtime_policy;
  writer.member("allowlist", policy ? legacy_allowlist(*policy) : std::string("{}"));
  writer.member("ima_sign_verification_keys",
                policy ? legacy_verification_keys(*policy) : std::string("[]"));
}

// From 6.4 on. 6.4 and 6.5 read the keys of the first three lines, 6.6 to 7.10 runtime_policy; they
// have one number, 2.1.
void write_runtime_policy(json::Writer& writer, const Api& api, const KeylimePolicies& policies) {
  const auto& policy = policies.runtime_policy;
  const std::string name = policies.policy_name.value_or("");
  if (!api.since(kOneForm)) {
    if (policy) {
      write_allowlist(writer, policies);
    } else {
      writer.member("ima_sign_verification_keys", "");
    }
    writer.member("ima_policy_bundle", "{}").member("ima_policy_name", name);
  } else {
    writer.member("ima_sign_verification_keys", "");
  }
  writer.member("runtime_policy", base64_of(policy.value_or("")));
  writer.member("runtime_policy_name", name);
  writer.member("runtime_policy_key", "").member("runtime_policy_sig", "");
}

}  // namespace

void check_policies(const KeylimePolicies& policies) {
  if (!policies.runtime_policy && !policies.policy_name && !policies.tpm_policy &&
      !policies.mb_policy) {
    throw std::invalid_argument("no policy: the verifier would judge the agent by nothing");
  }
  if (policies.policy_name) (void)policy_name(*policies.policy_name);
  if (policies.runtime_policy) check_runtime_policy(*policies.runtime_policy);
  if (policies.mb_policy) check_mb_policy(*policies.mb_policy);
  if (policies.tpm_policy) (void)tpm_policy_with_mask(*policies.tpm_policy, 0);
}

std::string add_body(const Api& api, const AddRequest& request) {
  const KeylimePolicies& policies = request.policies;
  const KeylimeAgent& agent = request.agent;
  if (policies.policy_name && !api.since(kStoredPolicies)) {
    throw NetError(Failure::kAnswer, "this verifier's API (" + api.text() +
                                         ") has no runtime policies by name: give the policy");
  }
  json::Writer writer;
  writer.begin_object();
  writer.member("cloudagent_ip", agent.ip).member("cloudagent_port", std::uint32_t{agent.port});
  writer.member("verifier_ip", request.verifier.host);
  writer.member("verifier_port", std::uint32_t{request.verifier.port});
  writer.key("v");
  if (api.since(kWithoutV)) {
    writer.null();
  } else {
    writer.value(request.v);
  }
  writer.member("supported_version", request.agent_version.text());
  writer.member("ak_tpm", to_base64(agent.ak)).key("mtls_cert");
  if (agent.certificate.empty()) {
    writer.null();
  } else {
    writer.value(agent.certificate);
  }
  writer.member("tpm_policy",
                tpm_policy_with_mask(policies.tpm_policy.value_or(""), mask_of(policies)));
  if (api.since(kStoredPolicies)) {
    write_runtime_policy(writer, api, policies);
  } else {
    writer.member("vtpm_policy", R"({"mask": "0x0"})");
    write_allowlist(writer, policies);
  }
  writer.member("mb_refstate", policies.mb_policy.value_or("null"));
  writer.member("mb_policy", policies.mb_policy).key("mb_policy_name").null();
  writer.member("metadata", "{}").member("revocation_key", "");
  write_algorithms(writer, api);
  writer.end_object();
  return writer.take();
}

std::string stored_runtime_policy_body(std::string_view runtime_policy) {
  json::Writer writer;
  writer.begin_object().member("runtime_policy", base64_of(runtime_policy));
  writer.member("runtime_policy_key", "").member("tpm_policy", tpm_policy_with_mask("", 0));
  writer.end_object();
  return writer.take();
}

std::string stored_mb_policy_body(std::string_view mb_policy) {
  json::Writer writer;
  writer.begin_object().member("mb_policy", mb_policy).end_object();
  return writer.take();
}

}  // namespace attest::net
