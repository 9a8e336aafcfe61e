// SPDX-License-Identifier: Apache-2.0

// TPMT_PUBLIC and TPM2B_PUBLIC: TPM 2.0 Library, Part 2: Structures, rev. 1.59, sections 12.2.4 and
// 12.2.5, for RSA and ECC keys.

#ifndef LIBATTEST_TPM_PUBLIC_H_
#define LIBATTEST_TPM_PUBLIC_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/key.h"

namespace attest::tpm {

// Section 8.3 TPMA_OBJECT, the bits that matter for attestation and endorsement keys.
enum Attribute : std::uint32_t {
  kFixedTpm = 0x2,
  kFixedParent = 0x10,
  kSensitiveDataOrigin = 0x20,
  kRestricted = 0x10000,
  kDecrypt = 0x20000,
  kSign = 0x40000,
};

inline constexpr std::uint16_t kAlgNull = 0x0010;  // TPM_ALG_NULL

// The Bytes are views into the input.
struct PublicArea {
  Bytes raw;               // the TPMT_PUBLIC, without a TPM2B's size
  std::uint16_t type = 0;  // TPM_ALG_RSA or TPM_ALG_ECC
  std::uint16_t name_alg = 0;
  std::uint32_t attributes = 0;
  Bytes auth_policy;
  std::uint16_t symmetric = kAlgNull;
  std::uint16_t symmetric_bits = 0;  // of its key; this and the mode only where it is not kAlgNull
  std::uint16_t symmetric_mode = kAlgNull;
  std::uint16_t scheme = kAlgNull;
  std::uint16_t scheme_hash = kAlgNull;  // kAlgNull where the scheme has none
  // RSA
  std::uint16_t key_bits = 0;
  std::uint32_t exponent = 0;  // as stored: 0 means 65537
  Bytes modulus;
  // ECC
  std::uint16_t curve = 0;
  std::uint16_t kdf = kAlgNull;
  Bytes x, y;
};

// All of `in` is one TPMT_PUBLIC (RSA or ECC; any other type throws ParseError, as it is no
// signing key).
PublicArea parse_public(Bytes in);
// All of `in` is one TPM2B_PUBLIC.
PublicArea parse_public_2b(Bytes in);

// Whether `in` begins as TPM2B_PUBLIC does: its size says exactly how much follows it. TPMT_PUBLIC
// begins with 0x0001 or 0x0023, and is far larger.
bool is_public_2b(Bytes in) noexcept;

// Part 1, section 16: nameAlg || H_nameAlg(TPMT_PUBLIC). Throws ParseError for a nameAlg that is
// not a digest algorithm we have.
std::vector<std::uint8_t> name_of(const PublicArea& area);

// The key itself. Throws ParseError where crypto::PublicKey does, for a curve that is not on its
// list, and for an RSA modulus whose size is not key_bits.
crypto::PublicKey public_key_of(const PublicArea& area);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_PUBLIC_H_
