// SPDX-License-Identifier: Apache-2.0

// A software stand-in for a TPM's attestation key: makes quotes of any content, rightly signed, so
// that a test can break one rule at a time. Real quotes are in tests/vectors.
#ifndef LIBATTEST_TESTS_SUPPORT_SIGNER_H_
#define LIBATTEST_TESTS_SUPPORT_SIGNER_H_

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"
#include "tests/support/bytes.h"

struct QuoteFields {
  std::uint32_t magic = 0xff544347;
  std::uint16_t type = 0x8018;
  std::vector<std::uint8_t> signer;  // empty: a Name of the right shape
  std::vector<std::uint8_t> nonce = std::vector<std::uint8_t>(20, 0x5a);
  std::uint64_t clock = 1000;
  std::uint32_t reset_count = 3;
  std::uint32_t restart_count = 1;
  std::uint8_t safe = 1;
  std::uint64_t firmware_version = 7;
  // What is selected: {TPM_ALG_ID, bytes of the bit map}.
  std::vector<std::pair<std::uint16_t, std::vector<std::uint8_t>>> selections;
  std::vector<std::uint8_t> pcr_digest;
};

inline std::vector<std::uint8_t> make_attest(const QuoteFields& q) {
  Writer w;
  w.be(q.magic).be(q.type);
  std::vector<std::uint8_t> signer = q.signer;
  if (signer.empty()) {
    signer = Writer().be<std::uint16_t>(0x000b).fill(32, 0x11).out;
  }
  w.be(static_cast<std::uint16_t>(signer.size())).bytes(signer);
  w.be(static_cast<std::uint16_t>(q.nonce.size())).bytes(q.nonce);
  w.be(q.clock).be(q.reset_count).be(q.restart_count).raw({q.safe}).be(q.firmware_version);
  w.be(static_cast<std::uint32_t>(q.selections.size()));
  for (const auto& [alg, map] : q.selections) {
    w.be(alg).raw({static_cast<std::uint8_t>(map.size())}).bytes(map);
  }
  w.be(static_cast<std::uint16_t>(q.pcr_digest.size())).bytes(q.pcr_digest);
  return w.out;
}

// PCR values in tpm2_quote's serialized form: {TPM_ALG_ID, {PCR, value}}.
using PcrValues =
    std::vector<std::pair<std::uint16_t, std::map<std::uint32_t, std::vector<std::uint8_t>>>>;

inline std::vector<std::uint8_t> make_pcrs(const PcrValues& banks) {
  Writer w;
  w.le(static_cast<std::uint32_t>(banks.size()));
  std::vector<std::vector<std::uint8_t>> values;
  for (const auto& [alg, pcrs] : banks) {
    std::uint32_t mask = 0;
    for (const auto& [pcr, value] : pcrs) {
      mask |= std::uint32_t{1} << pcr;
      values.push_back(value);
    }
    w.le(alg).raw({3}).le(mask).raw({0});
  }
  w.fill(8 * (16 - banks.size()), 0);
  const std::size_t blocks = (values.size() + 7) / 8;
  w.le(static_cast<std::uint32_t>(blocks));
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t count = std::min<std::size_t>(8, values.size() - 8 * block);
    w.le(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < 8; ++i) {
      const std::vector<std::uint8_t> value =
          i < count ? values[8 * block + i] : std::vector<std::uint8_t>{};
      w.le(static_cast<std::uint16_t>(value.size())).bytes(value).fill(64 - value.size(), 0);
    }
  }
  return w.out;
}

// The fields of a quote over these values, for a signature with `hash`.
inline QuoteFields quote_of(const PcrValues& banks,
                            attest::crypto::Hash hash = attest::crypto::Hash::kSha256) {
  QuoteFields q;
  attest::crypto::Hasher hasher(hash);
  hasher.begin();
  for (const auto& [alg, pcrs] : banks) {
    std::uint32_t mask = 0;
    for (const auto& [pcr, value] : pcrs) {
      mask |= std::uint32_t{1} << pcr;
      hasher.update(value);
    }
    q.selections.emplace_back(alg,
                              std::vector<std::uint8_t>{static_cast<std::uint8_t>(mask),
                                                        static_cast<std::uint8_t>(mask >> 8U),
                                                        static_cast<std::uint8_t>(mask >> 16U)});
  }
  const auto digest = hasher.finish();
  q.pcr_digest.assign(digest.bytes().begin(), digest.bytes().end());
  return q;
}

class Signer {
 public:
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

  static Signer rsa(unsigned bits = 2048) { return Signer(EVP_RSA_gen(bits)); }
  // "P-256", "P-384", "P-521"
  static Signer ec(const char* curve) { return Signer(EVP_EC_gen(curve)); }

