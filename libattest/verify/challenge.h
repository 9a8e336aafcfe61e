// SPDX-License-Identifier: Apache-2.0

// Binding an attestation key to a TPM: a secret that only the TPM with a certain endorsement key
// reads, and only while it holds the attestation key of a certain Name.

#ifndef LIBATTEST_VERIFY_CHALLENGE_H_
#define LIBATTEST_VERIFY_CHALLENGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/crypto/secret.h"
#include "libattest/tpm/credential.h"
#include "libattest/tpm/ek.h"
#include "libattest/tpm/key.h"

namespace attest::verify {

struct NodeState;

// That the key of this Name and the endorsement key of this digest are of one TPM. Made by a
// challenge that was answered, and by the state of a node that remembers one.
class KeyBinding {
 public:
  Bytes name() const noexcept { return name_; }
  // SHA-256 of the endorsement key's SubjectPublicKeyInfo.
  const crypto::Digest& ek() const noexcept { return ek_; }
  // Whether `key` is the one: with another public area it has another Name.
  bool binds(const tpm::AttestationKey& key) const noexcept;

  friend bool operator==(const KeyBinding&, const KeyBinding&) = default;

 private:
  friend class CredentialChallenge;
  friend NodeState parse_node(std::string_view text);
  KeyBinding(Bytes name, const crypto::Digest& ek) : name_(name.begin(), name.end()), ek_(ek) {}

  std::vector<std::uint8_t> name_;
  crypto::Digest ek_;
};

class CredentialChallenge {
 public:
  // Draws a secret. Throws RefusedError when `ak` is no TPM's restricted signing key, whose answer
  // would prove nothing.
  CredentialChallenge(const tpm::EndorsementKey& ek, std::shared_ptr<const tpm::AttestationKey> ak);

  // What the node gives to TPM2_ActivateCredential.
  const tpm::Credential& credential() const noexcept { return credential_; }
  const std::shared_ptr<const tpm::AttestationKey>& key() const noexcept { return key_; }

  // Compares what the TPM returned, in constant time and once: the secret is wiped, and nothing is
  // right any more.
  std::optional<KeyBinding> check(Bytes answer);
  bool checked() const noexcept { return secret_.empty(); }

 private:
  std::shared_ptr<const tpm::AttestationKey> key_;
  crypto::Digest ek_;
  crypto::Secret secret_;
  tpm::Credential credential_;
};

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_CHALLENGE_H_
