// SPDX-License-Identifier: Apache-2.0

// TPM_PUBKEY, TPM_KEY and TPM_KEY12: a TPM 1.2's RSA keys. TPM Main Specification 1.2 (rev. 116),
// Part 2: Structures, section 10.

#ifndef LIBATTEST_TPM_KEY12_H_
#define LIBATTEST_TPM_KEY12_H_

#include <cstdint>
#include <optional>

#include "libattest/base/reader.h"
#include "libattest/crypto/key.h"

namespace attest::tpm {

inline constexpr std::uint16_t kKeyIdentity = 0x0012;   // section 5.8 TPM_KEY_IDENTITY
inline constexpr std::uint16_t kEsNone = 0x0001;        // section 5.8 TPM_ES_NONE
inline constexpr std::uint16_t kSsRsassaSha1 = 0x0002;  // TPM_SS_RSASSAPKCS1v15_SHA1

// Section 5.10 TPM_KEY_FLAGS.
enum Key12Flag : std::uint32_t {
  kRedirection = 0x1,
  kMigratable = 0x2,
  kIsVolatile = 0x4,
  kPcrIgnoredOnRead = 0x8,
  kMigrateAuthority = 0x10,
};

// What a key is for.
struct Key12Use {
  std::uint16_t usage = 0;  // TPM_KEY_USAGE
  std::uint32_t flags = 0;  // TPM_KEY_FLAGS
};

// The Bytes are views into the input.
struct Key12 {
  std::optional<Key12Use> use;  // of TPM_KEY and TPM_KEY12; a TPM_PUBKEY does not say
  std::uint16_t enc_scheme = 0;
  std::uint16_t sig_scheme = 0;
  std::uint32_t key_bits = 0;
  std::uint32_t exponent = 0;  // 65537 where the structure leaves it out
  Bytes modulus;
};

// Whether `in` begins as one of the three: an algorithm, a version, or a tag with its filler.
bool is_key12(Bytes in) noexcept;

// All of `in`, for which is_key12 holds. Any other algorithm than RSA throws ParseError, and so
// does a key of more than two primes. The wrapped private part is skipped.
Key12 parse_key12(Bytes in);

// The key itself. Throws ParseError where crypto::PublicKey does, and for a modulus that is not of
// key_bits bits.
crypto::PublicKey public_key_of(const Key12& key);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_KEY12_H_
