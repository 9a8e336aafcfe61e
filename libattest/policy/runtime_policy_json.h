// SPDX-License-Identifier: Apache-2.0

// Keylime's runtime policy as a part of other JSON.

#ifndef LIBATTEST_POLICY_RUNTIME_POLICY_JSON_H_
#define LIBATTEST_POLICY_RUNTIME_POLICY_JSON_H_

#include <string_view>

#include "libattest/json/value.h"
#include "libattest/json/writer.h"
#include "libattest/policy/runtime_policy.h"

namespace attest::policy {

// `format` names the whole document in errors, as in json::Document::parse.
RuntimePolicy read_runtime_policy(const json::Value& policy, std::string_view format,
                                  const RuntimePolicyOptions& options);

// As read_runtime_policy reads it, sorted. Throws std::invalid_argument for a path, name or pattern
// that is not UTF-8, which JSON can not hold.
void write_runtime_policy(json::Writer& w, const RuntimePolicy& rules);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_RUNTIME_POLICY_JSON_H_
