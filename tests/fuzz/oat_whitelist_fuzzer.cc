// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::add_oat_whitelist.
// Property: what is refused changes nothing; what is accepted has one value of 20 bytes for each
// PCR, of PCRs that are OAT's, and is written as JSON that is read again as the same.

#include <cstdint>
#include <cstdlib>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/policy.h"

using namespace attest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  policy::Policy policy;
  policy.allow_sha1 = size % 8 != 0;
  if (size % 2 == 1) policy.ima.emplace().pcr = 7;
  const bool willing = policy.allow_sha1;
  const std::string before = policy::to_json(policy);
  try {
    policy::add_oat_whitelist(policy, as_text({data, size}));
  } catch (const ParseError& e) {
    if (e.offset() > size || policy::to_json(policy) != before) std::abort();
    return 0;
  }
  if (!willing || policy.bank != crypto::Hash::kSha1 || policy.pcrs.empty()) std::abort();
  for (const auto& [pcr, values] : policy.pcrs) {
    if (pcr > 7 && (pcr < 17 || pcr > 19)) std::abort();
    if (values.size() != 1 || values[0].size() != 20) std::abort();
  }
  const std::string text = policy::to_json(policy);
  if (policy::to_json(policy::parse_policy(text)) != text) std::abort();
  return 0;
}
