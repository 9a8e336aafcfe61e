// SPDX-License-Identifier: Apache-2.0

// Reading and writing the digests of a runtime policy.

#ifndef LIBATTEST_POLICY_ALLOWED_DIGEST_H_
#define LIBATTEST_POLICY_ALLOWED_DIGEST_H_

#include <string>
#include <string_view>
#include <variant>

#include "libattest/policy/runtime_policy.h"

namespace attest::policy {

// The digest that `text` is, or what is wrong with it. SHA-1 is refused without options.allow_sha1.
std::variant<AllowedDigest, std::string> parse_allowed_digest(std::string_view text,
                                                              const RuntimePolicyOptions& options);

// As parse_allowed_digest reads it: bare where the length says the algorithm.
std::string to_text(std::string_view algorithm, Bytes digest);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_ALLOWED_DIGEST_H_
