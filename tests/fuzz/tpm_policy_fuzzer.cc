// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::add_keylime_tpm_policy.
// Property: what is refused changes nothing; what is accepted has values of the bank's size for
// PCRs that can be judged, and is written as JSON that is read again as the same.

#include <cstdint>
#include <cstdlib>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/policy.h"

using namespace attest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  policy::Policy policy;
  if (size % 2 == 1) policy.ima.emplace().pcr = 11;
  const std::string before = policy::to_json(policy);
  try {
    policy::add_keylime_tpm_policy(policy, as_text({data, size}));
  } catch (const ParseError& e) {
    if (e.offset() > size || policy::to_json(policy) != before) std::abort();
    return 0;
  }
  for (const auto& [pcr, values] : policy.pcrs) {
    if (pcr > 22 || pcr == 10 || pcr == 16 || values.empty()) std::abort();
    for (const crypto::Digest& value : values) {
      if (value.size() != crypto::hash_size(policy.bank)) std::abort();
    }
  }
  const std::string text = policy::to_json(policy);
  if (policy::to_json(policy::parse_policy(text)) != text) std::abort();
  return 0;
}
