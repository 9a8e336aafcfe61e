// SPDX-License-Identifier: Apache-2.0

// Public keys: signatures (RSA PKCS#1 v1.5 and PSS, ECDSA on the NIST curves), and secrets for the
// holder of the private key (RSA-OAEP, ECDH).

#ifndef LIBATTEST_CRYPTO_KEY_H_
#define LIBATTEST_CRYPTO_KEY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/secret.h"

struct evp_pkey_st;

namespace attest::crypto {

enum class KeyType : std::uint8_t { kRsa, kEc };

// TPM_ECC_CURVE numbers (TCG Algorithm Registry, rev. 1.34, section 6.4).
enum class Curve : std::uint16_t { kP256 = 0x0003, kP384 = 0x0004, kP521 = 0x0005 };
std::string_view curve_name(Curve curve) noexcept;  // "P-256"
std::size_t curve_size(Curve curve) noexcept;       // bytes of a coordinate

// TPM_ALG_ID numbers of signing schemes.
enum class Scheme : std::uint16_t { kRsassa = 0x0014, kRsapss = 0x0016, kEcdsa = 0x0018 };
std::string_view scheme_name(Scheme scheme) noexcept;  // "RSASSA"

// One side's part of an elliptic curve Diffie-Hellman exchange. Coordinates are big-endian and of
// the curve's size.
struct KeyAgreement {
  std::vector<std::uint8_t> x, y;  // the ephemeral public key, for the other side
  Secret z;                        // the x-coordinate of the shared point
};

// A public key, immutable and cheap to copy. RSA of 1024 to 8192 bits, or a curve of the list
// above: making one of any other key throws ParseError with `format` as the format's name.
class PublicKey {
 public:
  // Big-endian modulus and coordinates, as in TPMT_PUBLIC.unique.
  static PublicKey rsa(Bytes modulus, std::uint32_t exponent, std::string_view format);
  static PublicKey ec(Curve curve, Bytes x, Bytes y, std::string_view format);
  // DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7); nothing may follow it.
  static PublicKey from_spki(Bytes der);
  // The first and only PEM block: "PUBLIC KEY" or "CERTIFICATE".
  static PublicKey from_pem(Bytes pem);
  // The subject's key of a DER X.509 certificate; nothing may follow it. The certificate's own
  // signature, names and dates are not looked at.
  static PublicKey from_certificate(Bytes der);

  KeyType type() const noexcept { return type_; }
  // Size of the modulus or of the curve, in bits.
  std::size_t bits() const noexcept { return bits_; }
  std::optional<Curve> curve() const noexcept { return curve_; }  // nothing for RSA
  // RSA's public exponent; 0 for EC and for one that needs more than 32 bits.
  std::uint32_t exponent() const noexcept { return exponent_; }
  std::string describe() const;  // "RSA-2048", "P-256"

  // DER SubjectPublicKeyInfo.
  std::vector<std::uint8_t> spki() const;
  // The bits of the subjectPublicKey BIT STRING: PKCS#1 RSAPublicKey or an uncompressed EC point.
  std::vector<std::uint8_t> key_bits() const;

  // Whether `signature` is this key's signature of a message with digest `digest`, which is of
  // `hash`. RSA signatures are as long as the modulus, ECDSA signatures are DER (SEQUENCE of r, s).
  // RSAPSS salts have the digest's size or the largest that fits (TPM 2.0 Library Part 1, B.7).
  // False when the scheme is not one of the key's type. Any number of threads may ask at a time.
  bool verify_digest(Scheme scheme, Hash hash, Bytes digest, Bytes signature) const;

  // RSAES-OAEP (RFC 8017, 7.1) with MGF1 of the same hash. std::invalid_argument for an EC key and
  // for a message that is too long.
  std::vector<std::uint8_t> encrypt_oaep(Hash hash, Bytes label, Bytes message) const;
  // A fresh ephemeral key, and what it shares with this one (NIST SP 800-56A rev. 3, 5.7.1.2).
  // std::invalid_argument for an RSA key.
  KeyAgreement agree() const;

 private:
  using Handle = std::shared_ptr<evp_pkey_st>;
  // Asks the key what it is, and refuses it where it is none of the above.
  PublicKey(Handle key, std::string_view format);
  // A key that was made of checked numbers.
  PublicKey(Handle key, KeyType type, std::size_t bits, std::string_view format);

  Handle key_;
  KeyType type_ = KeyType::kRsa;
  std::size_t bits_ = 0;
  std::optional<Curve> curve_;
  std::uint32_t exponent_ = 0;
};

// The DER form of an ECDSA signature (RFC 3279, section 2.2.3) from big-endian r and s.
std::vector<std::uint8_t> ecdsa_der(Bytes r, Bytes s);

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_KEY_H_
