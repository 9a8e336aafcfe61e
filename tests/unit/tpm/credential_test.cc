// SPDX-License-Identifier: Apache-2.0

// Credentials as a TPM opens them, with the private key in the test. Real TPMs open them in
// tests/system/credential_test.sh.

#include "libattest/tpm/credential.h"

#include <openssl/evp.h>

#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/tpm/tpm2b.h"
#include "tests/support/ek.h"

using attest::Bytes;
using attest::from_hex;
using attest::Reader;
using attest::to_hex;
using attest::crypto::Hash;
using attest::tpm::Credential;
using attest::tpm::EndorsementKey;
using attest::tpm::tpm2b;

namespace {

using Octets = std::vector<std::uint8_t>;
using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

Octets octets(Bytes b) { return {b.begin(), b.end()}; }

Octets rsa_seed(EVP_PKEY* key, const EVP_MD* md, Bytes encrypted) {
  const Context context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  REQUIRE(EVP_PKEY_decrypt_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), md) == 1);
  void* label = OPENSSL_memdup("IDENTITY", 9);  // with its NUL
  REQUIRE(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, 9) == 1);
  Octets out(1024);
  std::size_t size = out.size();
  REQUIRE(EVP_PKEY_decrypt(context.get(), out.data(), &size, encrypted.data(), encrypted.size()) ==
          1);
  out.resize(size);
  return out;
}

Octets shared_x(EVP_PKEY* key, attest::crypto::Curve curve, Bytes x, Bytes y) {
  const auto spki = attest::crypto::PublicKey::ec(curve, x, y, "test").spki();
  const unsigned char* at = spki.data();
  EVP_PKEY* peer = d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()));
  const Context context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  REQUIRE(EVP_PKEY_derive_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_derive_set_peer(context.get(), peer) == 1);
  EVP_PKEY_free(peer);
  Octets out(100);
  std::size_t size = out.size();
  REQUIRE(EVP_PKEY_derive(context.get(), out.data(), &size) == 1);
  out.resize(size);
  return out;
}

Octets decrypt_cfb(Bytes key, Bytes data) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const EVP_CIPHER* cipher = key.size() == 16 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
  const Octets zeros(16, 0);
  REQUIRE(EVP_DecryptInit_ex2(context.get(), cipher, key.data(), zeros.data(), nullptr) == 1);
  Octets out(data.size());
  int size = 0;
  REQUIRE(EVP_DecryptUpdate(context.get(), out.data(), &size, data.data(),
                            static_cast<int>(data.size())) == 1);
  return out;
}

// TPM2_ActivateCredential: nothing when the integrity value is wrong.
std::optional<Octets> activate(const Signer& key, const EndorsementKey& ek, Bytes name,
                               const Credential& credential) {
  const Hash hash = ek.name_alg();
  const std::size_t size = attest::crypto::hash_size(hash);
  const EVP_MD* md = EVP_get_digestbyname(std::string(attest::crypto::hash_name(hash)).c_str());
  Reader s(credential.encrypted_secret, "TPM2B_ENCRYPTED_SECRET");
  Reader secret = s.sub(s.u16be("size"), "secret");
  s.expect_end("secret");
  Octets seed;
  if (ek.key().curve()) {
    const Bytes x = tpm2b(secret, 128, "x");
    const Bytes y = tpm2b(secret, 128, "y");
    secret.expect_end("point");
    CHECK(x.size() == attest::crypto::curve_size(*ek.key().curve()));
    CHECK(y.size() == x.size());
    const Octets point = ek.key().key_bits();
    seed = octets(attest::tpm::kdfe(hash, shared_x(key.key(), *ek.key().curve(), x, y), "IDENTITY",
                                    x, Bytes(point).subspan(1, x.size()), 8 * size)
                      .bytes());
  } else {
    seed = rsa_seed(key.key(), md, secret.rest());
  }
  CHECK(seed.size() == size);
  Reader b(credential.id_object, "TPM2B_ID_OBJECT");
  Reader object = b.sub(b.u16be("size"), "credential");
  b.expect_end("credential");
  const Bytes integrity = tpm2b(object, 64, "integrityHMAC");
  const Bytes identity = object.rest();
  const auto mac_key = attest::tpm::kdfa(hash, seed, "INTEGRITY", {}, {}, 8 * size);
  const auto mac = attest::crypto::hmac(hash, mac_key.bytes(), {identity, name});
  if (!std::ranges::equal(mac.bytes(), integrity)) return std::nullopt;
  const auto cipher_key = attest::tpm::kdfa(hash, seed, "STORAGE", name, {}, ek.aes_bits());
  const Octets plain = decrypt_cfb(cipher_key.bytes(), identity);
  Reader p(plain, "TPM2B_DIGEST");
  const Bytes out = tpm2b(p, size, "credential");
  p.expect_end("credential");
  return octets(out);
}

}  // namespace

