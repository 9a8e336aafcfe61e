// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/policy.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/policy/policy_json.h"
#include "libattest/tpm/pcr.h"

namespace attest::policy {
namespace {

constexpr std::array<std::pair<ImaDigest, std::string_view>, 3> kImaDigests{
    {{ImaDigest::kNative, "native"},
     {ImaDigest::kPadded, "padded"},
     {ImaDigest::kPaddedOld, "padded-old"}}};

[[noreturn]] void contradiction(std::string_view path, std::string_view why) {
  throw ParseError(kPolicyFormat, path, why);
}

bool lists_sha1(const RuntimePolicy& rules) {
  const auto any = [](const auto& lists) {
    return std::ranges::any_of(lists, [](const auto& list) {
      return std::ranges::count(list.second, "sha1", &AllowedDigest::algorithm) != 0;
    });
  };
  return rules.files.has_algorithm("sha1") || any(rules.keyrings) || any(rules.buffers);
}

// PC Client Platform TPM Profile 1.05, 4.6.2: a dynamic launch sets PCR 17 to zero and then extends
// it.
void check_launch(const Policy& policy) {
  if (!policy.launch.required) return;
  const auto references = policy.pcrs.find(tpm::kLaunchPcr);
  if (references == policy.pcrs.end()) {
    if (policy.event_log.events.contains(tpm::kLaunchPcr)) return;
    contradiction("/launch/required",
                  "PCR 17 has neither reference values (/pcrs) nor events (/event_log/events): "
                  "anybody's launch would do");
  }
  for (const crypto::Digest& value : references->second) {
    if (tpm::shows_no_launch(tpm::kLaunchPcr, value)) {
      contradiction("/pcrs/17", "lists the value that it has without the launch that is required");
    }
  }
}

void check_known_events(const Policy& policy) {
  const std::uint32_t judged = policy.judged_pcrs();
  for (const auto& [pcr, events] : policy.event_log.known_events) {
    if ((judged >> pcr & 1U) != 0 && !(policy.ima && policy.ima->pcr == pcr)) continue;
    contradiction("/event_log/known_events/" + std::to_string(pcr),
                  "neither reference values (/pcrs) nor events (/event_log/events) judge this PCR");
  }
}

void check_ima(const Policy& policy, const ImaPolicy& ima) {
  const std::string pcr = std::to_string(ima.pcr);
  if (policy.pcrs.contains(ima.pcr)) {
    contradiction("/pcrs/" + pcr, "the IMA list judges this PCR, whose value no policy can know");
  }
  if (policy.event_log.events.contains(ima.pcr)) {
    contradiction("/event_log/events/" + pcr, "the IMA list judges this PCR");
  }
  if (ima.rules && !policy.allow_sha1 && lists_sha1(*ima.rules)) {
    contradiction("/ima/runtime_policy", "lists SHA-1 digests, which only \"allow_sha1\" allows");
  }
}

}  // namespace

std::optional<ImaDigest> ima_digest_from_name(std::string_view name) noexcept {
  for (const auto& [digest, known] : kImaDigests) {
    if (known == name) return digest;
  }
  return std::nullopt;
}

std::string_view name_of(ImaDigest digest) noexcept {
  for (const auto& [known, name] : kImaDigests) {
    if (known == digest) return name;
  }
  return {};
}

std::uint32_t EventLogPolicy::pcrs_with_rules() const noexcept {
  std::uint32_t mask = 0;
  for (const std::uint32_t pcr : pcrs) mask |= std::uint32_t{1} << pcr;
  for (const auto& [pcr, digests] : events) mask |= std::uint32_t{1} << pcr;
  return mask;
}

std::uint32_t Policy::judged_pcrs() const noexcept {
  std::uint32_t mask = event_log.pcrs_with_rules();
  const auto judge = [&mask](std::uint32_t pcr) { mask |= std::uint32_t{1} << pcr; };
  for (const auto& [pcr, values] : pcrs) judge(pcr);
  if (launch.required) judge(tpm::kLaunchPcr);
  if (ima && (ima->required || ima->rules)) judge(ima->pcr);
  return mask;
}

void check_consistent(const Policy& policy) {
  if (policy.bank == crypto::Hash::kSha1 && !policy.allow_sha1) {
    contradiction("/bank", "sha1, which only \"allow_sha1\" allows");
  }
  for (const std::uint32_t pcr : policy.event_log.pcrs) {
    if (policy.pcrs.contains(pcr) || policy.event_log.events.contains(pcr)) continue;
    contradiction("/event_log/pcrs",
                  "PCR " + std::to_string(pcr) +
                      " has neither reference values (/pcrs) nor events (/event_log/events): a log "
                      "alone proves nothing");
  }
  check_launch(policy);
  check_known_events(policy);
  if (policy.ima) check_ima(policy, *policy.ima);
}

void add_runtime_policy(Policy& policy, RuntimePolicy rules) {
  if (policy.ima && policy.ima->rules) {
    contradiction("/ima/runtime_policy", "the policy has one already: two are not merged");
  }
  Policy next = policy;
  if (!next.ima) next.ima.emplace();
  next.ima->rules = std::make_shared<const RuntimePolicy>(std::move(rules));
  check_consistent(next);
  policy = std::move(next);
}

}  // namespace attest::policy
