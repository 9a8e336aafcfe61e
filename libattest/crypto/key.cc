// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <limits>
#include <new>

#include "libattest/base/pem.h"
#include "libattest/base/text.h"
#include "libattest/crypto/certificate.h"
#include "libattest/crypto/context.h"

namespace attest::crypto {
namespace {

constexpr std::size_t kMinRsaBits = 1024;
constexpr std::size_t kMaxRsaBits = 8192;  // bounds the time of one verification
constexpr std::size_t kMaxInput = 65536;   // bytes of an encoded key or certificate

constexpr std::string_view kBadNumbers = "the numbers do not make a key";
constexpr std::string_view kBadRsaSize = "RSA key is not of 1024 to 8192 bits";
// With an exponent of 1 every message is its own signature.
constexpr std::string_view kBadExponent = "RSA exponent is not an odd number above 1";
// No product of two large primes, and nothing can be computed with it.
constexpr std::string_view kEvenModulus = "RSA modulus is even";

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Bignum = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

struct CurveName {
  Curve curve;
  std::string_view name;
  std::string_view openssl;
  std::size_t size;
};
constexpr std::array<CurveName, 3> kCurves{{{Curve::kP256, "P-256", "prime256v1", 32},
                                            {Curve::kP384, "P-384", "secp384r1", 48},
                                            {Curve::kP521, "P-521", "secp521r1", 66}}};

const CurveName& of(Curve curve) noexcept {
  for (const CurveName& c : kCurves) {
    if (c.curve == curve) return c;
  }
  return kCurves[0];
}

[[noreturn]] void refuse(std::string_view format, std::string_view why) {
  throw ParseError(format, 0, "public key", why);
}

Bignum bignum(Bytes big_endian) {
  return Bignum(
      allocated(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr)));
}

// One of a key's numbers.
Bignum number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) throw std::bad_alloc();
  return Bignum(value);
}

// An EVP_PKEY of `type` from its parameters; null when OpenSSL finds them wrong.
EVP_PKEY* from_params(const char* type, OSSL_PARAM* params) {
  const KeyContext context(
      allocated(EVP_PKEY_CTX_new_from_name(Context::get().lib_ctx(), type, nullptr)));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return nullptr;
  }
  return key;
}

}  // namespace

std::string_view curve_name(Curve curve) noexcept { return of(curve).name; }
std::size_t curve_size(Curve curve) noexcept { return of(curve).size; }

std::string_view scheme_name(Scheme scheme) noexcept {
  switch (scheme) {
    case Scheme::kRsassa:
      return "RSASSA";
    case Scheme::kRsapss:
      return "RSAPSS";
    case Scheme::kEcdsa:
      return "ECDSA";
  }
  return "?";
}

PublicKey::PublicKey(Handle key, KeyType type, std::size_t bits, std::string_view format)
    : key_(std::move(key)), type_(type), bits_(bits) {
  if (!key_) refuse(format, kBadNumbers);
}

PublicKey::PublicKey(Handle key, std::string_view format) : key_(std::move(key)) {
  if (!key_) refuse(format, kBadNumbers);
  bits_ = static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get()));
  if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
    type_ = KeyType::kRsa;
    if (bits_ < kMinRsaBits || bits_ > kMaxRsaBits) {
      refuse(format, kBadRsaSize);
    }
    const Bignum e = number(key_.get(), OSSL_PKEY_PARAM_RSA_E);
    if (BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1) refuse(format, kBadExponent);
    if (BN_is_odd(number(key_.get(), OSSL_PKEY_PARAM_RSA_N).get()) == 0) {
      refuse(format, kEvenModulus);
    }
    const BN_ULONG word = BN_get_word(e.get());
    exponent_ =
        word <= std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(word) : 0;
    return;
  }
  if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
    type_ = KeyType::kEc;
    std::array<char, 64> name{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key_.get(), name.data(), name.size(), &length) == 1) {
      for (const CurveName& c : kCurves) {
        if (c.openssl == std::string_view(name.data(), length)) curve_ = c.curve;
      }
    }
    int is_explicit = 1;
    if (EVP_PKEY_get_int_param(key_.get(), OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &is_explicit) != 1 ||
        is_explicit != 0) {
      refuse(format, "EC key spells out its curve instead of naming it");  // RFC 5480, 2.1.1
    }
    if (!curve_) refuse(format, "EC key is not on P-256, P-384 or P-521");
    return;
  }
  refuse(format, "neither an RSA nor an EC key");
}

PublicKey PublicKey::rsa(Bytes modulus, std::uint32_t exponent, std::string_view format) {
  const QuietErrors quiet;
  if (modulus.size() * 8 > kMaxRsaBits) refuse(format, kBadRsaSize);
  const Bignum n = bignum(modulus);
  const Bignum e(allocated(BN_new()));
  if (BN_set_word(e.get(), exponent) != 1) throw std::bad_alloc();
  const ParamBuild build(allocated(OSSL_PARAM_BLD_new()));
  if (OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    throw std::bad_alloc();
  }
  const Params params(allocated(OSSL_PARAM_BLD_to_param(build.get())));
  if (exponent % 2 == 0 || exponent == 1) refuse(format, kBadExponent);
  const auto bits = static_cast<std::size_t>(BN_num_bits(n.get()));
  if (bits < kMinRsaBits || bits > kMaxRsaBits) refuse(format, kBadRsaSize);
  if (BN_is_odd(n.get()) == 0) refuse(format, kEvenModulus);
  // What is known of the key need not be asked of it.
  return believe_twice([&] {
    PublicKey key(Handle(from_params("RSA", params.get()), EVP_PKEY_free), KeyType::kRsa, bits,
                  format);
    key.exponent_ = exponent;
    return key;
  });
}

