// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/ima_position.h"

#include <array>

namespace attest::verify {
namespace {

// To be raised when the judgement of an entry changes: a newer library judges again what an older
// one has let pass.
constexpr std::uint8_t kRulesVersion = 2;

std::uint8_t byte(bool flag) { return flag ? 1 : 0; }

}  // namespace

std::optional<crypto::Digest> rules_identity(const policy::Policy& policy) {
  if (!policy.ima) return std::nullopt;
  const policy::ImaPolicy& ima = *policy.ima;
  if (ima.rules != nullptr && ima.rules->identity.empty()) return std::nullopt;
  const auto bank = static_cast<std::uint16_t>(policy.bank);
  const std::array<std::uint8_t, 11> fields{kRulesVersion,
                                            static_cast<std::uint8_t>(bank >> 8U),
                                            static_cast<std::uint8_t>(bank),
                                            byte(policy.allow_sha1),
                                            static_cast<std::uint8_t>(ima.pcr),
                                            static_cast<std::uint8_t>(ima.digest),
                                            static_cast<std::uint8_t>(ima.signatures),
                                            byte(ima.violations_fail),
                                            byte(ima.boot_aggregate_0_7),
                                            byte(ima.verity),
                                            byte(ima.rules != nullptr)};
  const Bytes rules = ima.rules != nullptr ? ima.rules->identity.bytes() : Bytes();
  return crypto::Hasher(crypto::Hash::kSha256)({fields, rules});
}

}  // namespace attest::verify
