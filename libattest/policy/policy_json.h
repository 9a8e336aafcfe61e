// SPDX-License-Identifier: Apache-2.0

// What the JSON forms of appraisal policies have in common.

#ifndef LIBATTEST_POLICY_POLICY_JSON_H_
#define LIBATTEST_POLICY_POLICY_JSON_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "libattest/json/value.h"
#include "libattest/policy/policy.h"

namespace attest::policy {

inline constexpr std::string_view kPolicyFormat = "appraisal policy";

// Why no rule can rest on the PCR: nothing for one that rules may judge.
std::string_view why_unjudgeable(std::uint64_t pcr) noexcept;

// The PCR that an object's key names, whose value is `value`: decimal, 0 to 23, and one that rules
// may judge.
std::uint32_t read_pcr_key(std::string_view key, const json::Value& value);

// One value of a PCR in that bank.
crypto::Digest read_pcr_value(const json::Value& value, crypto::Hash bank);
// Such values, at least one, sorted and each once.
std::vector<crypto::Digest> read_pcr_values(const json::Value& list, crypto::Hash bank);

// Throws ParseError with the path for a policy that contradicts itself.
void check_consistent(const Policy& policy);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_POLICY_JSON_H_
