// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/ek.h"

#include <tss2/tss2_tpm2_types.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/tpm/ek_certificate.h"
#include "libattest/tpm/public.h"

namespace attest::tpm {
namespace {

using crypto::Curve;
using crypto::Hash;

constexpr std::uint32_t kRsaExponent = 65537;
constexpr std::size_t kMinRsaBits = 2048;

[[noreturn]] void refuse(std::string_view why) {
  throw RefusedError("endorsement key: " + std::string(why));
}

// Part 2, 8.3 TPMA_OBJECT, as the profile's templates set them (B.3 and B.4).
void check_attributes(const PublicArea& area) {
  struct Bit {
    std::uint32_t mask;
    std::string_view name;
  };
  constexpr std::array<Bit, 5> kRequired{{{kFixedTpm, "fixedTPM"},
                                          {kFixedParent, "fixedParent"},
                                          {kSensitiveDataOrigin, "sensitiveDataOrigin"},
                                          {kRestricted, "restricted"},
                                          {kDecrypt, "decrypt"}}};
  for (const Bit& bit : kRequired) {
    if ((area.attributes & bit.mask) == 0) {
      refuse("its public area is not an EK's: " + std::string(bit.name) + " is clear");
    }
  }
  if ((area.attributes & kSign) != 0) refuse("its public area is not an EK's: sign is set");
  if (area.scheme != kAlgNull) refuse("its public area is not an EK's: it has a scheme");
  if (area.kdf != kAlgNull) refuse("its public area is not an EK's: it has a KDF");
}

Hash name_alg_of(const PublicArea& area) {
  const auto hash = crypto::hash_from_id(area.name_alg);
  if (hash != Hash::kSha256 && hash != Hash::kSha384 && hash != Hash::kSha512) {
    refuse("its nameAlg is not sha256, sha384 or sha512");
  }
  return *hash;
}

std::size_t aes_bits_of(const PublicArea& area) {
  const bool aes = area.symmetric == TPM2_ALG_AES && area.symmetric_mode == TPM2_ALG_CFB &&
                   (area.symmetric_bits == 128 || area.symmetric_bits == 256);
  if (!aes) refuse("its symmetric algorithm is not AES-128 or AES-256 in CFB mode");
  return area.symmetric_bits;
}

void check_strength(const crypto::PublicKey& key) {
  if (key.type() != crypto::KeyType::kRsa) return;
  if (key.bits() < kMinRsaBits) refuse(key.describe() + " is too short");
  if (key.exponent() != kRsaExponent) refuse("its RSA exponent is not the one that TPMs use");
}

// The profile's templates: L-1, H-1 (RSA-2048) and L-2, H-2 (P-256); H-3 (P-384), H-6 (RSA-3072)
// and H-7 (RSA-4096); H-4 (P-521).
struct Template {
  Hash name_alg;
  std::size_t aes_bits;
};
Template template_of(const crypto::PublicKey& key) {
  if (key.curve() == Curve::kP256 || (!key.curve() && key.bits() == 2048)) {
    return {Hash::kSha256, 128};
  }
  if (key.curve() == Curve::kP521) return {Hash::kSha512, 256};
  if (key.curve() == Curve::kP384 || key.bits() == 3072 || key.bits() == 4096) {
    return {Hash::kSha384, 256};
  }
  refuse("there is no template for " + key.describe() + ": give its public area");
}

}  // namespace

EndorsementKey::EndorsementKey(crypto::PublicKey key, Hash name_alg, std::size_t aes_bits)
    : key_(std::move(key)),
      sha256_(crypto::Hasher(Hash::kSha256)(key_.spki())),
      name_alg_(name_alg),
      aes_bits_(aes_bits) {
  check_strength(key_);
}

EndorsementKey EndorsementKey::from_public(Bytes in) {
  const PublicArea area = is_public_2b(in) ? parse_public_2b(in) : parse_public(in);
  check_attributes(area);
  return {public_key_of(area), name_alg_of(area), aes_bits_of(area)};
}

EndorsementKey EndorsementKey::from_certificate(const crypto::Certificate& certificate) {
  crypto::PublicKey key = certificate.key();
  const Template made_by = template_of(key);
  return {std::move(key), made_by.name_alg, made_by.aes_bits};
}

EndorsementKey EndorsementKey::load(Bytes public_area, Bytes certificate) {
  if (public_area.empty() && certificate.empty()) {
    throw std::invalid_argument("an endorsement key is its public area, its certificate, or both");
  }
  if (certificate.empty()) return from_public(public_area);
  crypto::Certificate parsed = parse_ek_certificate(certificate);
  EndorsementKey ek = public_area.empty() ? from_certificate(parsed) : from_public(public_area);
  if (parsed.key().spki() != ek.key().spki()) {
    refuse("the certificate is of another key than the public area");
  }
  ek.certificate_ = std::move(parsed);
  return ek;
}

}  // namespace attest::tpm