PublicKey PublicKey::ec(Curve curve, Bytes x, Bytes y, std::string_view format) {
  const QuietErrors quiet;
  const CurveName& c = of(curve);
  if (x.size() > c.size || y.size() > c.size) refuse(format, "coordinate larger than its curve");
  // SEC 1, 2.3.3: an uncompressed point; coordinates are left-padded to the curve's size.
  std::vector<std::uint8_t> point(1 + 2 * c.size, 0);
  point[0] = 0x04;
  const auto put = [&](Bytes v, std::size_t end) {
    std::copy(v.begin(), v.end(), point.begin() + static_cast<std::ptrdiff_t>(end - v.size()));
  };
  put(x, 1 + c.size);
  put(y, 1 + 2 * c.size);
  const ParamBuild build(allocated(OSSL_PARAM_BLD_new()));
  if (OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, c.openssl.data(),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    throw std::bad_alloc();
  }
  const Params params(allocated(OSSL_PARAM_BLD_to_param(build.get())));
  const std::size_t bits = curve == Curve::kP521 ? 521 : c.size * 8;
  return believe_twice([&] {
    PublicKey key(Handle(from_params("EC", params.get()), EVP_PKEY_free), KeyType::kEc, bits,
                  format);
    key.curve_ = curve;
    return key;
  });
}

PublicKey PublicKey::from_spki(Bytes der) {
  constexpr std::string_view kFormat = "SubjectPublicKeyInfo";
  const QuietErrors quiet;
  if (der.size() > kMaxInput) refuse(kFormat, "larger than 64 KiB");
  return believe_twice([&] {
    const unsigned char* at = der.data();
    EVP_PKEY* key = d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()),
                                  Context::get().lib_ctx(), nullptr);
    if (key == nullptr) refuse(kFormat, "not a DER public key");
    Handle owned(key, EVP_PKEY_free);
    if (at != der.data() + der.size()) {
      throw ParseError(kFormat, static_cast<std::size_t>(at - der.data()), "public key",
                       "has bytes after its end");
    }
    return PublicKey(std::move(owned), kFormat);
  });
}

PublicKey PublicKey::from_pem(Bytes pem) {
  const PemBlock block = parse_pem(as_text(pem));
  if (block.label == "PUBLIC KEY") return from_spki(block.data);
  if (block.label == "CERTIFICATE") return from_certificate(block.data);
  throw ParseError("PEM", "line 1", "neither PUBLIC KEY nor CERTIFICATE");
}

PublicKey PublicKey::from_certificate(Bytes der) { return Certificate::from_der(der).key(); }

std::string PublicKey::describe() const {
  return curve_ ? std::string(curve_name(*curve_)) : "RSA-" + std::to_string(bits_);
}

std::vector<std::uint8_t> PublicKey::spki() const {
  const QuietErrors quiet;
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  if (size <= 0) throw std::bad_alloc();
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  return {der, der + size};
}

std::vector<std::uint8_t> PublicKey::key_bits() const {
  const QuietErrors quiet;
  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(key_.get(), &der);
  if (size <= 0) throw std::bad_alloc();
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  return {der, der + size};
}

bool PublicKey::verify_digest(Scheme scheme, Hash hash, Bytes digest, Bytes signature) const {
  const QuietErrors quiet;
  if ((scheme == Scheme::kEcdsa) != (type_ == KeyType::kEc)) return false;
  if (digest.size() != hash_size(hash)) return false;
  // RFC 8017, 8.1.2 and 8.2.2, step 1: OpenSSL leaves out this check for PSS.
  if (type_ == KeyType::kRsa && signature.size() != (bits_ + 7) / 8) return false;
  const EVP_MD* md = Context::get().md(hash);
  // Nothing but memory can be missing for this.
  const auto set_up = [](int done) {
    if (done != 1) throw std::bad_alloc();
  };
  const auto verifies = [&](int salt_length) {
    const KeyContext context(
        allocated(EVP_PKEY_CTX_new_from_pkey(Context::get().lib_ctx(), key_.get(), nullptr)));
    set_up(EVP_PKEY_verify_init(context.get()));
    if (scheme == Scheme::kRsassa) {
      set_up(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING));
    }
    if (scheme == Scheme::kRsapss) {
      set_up(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING));
      set_up(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), salt_length));
    }
    // OpenSSL does not sign with every digest: not with SM3 and RSA. It says the same when it lacks
    // memory, and is asked twice for that.
    const auto set_md = [&] { return EVP_PKEY_CTX_set_signature_md(context.get(), md) == 1; };
    const bool has_md = set_md() || set_md();  // NOLINT(misc-redundant-expression)
    return has_md && EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                     digest.data(), digest.size()) == 1;
  };
  const bool good = scheme == Scheme::kRsapss
                        ? verifies(RSA_PSS_SALTLEN_DIGEST) || verifies(RSA_PSS_SALTLEN_MAX)
                        : verifies(0);
  if (!good) quiet.check_memory();
  return good;
}

std::vector<std::uint8_t> ecdsa_der(Bytes r, Bytes s) {
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> signature(allocated(ECDSA_SIG_new()));
  Bignum big_r = bignum(r);
  Bignum big_s = bignum(s);
  if (ECDSA_SIG_set0(signature.get(), big_r.get(), big_s.get()) != 1) throw std::bad_alloc();
  (void)big_r.release();  // the signature's now
  (void)big_s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) throw std::bad_alloc();
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  return {der, der + size};
}

}  // namespace attest::crypto
