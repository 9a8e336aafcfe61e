// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::parse_policy, to_json.
// Property: what is read is written as JSON that is read again, and written the same.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/policy.h"

using namespace attest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  policy::Policy policy;
  try {
    policy = policy::parse_policy(as_text({data, size}));
  } catch (const ParseError& e) {
    if (e.offset() > size) std::abort();
    return 0;
  }
  // Everything read from JSON is UTF-8: writing and reading again must work.
  const std::string text = policy::to_json(policy);
  const policy::Policy again = policy::parse_policy(text);
  if (policy::to_json(again) != text) std::abort();
  if (again.judged_pcrs() != policy.judged_pcrs()) std::abort();
  return 0;
}
