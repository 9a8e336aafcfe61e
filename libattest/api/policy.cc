// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"

using attest::api::guard;
using attest::api::StateError;
namespace policy = attest::policy;

namespace {

policy::ImaDigest digest_of(const attest_ima_digest& digest) {
  const int number = attest::api::number_of(digest);
  if (number == ATTEST_IMA_DIGEST_DEFAULT) return policy::ImaDigest::kNative;
  if (number < ATTEST_IMA_NATIVE || number > ATTEST_IMA_PADDED_OLD) {
    throw std::invalid_argument("digest is not an attest_ima_digest");
  }
  return static_cast<policy::ImaDigest>(number);
}

bool has_ima_rules(const policy::Policy& p) noexcept { return p.ima && p.ima->rules; }

void refuse_second_rules(const attest_policy& p) {
  if (has_ima_rules(p.policy)) {
    throw StateError("the policy has rules for the IMA list already: two sources are not merged");
  }
}

policy::RuntimePolicyOptions rule_options(const attest_policy& p) noexcept {
  policy::RuntimePolicyOptions options;
  options.allow_sha1 = p.policy.allow_sha1;
  return options;
}

// All or nothing: what throws halfway leaves the policy as it was.
void add_rules(attest_policy& p, policy::RuntimePolicy rules) {
  policy::Policy next = p.policy;
  if (p.ima_digest_only) next.ima->required = true;
  policy::add_runtime_policy(next, std::move(rules));
  p.policy = std::move(next);
  p.ima_digest_only = false;
}

// A text that may be left out: nothing for NULL.
std::optional<std::string_view> optional_text(const char* data, std::size_t len) {
  const std::string_view given = attest::api::text(data, len);
  return data == nullptr ? std::nullopt : std::optional(given);
}

}  // namespace

extern "C" {

attest_status attest_policy_new(attest_policy** out) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_policy{});
  });
}

attest_status attest_policy_parse(attest_policy** out, const char* json, std::size_t json_len) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_policy{policy::parse_policy(attest::api::text(json, json_len))});
  });
}

attest_status attest_policy_set_allow_sha1(attest_policy* policy, int allow) {
  return guard([&] {
    attest::api::require(policy, "policy");
    const bool allowed = attest::api::flag_of(allow, "allow");
    attest::policy::Policy& p = policy->policy;
    if (!allowed && p.allow_sha1 &&
        (p.bank == attest::crypto::Hash::kSha1 || !p.pcrs.empty() || has_ima_rules(p))) {
      throw StateError("the policy has rules that may need SHA-1: refuse it before adding them");
    }
    p.allow_sha1 = allowed;
  });
}

attest_status attest_policy_set_ima_digest(attest_policy* policy, attest_ima_digest digest) {
  return guard([&] {
    attest::api::require(policy, "policy");
    const attest::policy::ImaDigest value = digest_of(digest);
    attest::policy::Policy& p = policy->policy;
    if (!p.ima) {
      attest::policy::ImaPolicy ima;
      ima.required = false;
      if (p.pcrs.contains(ima.pcr) || p.event_log.events.contains(ima.pcr)) {
        throw StateError("the policy judges PCR 10 without the IMA list");
      }
      p.ima = std::move(ima);
      policy->ima_digest_only = true;
    }
    p.ima->digest = value;
  });
}

attest_status attest_policy_add_allowlist(attest_policy* policy, const char* allowlist,
                                          std::size_t allowlist_len, const char* checksum,
                                          std::size_t checksum_len, const char* excludelist,
                                          std::size_t excludelist_len) {
  return guard([&] {
    attest::api::require(policy, "policy");
    attest::api::require(allowlist, "allowlist");
    const auto sum = optional_text(checksum, checksum_len);
    const auto excludes = optional_text(excludelist, excludelist_len);
    refuse_second_rules(*policy);
    add_rules(*policy, attest::policy::parse_allowlist({allowlist, allowlist_len}, sum, excludes,
                                                       rule_options(*policy)));
  });
}

attest_status attest_policy_add_runtime_policy(attest_policy* policy, const char* json,
                                               std::size_t json_len) {
  return guard([&] {
    attest::api::require(policy, "policy");
    const std::string_view in = attest::api::text(json, json_len);
    refuse_second_rules(*policy);
    add_rules(*policy, attest::policy::parse_keylime_runtime_policy(in, rule_options(*policy)));
  });
}

attest_status attest_policy_add_tpm_policy(attest_policy* policy, const char* json,
                                           std::size_t json_len) {
  return guard([&] {
    attest::api::require(policy, "policy");
    const std::string_view in = attest::api::text(json, json_len);
    if (!policy->policy.pcrs.empty()) {
      throw StateError("the policy has reference values already: two sources are not merged");
    }
    attest::policy::Policy next = policy->policy;
    attest::policy::add_keylime_tpm_policy(next, in);
    policy->policy = std::move(next);
  });
}

attest_status attest_policy_add_oat_whitelist(attest_policy* policy, const char* json,
                                              std::size_t json_len) {
  return guard([&] {
    attest::api::require(policy, "policy");
    const std::string_view in = attest::api::text(json, json_len);
    if (const auto why = attest::policy::why_no_oat_whitelist(policy->policy); !why.empty()) {
      throw StateError(std::string(why));
    }
    attest::policy::add_oat_whitelist(policy->policy, in);
  });
}

attest_status attest_policy_to_json(attest_buffer** out, const attest_policy* policy) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(policy, "policy");
    attest::api::give_text(out, attest::policy::to_json(policy->policy));
  });
}

void attest_policy_free(attest_policy* policy) { delete policy; }

}  // extern "C"
