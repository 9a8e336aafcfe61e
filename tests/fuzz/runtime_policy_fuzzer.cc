// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::parse_keylime_runtime_policy.
// Property: what is read can be added to a policy, is written as JSON that is read again, and is
// written the same; a policy without SHA-1 takes no rules with SHA-1.

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/policy.h"

using namespace attest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  policy::RuntimePolicyOptions options;
  options.allow_sha1 = size % 2 == 0;
  options.allow_match_all = size % 4 < 2;
  policy::RuntimePolicy rules;
  try {
    rules = policy::parse_keylime_runtime_policy(as_text({data, size}), options);
  } catch (const ParseError& e) {
    if (e.offset() > size) std::abort();
    return 0;
  }
  policy::Policy policy;
  policy.allow_sha1 = options.allow_sha1;
  policy::add_runtime_policy(policy, std::move(rules));
  const std::string text = policy::to_json(policy);
  if (policy::to_json(policy::parse_policy(text)) != text) std::abort();
  return 0;
}