TEST_CASE("KDFa has the value that TPM self-tests expect", "[credential]") {
  const auto key = from_hex("271fa08bbdc5060ec3dfa928ff9b73123a12da0c").value();
  const auto u = from_hex("ce244f395dca7391").value();
  const auto v = from_hex("da504031ddf12e83").value();
  const auto out = attest::tpm::kdfa(Hash::kSha256, key, "KDFSELFTESTLABEL", u, v, 160);
  CHECK(to_hex(out.bytes()) == "bb0259e1c8ba607e6a2cd704b69a902e9ade84c4");
  // Longer than a digest: the second block begins with the number 2.
  const auto more = attest::tpm::kdfa(Hash::kSha256, key, "KDFSELFTESTLABEL", u, v, 520);
  CHECK(more.bytes().size() == 65);
  CHECK_THROWS_AS(attest::tpm::kdfa(Hash::kSha256, key, "X", u, v, 7), std::invalid_argument);
}

TEST_CASE("KDFe is a digest of number, secret, label and parties", "[credential]") {
  const Octets z(32, 1);
  const Octets u(32, 2);
  const Octets v(32, 3);
  Writer w;
  w.be<std::uint32_t>(1).bytes(z).text("IDENTITY").raw({0}).bytes(u).bytes(v);
  const auto expected = attest::crypto::Hasher(Hash::kSha256)(w.out);
  const auto out = attest::tpm::kdfe(Hash::kSha256, z, "IDENTITY", u, v, 256);
  CHECK(to_hex(out.bytes()) == to_hex(expected.bytes()));
}

TEST_CASE("the TPM with the EK reads the secret, under the AK's Name", "[credential]") {
  struct Kind {
    const char* curve;  // null: RSA
    unsigned bits;
    EkFields fields;
  };
  const auto kind = GENERATE(Kind{nullptr, 2048, {}}, Kind{"P-256", 0, {}},
                             Kind{nullptr, 3072, {.name_alg = 0x000c, .bits = 256}},
                             Kind{nullptr, 4096, {.name_alg = 0x000c, .bits = 256}},
                             Kind{"P-384", 0, {.name_alg = 0x000c, .bits = 256}},
                             Kind{"P-521", 0, {.name_alg = 0x000d, .bits = 256}},
                             // Not the profile's, and what a public area says all the same.
                             Kind{"P-256", 0, {.name_alg = 0x000d, .bits = 256}},
                             Kind{nullptr, 2048, {.name_alg = 0x000c}});
  const Signer key = kind.curve != nullptr ? Signer::ec(kind.curve) : Signer::rsa(kind.bits);
  const Octets area = ek_public(key, kind.fields);
  const EndorsementKey ek = EndorsementKey::load(area, {});
  CHECK(ek.aes_bits() == kind.fields.bits);
  const Octets name(34, 0x0b);
  const Octets secret(32, 0x77);
  const Credential credential = attest::tpm::make_credential(ek, name, secret);
  CHECK(activate(key, ek, name, credential) == secret);
  const Octets other(34, 0x0c);
  CHECK_FALSE(activate(key, ek, other, credential).has_value());
  for (std::size_t i = 2; i < credential.id_object.size(); ++i) {
    if (i == 2 || i == 3) continue;  // the size of the integrity value
    Credential changed = credential;
    changed.id_object[i] ^= 1U;
    CHECK_FALSE(activate(key, ek, name, changed).has_value());
  }
  // Nothing is used twice.
  const Credential again = attest::tpm::make_credential(ek, name, secret);
  CHECK(again.encrypted_secret != credential.encrypted_secret);
  CHECK(again.id_object != credential.id_object);
}

TEST_CASE("a credential needs a Name and a secret that fits", "[credential]") {
  const EndorsementKey ek = EndorsementKey::load(ek_public(Signer::ec("P-256")), {});
  const Octets name(34, 1);
  CHECK_NOTHROW(attest::tpm::make_credential(ek, name, Octets(32, 1)));
  CHECK_THROWS_AS(attest::tpm::make_credential(ek, name, Octets(33, 1)), std::invalid_argument);
  CHECK_THROWS_AS(attest::tpm::make_credential(ek, {}, Octets(32, 1)), std::invalid_argument);
}
