// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/challenge.h"

#include <algorithm>
#include <string>

#include "libattest/base/error.h"
#include "libattest/policy/finding.h"
#include "libattest/verify/quote.h"

namespace attest::verify {
namespace {

constexpr std::size_t kSecretSize = 32;  // no more than any EK's nameAlg has

// The checks of an appraisal; what that only warns of must not be bound.
void check_key(const tpm::AttestationKey& key) {
  if (key.key12() != nullptr) {
    throw RefusedError(
        "the attestation key is a TPM 1.2's: it has no Name that a credential could be made for");
  }
  policy::Policy rules;
  rules.ak.attributes_required = true;
  policy::Findings findings;
  policy::Claims claims;
  verify_key(key, &rules, nullptr, false, findings, claims);
  for (const policy::Finding& f : findings.list()) {
    if (f.severity != policy::Severity::kFailure) continue;
    throw RefusedError(f.message + (f.found.empty() ? "" : ": " + f.found));
  }
}

}  // namespace

bool KeyBinding::binds(const tpm::AttestationKey& key) const noexcept {
  return !name_.empty() && std::ranges::equal(name_, key.name());
}

CredentialChallenge::CredentialChallenge(const tpm::EndorsementKey& ek,
                                         std::shared_ptr<const tpm::AttestationKey> ak)
    : key_(std::move(ak)), ek_(ek.sha256()) {
  check_key(*key_);
  secret_ = crypto::Secret::random(kSecretSize);
  credential_ = tpm::make_credential(ek, key_->name(), secret_.bytes());
}

std::optional<KeyBinding> CredentialChallenge::check(Bytes answer) {
  const crypto::Secret secret = std::exchange(secret_, {});
  if (secret.empty() || !crypto::equal_constant_time(secret.bytes(), answer)) return std::nullopt;
  return KeyBinding(key_->name(), ek_);
}

}  // namespace attest::verify
