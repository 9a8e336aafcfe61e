// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "libattest/base/hex.h"
#include "libattest/verify/quote.h"

namespace attest::verify {
namespace {

using policy::Code;
using policy::Severity;

constexpr std::size_t kMinRsaBits = 2048;
constexpr std::uint32_t kRsaExponent = 65537;

class KeyVerifier {
 public:
  KeyVerifier(const tpm::AttestationKey& key, const policy::KeyPolicy& rules,
              const KeyBinding* binding, policy::Findings& findings)
      : key_(key),
        rules_(rules),
        binding_(binding != nullptr && binding->binds(key) ? binding : nullptr),
        findings_(findings) {}

  // What TPMs make: anything weaker was not made by one, or is within an attacker's reach.
  void check_strength() {
    const crypto::PublicKey& key = key_.key();
    if (key.type() != crypto::KeyType::kRsa) return;
    if (key.bits() < kMinRsaBits) {
      add(Code::kKeyWeak, Severity::kFailure, "RSA-2048 or more", key.describe(),
          "the attestation key is too short");
    }
    if (key.exponent() != kRsaExponent) {
      add(Code::kKeyWeak, Severity::kFailure, "65537", std::to_string(key.exponent()),
          "the attestation key's RSA exponent is not the one that TPMs use");
    }
  }

  // Part 2, 8.3 TPMA_OBJECT and Part 1, 25.1.3: only a restricted signing key that never was
  // outside its TPM refuses to sign a forged attestation.
  void check_attributes() {
    if (key_.key12() != nullptr) {
      check_key12(*key_.key12());
      return;
    }
    const tpm::PublicArea* area = key_.area();
    if (area == nullptr) {
      unknown_attributes(
          "the attestation key was given without its TPM public area: nothing shows that it is a "
          "restricted key of a TPM");
      return;
    }
    struct Bit {
      std::uint32_t mask;
      std::string_view name;
    };
    constexpr std::array<Bit, 5> kRequired{{{tpm::kFixedTpm, "fixedTPM"},
                                            {tpm::kFixedParent, "fixedParent"},
                                            {tpm::kSensitiveDataOrigin, "sensitiveDataOrigin"},
                                            {tpm::kRestricted, "restricted"},
                                            {tpm::kSign, "sign"}}};
    for (const Bit& bit : kRequired) {
      if ((area->attributes & bit.mask) == 0) {
        bad_attribute(std::string(bit.name) + " set", std::string(bit.name) + " clear");
      }
    }
    if ((area->attributes & tpm::kDecrypt) != 0) bad_attribute("decrypt clear", "decrypt set");
    if (area->scheme == tpm::kAlgNull) bad_attribute("a signing scheme", "no scheme");
    if (area->symmetric != tpm::kAlgNull) {
      bad_attribute("no symmetric algorithm", "a symmetric algorithm");
    }
    if (area->kdf != tpm::kAlgNull) bad_attribute("no KDF", "a KDF");
  }

  // Part 1, 16: the Name is as strong as its digest.
  void check_name_algorithm(bool allow_sha1) {
    const tpm::PublicArea* area = key_.area();
    if (area == nullptr || allow_sha1) return;
    if (crypto::hash_from_id(area->name_alg) == crypto::Hash::kSha1) {
      add(Code::kKeyNameAlgorithm, Severity::kFailure, "sha256 or better", "sha1",
          "the attestation key's Name is a SHA-1 digest, which the policy does not allow");
    }
  }

  // The policy's pins, and whether anything binds the key to a TPM.
  void check_binding() {
    const Bytes name = key_.name();
    const bool named = std::ranges::any_of(rules_.names, [&](const auto& pin) {
      return !name.empty() && std::ranges::equal(pin, name);
    });
    if (named) return;
    if (!rules_.names.empty() || !rules_.keys.empty()) {
      const crypto::Digest& digest = key_.spki_sha256();
      if (std::ranges::find(rules_.keys, digest) != rules_.keys.end()) return;
      add(Code::kKeyNotPinned, Severity::kFailure, "a Name or a key that the policy lists",
          name.empty() ? "a key without a Name, of SHA-256 " + to_hex(digest.bytes())
                       : to_hex(name),
          "the attestation key is not one that the policy expects");
      return;
    }
    if (binding_ != nullptr) return;
    add(Code::kKeyNotBound, rules_.binding_required ? Severity::kFailure : Severity::kWarning, {},
        {}, "nothing here binds the attestation key to this node's TPM: the caller vouches for it");
  }

  void claim_binding(policy::Claims& claims) const {
    if (binding_ != nullptr) claims.key_ek = to_hex(binding_->ek().bytes());
  }

 private:
  // TPM 1.2 Part 2, 5.8 TPM_KEY_USAGE and 5.10 TPM_KEY_FLAGS; Part 3, 15.1 TPM_MakeIdentity: an
  // identity key signs what its TPM made, has one scheme, and never leaves its TPM.
  void check_key12(const tpm::Key12& key) {
    if (key.sig_scheme != tpm::kSsRsassaSha1) {
      bad_identity("TPM_SS_RSASSAPKCS1v15_SHA1", "another signature scheme");
    }
    if (key.enc_scheme != tpm::kEsNone) bad_identity("TPM_ES_NONE", "an encryption scheme");
    if (!key.use) {
      unknown_attributes(
          "the attestation key was given as a TPM_PUBKEY, which does not say what it is for: "
          "nothing shows that it is an identity key of a TPM");
      return;
    }
    if (key.use->usage != tpm::kKeyIdentity) bad_identity("TPM_KEY_IDENTITY", "another keyUsage");
    // volatile and pcrIgnoredOnRead are about when it is loaded and who may read it.
    if ((key.use->flags & ~std::uint32_t{tpm::kIsVolatile | tpm::kPcrIgnoredOnRead}) != 0) {
      bad_identity("no keyFlags but volatile and pcrIgnoredOnRead", "others");
    }
  }

  void unknown_attributes(std::string message) {
    add(Code::kKeyAttributesUnknown,
        rules_.attributes_required ? Severity::kFailure : Severity::kWarning, {},
        std::string(tpm::format_name(key_.format())), std::move(message));
  }
  void bad_identity(std::string expected, std::string found) {
    add(Code::kKeyAttributes, Severity::kFailure, std::move(expected), std::move(found),
        "the attestation key is not an identity key that stays in its TPM 1.2");
  }
  void bad_attribute(std::string expected, std::string found) {
    add(Code::kKeyAttributes, Severity::kFailure, std::move(expected), std::move(found),
        "the attestation key is not a TPM's restricted signing key");
  }
  void add(Code code, Severity severity, std::string expected, std::string found,
           std::string message) {
    findings_.add({code,
                   severity,
                   policy::Component::kKey,
                   {},
                   {},
                   {},
                   std::move(expected),
                   std::move(found),
                   std::move(message)});
  }

  const tpm::AttestationKey& key_;
  const policy::KeyPolicy& rules_;
  const KeyBinding* binding_;
  policy::Findings& findings_;
};

}  // namespace

void verify_key(const tpm::AttestationKey& key, const policy::Policy* policy,
                const KeyBinding* binding, bool allow_sha1, policy::Findings& findings,
                policy::Claims& claims) {
  const policy::KeyPolicy no_rules;
  KeyVerifier v(key, policy != nullptr ? policy->ak : no_rules, binding, findings);
  v.check_strength();
  v.check_attributes();
  v.check_name_algorithm(allow_sha1);
  v.check_binding();
  claims.key = key.key().describe();
  claims.key_name = to_hex(key.name());
  v.claim_binding(claims);
}

}  // namespace attest::verify