  std::uint32_t attributes = 0x00050072;  // as tpm2_createak makes it
  std::uint16_t name_alg = 0x000b;
  std::uint16_t scheme = 0x0014;  // RSASSA; for EC keys 0x0018
  std::uint16_t hash = 0x000b;
  int salt_length = RSA_PSS_SALTLEN_DIGEST;  // for RSAPSS

  EVP_PKEY* key() const { return key_.get(); }

  // TPMT_SIGNATURE over `attest`.
  std::vector<std::uint8_t> sign(const std::vector<std::uint8_t>& attest) const {
    const std::vector<std::uint8_t> raw = sign_raw(attest);
    Writer w;
    w.be(scheme).be(hash);
    if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
      w.be(static_cast<std::uint16_t>(raw.size())).bytes(raw);
      return w.out;
    }
    const unsigned char* at = raw.data();
    ECDSA_SIG* sig = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(raw.size()));
    for (const BIGNUM* n : {ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig)}) {
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(n)));
      BN_bn2bin(n, bytes.data());
      w.be(static_cast<std::uint16_t>(bytes.size())).bytes(bytes);
    }
    ECDSA_SIG_free(sig);
    return w.out;
  }

  // The bare signature: RSA bytes or DER.
  std::vector<std::uint8_t> sign_raw(const std::vector<std::uint8_t>& attest) const {
    attest::crypto::Hasher hasher(attest::crypto::hash_from_id(hash).value());
    const auto digest = hasher(attest);
    return sign_digest(digest.bytes());
  }

  // The bare signature of a message whose digest this is.
  std::vector<std::uint8_t> sign_digest(attest::Bytes digest) const {
    const auto alg = attest::crypto::hash_from_id(hash).value();
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> ctx(
        EVP_PKEY_CTX_new(key_.get(), nullptr), EVP_PKEY_CTX_free);
    const EVP_MD* md = EVP_get_digestbyname(std::string(attest::crypto::hash_name(alg)).c_str());
    bool good = EVP_PKEY_sign_init(ctx.get()) == 1;
    if (scheme == 0x0016) {
      good = good && EVP_PKEY_CTX_set_rsa_padding(ctx.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx.get(), salt_length) == 1;
    }
    good = good && EVP_PKEY_CTX_set_signature_md(ctx.get(), md) == 1;
    std::size_t size = 0;
    good = good && EVP_PKEY_sign(ctx.get(), nullptr, &size, digest.data(), digest.size()) == 1;
    std::vector<std::uint8_t> out(size);
    good = good && EVP_PKEY_sign(ctx.get(), out.data(), &size, digest.data(), digest.size()) == 1;
    if (!good) throw std::runtime_error("the test's key can not sign");
    out.resize(size);
    return out;
  }

  // DER SubjectPublicKeyInfo.
  std::vector<std::uint8_t> spki() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    std::vector<std::uint8_t> out(der, der + size);
    OPENSSL_free(der);
    return out;
  }

  // TPM2B_PUBLIC with the attributes and scheme above.
  std::vector<std::uint8_t> tpm2b_public() const {
    Writer w;
    const bool rsa = EVP_PKEY_is_a(key_.get(), "RSA") == 1;
    w.be<std::uint16_t>(rsa ? 0x0001 : 0x0023).be(name_alg).be(attributes).be<std::uint16_t>(0);
    w.be<std::uint16_t>(0x0010).be(scheme);
    if (scheme != 0x0010) w.be(hash);
    if (rsa) {
      const auto n = bn(OSSL_PKEY_PARAM_RSA_N, 0);
      w.be(static_cast<std::uint16_t>(n.size() * 8)).be<std::uint32_t>(0);
      w.be(static_cast<std::uint16_t>(n.size())).bytes(n);
    } else {
      const std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get()) + 7) / 8;
      w.be<std::uint16_t>(size == 32 ? 0x0003 : size == 48 ? 0x0004 : 0x0005);
      w.be<std::uint16_t>(0x0010);
      for (const char* name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
        w.be(static_cast<std::uint16_t>(size)).bytes(bn(name, size));
      }
    }
    return Writer().be(static_cast<std::uint16_t>(w.out.size())).bytes(w.out).out;
  }

 private:
  explicit Signer(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {
    if (key == nullptr) throw std::runtime_error("the test's key can not be made");
    if (EVP_PKEY_is_a(key, "RSA") != 1) scheme = 0x0018;
  }

  std::vector<std::uint8_t> bn(const char* name, std::size_t size) const {
    BIGNUM* n = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &n);
    std::vector<std::uint8_t> out(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(n)));
    BN_bn2binpad(n, out.data(), static_cast<int>(out.size()));
    BN_free(n);
    return out;
  }

  Key key_;
};

#endif  // LIBATTEST_TESTS_SUPPORT_SIGNER_H_
