// SPDX-License-Identifier: Apache-2.0

// An attestation key as its owner has it: TPM public area, a TPM 1.2's key structure, PEM, DER or
// certificate.

#ifndef LIBATTEST_TPM_KEY_H_
#define LIBATTEST_TPM_KEY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"
#include "libattest/tpm/key12.h"
#include "libattest/tpm/public.h"

namespace attest::tpm {

// Numbers are part of the C ABI (attest_key_format).
enum class KeyFormat : std::uint8_t {
  kTpm2bPublic = 1,
  kTpmtPublic = 2,
  kPem = 3,
  kSpkiDer = 4,
  kCertificatePem = 5,
  kCertificateDer = 6,
  kTpmPubkey = 7,  // TPM 1.2
  kTpmKey = 8,     // TPM 1.2: TPM_KEY or TPM_KEY12
};
std::string_view format_name(KeyFormat format) noexcept;  // "TPM2B_PUBLIC"

// Immutable. Owns all that it refers to.
class AttestationKey {
 public:
  // Detects the format by content: PEM armour; DER's 0x30 (SubjectPublicKeyInfo or certificate);
  // what a TPM 1.2's structures begin with; a 16-bit size that equals the rest: TPM2B_PUBLIC; else
  // TPMT_PUBLIC.
  // Throws ParseError, with the format's name, when the bytes are not exactly one public key.
  static AttestationKey load(Bytes in);

  KeyFormat format() const noexcept { return format_; }
  const crypto::PublicKey& key() const noexcept { return key_; }
  // What a TPM 2.0 knows of its key. Null for all others: PEM and DER keys carry neither attributes
  // nor a Name, and a TPM 1.2 has none.
  const PublicArea* area() const noexcept { return area_ ? &*area_ : nullptr; }
  // What a TPM 1.2 knows of its key; null for all others.
  const Key12* key12() const noexcept { return key12_ ? &*key12_ : nullptr; }
  // TPM Name; empty when there is no area.
  Bytes name() const noexcept { return name_; }
  // SHA-256 of the DER SubjectPublicKeyInfo. Made at the first call and kept: OpenSSL takes longer
  // to encode a key than to verify a signature with it, and most callers never ask.
  const crypto::Digest& spki_sha256() const;

  AttestationKey(AttestationKey&&) = default;
  AttestationKey& operator=(AttestationKey&&) = default;

 private:
  AttestationKey(KeyFormat format, crypto::PublicKey key);

  KeyFormat format_;
  crypto::PublicKey key_;
  // Without a lock, which a fork in another thread could leave locked: two threads may both make
  // it.
  struct Made {
    Made() = default;
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
    ~Made() { delete digest.load(); }
    std::atomic<const crypto::Digest*> digest = nullptr;
  };
  std::unique_ptr<Made> spki_sha256_ = std::make_unique<Made>();
  std::vector<std::uint8_t>
      raw_;  // what area_ and key12_ look into; moving a vector keeps its bytes in place
  std::optional<PublicArea> area_;
  std::optional<Key12> key12_;
  std::vector<std::uint8_t> name_;
};

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_KEY_H_
