// SPDX-License-Identifier: Apache-2.0

// An endorsement key: the key by which a TPM is known (TCG EK Credential Profile for TPM Family
// 2.0, version 2.5). From its public area, from its certificate, or from both. Nothing here says
// that a genuine TPM holds the private key: that is what a certificate chain or an enrolled digest
// is for.

#ifndef LIBATTEST_TPM_EK_H_
#define LIBATTEST_TPM_EK_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/certificate.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"

namespace attest::tpm {

// Immutable. Owns all that it refers to.
class EndorsementKey {
 public:
  // `public_area` is a TPM2B_PUBLIC or TPMT_PUBLIC, `certificate` DER or PEM; one of them may be
  // empty (both: std::invalid_argument). DER may be followed by padding, as TPMs' NV indices have
  // it: bytes that are all 0x00 or all 0xff.
  //
  // Throws ParseError when one is not of its format; RefusedError when the public area is not that
  // of a storage key which never leaves its TPM (restricted and decrypting), when its algorithms
  // are none that a credential is made with here, and when the two are not of the same key.
  static EndorsementKey load(Bytes public_area, Bytes certificate);

  const crypto::PublicKey& key() const noexcept { return key_; }
  const std::optional<crypto::Certificate>& certificate() const noexcept { return certificate_; }
  // SHA-256 of the DER SubjectPublicKeyInfo.
  const crypto::Digest& sha256() const noexcept { return sha256_; }
  // What credentials for this key are made with: the public area's, else those of the template that
  // the profile has for a certified key of this type and size.
  crypto::Hash name_alg() const noexcept { return name_alg_; }
  std::size_t aes_bits() const noexcept { return aes_bits_; }

 private:
  EndorsementKey(crypto::PublicKey key, crypto::Hash name_alg, std::size_t aes_bits);
  static EndorsementKey from_public(Bytes in);
  static EndorsementKey from_certificate(const crypto::Certificate& certificate);

  crypto::PublicKey key_;
  std::optional<crypto::Certificate> certificate_;
  crypto::Digest sha256_;
  crypto::Hash name_alg_;
  std::size_t aes_bits_;
};

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_EK_H_
