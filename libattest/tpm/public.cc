// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/public.h"

#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

#include "libattest/tpm/tpm2b.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "TPMT_PUBLIC";
constexpr std::string_view kFormat2b = "TPM2B_PUBLIC";

constexpr std::size_t kMaxDigest = sizeof(TPMU_HA);
constexpr std::size_t kMaxRsa = sizeof(TPM2B_PUBLIC_KEY_RSA::buffer);
constexpr std::size_t kMaxEcc = sizeof(TPM2B_ECC_PARAMETER::buffer);
constexpr std::uint32_t kDefaultExponent = 65537;

static_assert(kFixedTpm == TPMA_OBJECT_FIXEDTPM && kFixedParent == TPMA_OBJECT_FIXEDPARENT &&
              kSensitiveDataOrigin == TPMA_OBJECT_SENSITIVEDATAORIGIN &&
              kRestricted == TPMA_OBJECT_RESTRICTED && kDecrypt == TPMA_OBJECT_DECRYPT &&
              kSign == TPMA_OBJECT_SIGN_ENCRYPT && kAlgNull == TPM2_ALG_NULL);

// TPMT_SYM_DEF_OBJECT (section 11.1.7)
void symmetric(Reader& r, PublicArea& a) {
  a.symmetric = r.u16be("parameters.symmetric.algorithm");
  switch (a.symmetric) {
    case TPM2_ALG_NULL:
      return;
    case TPM2_ALG_AES:
    case TPM2_ALG_SM4:
    case TPM2_ALG_CAMELLIA:
      a.symmetric_bits = r.u16be("parameters.symmetric.keyBits");
      a.symmetric_mode = r.u16be("parameters.symmetric.mode");
      return;
    default:
      r.fail("parameters.symmetric.algorithm", "not a symmetric cipher");
  }
}

// TPMT_RSA_SCHEME (section 11.2.4.2)
void rsa_scheme(Reader& r, PublicArea& a) {
  a.scheme = r.u16be("parameters.scheme.scheme");
  switch (a.scheme) {
    case TPM2_ALG_NULL:
    case TPM2_ALG_RSAES:
      return;
    case TPM2_ALG_RSASSA:
    case TPM2_ALG_RSAPSS:
    case TPM2_ALG_OAEP:
      a.scheme_hash = r.u16be("parameters.scheme.details.hashAlg");
      return;
    default:
      r.fail("parameters.scheme.scheme", "not an RSA scheme");
  }
}

// TPMT_ECC_SCHEME (section 11.2.5.6)
void ecc_scheme(Reader& r, PublicArea& a) {
  a.scheme = r.u16be("parameters.scheme.scheme");
  switch (a.scheme) {
    case TPM2_ALG_NULL:
      return;
    case TPM2_ALG_ECDSA:
    case TPM2_ALG_SM2:
    case TPM2_ALG_ECSCHNORR:
    case TPM2_ALG_ECDH:
    case TPM2_ALG_ECMQV:
      a.scheme_hash = r.u16be("parameters.scheme.details.hashAlg");
      return;
    case TPM2_ALG_ECDAA:
      a.scheme_hash = r.u16be("parameters.scheme.details.hashAlg");
      r.u16be("parameters.scheme.details.count");
      return;
    default:
      r.fail("parameters.scheme.scheme", "not an ECC scheme");
  }
}

// TPMT_KDF_SCHEME (section 11.2.3.3)
void kdf(Reader& r, PublicArea& a) {
  a.kdf = r.u16be("parameters.kdf.scheme");
  switch (a.kdf) {
    case TPM2_ALG_NULL:
      return;
    case TPM2_ALG_MGF1:
    case TPM2_ALG_KDF1_SP800_56A:
    case TPM2_ALG_KDF2:
    case TPM2_ALG_KDF1_SP800_108:
      r.u16be("parameters.kdf.details.hashAlg");
      return;
    default:
      r.fail("parameters.kdf.scheme", "not a key derivation");
  }
}

PublicArea parse_area(Reader r) {
  PublicArea a;
  a.type = r.u16be("type");
  if (a.type != TPM2_ALG_RSA && a.type != TPM2_ALG_ECC) r.fail("type", "neither RSA nor ECC");
  a.name_alg = r.u16be("nameAlg");
  a.attributes = r.u32be("objectAttributes");
  a.auth_policy = tpm2b(r, kMaxDigest, "authPolicy");
  symmetric(r, a);
  if (a.type == TPM2_ALG_RSA) {
    rsa_scheme(r, a);
    a.key_bits = r.u16be("parameters.keyBits");
    a.exponent = r.u32be("parameters.exponent");
    a.modulus = tpm2b(r, kMaxRsa, "unique");
  } else {
    ecc_scheme(r, a);
    a.curve = r.u16be("parameters.curveID");
    kdf(r, a);
    a.x = tpm2b(r, kMaxEcc, "unique.x");
    a.y = tpm2b(r, kMaxEcc, "unique.y");
  }
  r.expect_end(kFormat);
  return a;
}

std::optional<crypto::Curve> curve_of(std::uint16_t id) noexcept {
  for (const crypto::Curve c : {crypto::Curve::kP256, crypto::Curve::kP384, crypto::Curve::kP521}) {
    if (static_cast<std::uint16_t>(c) == id) return c;
  }
  return std::nullopt;
}

}  // namespace

PublicArea parse_public(Bytes in) {
  PublicArea a = parse_area(Reader(in, kFormat));
  a.raw = in;
  return a;
}

PublicArea parse_public_2b(Bytes in) {
  Reader r(in, kFormat2b);
  const std::uint16_t size = r.u16be("size");
  const Reader area = r.sub(size, "publicArea");
  r.expect_end(kFormat2b);
  PublicArea a = parse_area(area);
  a.raw = in.last(size);
  return a;
}

bool is_public_2b(Bytes in) noexcept {
  return in.size() >= 2 && (std::size_t{in[0]} << 8U | in[1]) == in.size() - 2;
}

std::vector<std::uint8_t> name_of(const PublicArea& area) {
  const std::optional<crypto::Hash> hash = crypto::hash_from_id(area.name_alg);
  if (!hash) throw ParseError(kFormat, 2, "nameAlg", "not a digest algorithm known here");
  const crypto::Digest digest = crypto::Hasher(*hash)(area.raw);
  std::vector<std::uint8_t> name(2 + digest.size());
  name[0] = static_cast<std::uint8_t>(area.name_alg >> 8U);
  name[1] = static_cast<std::uint8_t>(area.name_alg & 0xffU);
  std::ranges::copy(digest.bytes(), name.begin() + 2);
  return name;
}

crypto::PublicKey public_key_of(const PublicArea& area) {
  if (area.type == TPM2_ALG_RSA) {
    const std::uint32_t exponent = area.exponent == 0 ? kDefaultExponent : area.exponent;
    crypto::PublicKey key = crypto::PublicKey::rsa(area.modulus, exponent, kFormat);
    if (area.modulus.size() * 8 != area.key_bits || key.bits() != area.key_bits) {
      throw ParseError(kFormat, 0, "unique", "modulus is not of keyBits bits");
    }
    return key;
  }
  const std::optional<crypto::Curve> curve = curve_of(area.curve);
  if (!curve) throw ParseError(kFormat, 0, "parameters.curveID", "neither P-256, P-384 nor P-521");
  return crypto::PublicKey::ec(*curve, area.x, area.y, kFormat);
}

}  // namespace attest::tpm
