// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/key.h"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <utility>

#include "libattest/base/base64.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/certificate.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::as_bytes;
using attest::Bytes;
using attest::from_hex;
using attest::crypto::Curve;
using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::crypto::PublicKey;
using attest::crypto::Scheme;

namespace {

PublicKey key(const std::string& name) {
  return PublicKey::from_spki(read_vector("keys/" + name + ".der"));
}

bool verifies(const std::string& key_name, Scheme scheme, Hash hash, const std::string& sig_name) {
  const Digest digest = Hasher(hash)(read_vector("keys/message"));
  return key(key_name).verify_digest(scheme, hash, digest.bytes(),
                                     read_vector("keys/" + sig_name + ".sig"));
}

std::string spki_error(Bytes der) {
  return parse_error_of([&] { return PublicKey::from_spki(der); });
}

std::vector<std::uint8_t> pem(const std::string& label, Bytes der) {
  const std::string text = "-----BEGIN " + label + "-----\n" + attest::to_base64(der) +
                           "\n-----END " + label + "-----\n";
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("a signature of every scheme verifies with its own key") {
  CHECK(verifies("rsa2048", Scheme::kRsassa, Hash::kSha256, "rsa2048_rsassa_sha256"));
  CHECK(verifies("rsa2048", Scheme::kRsassa, Hash::kSha1, "rsa2048_rsassa_sha1"));
  CHECK(verifies("ec_P-256", Scheme::kEcdsa, Hash::kSha256, "ec_P-256_sha256"));
  CHECK(verifies("ec_P-384", Scheme::kEcdsa, Hash::kSha384, "ec_P-384_sha384"));
  CHECK(verifies("ec_P-521", Scheme::kEcdsa, Hash::kSha512, "ec_P-521_sha512"));
}

TEST_CASE("PSS signatures verify with a salt of the digest's size or of the largest, no other") {
  const auto sig = [](int salt) { return "rsa2048_rsapss_sha256_salt" + std::to_string(salt); };
  CHECK(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, sig(32)));
  CHECK(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, sig(222)));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, sig(0)));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, sig(20)));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, sig(221)));
}

TEST_CASE("a signature does not verify as one of another scheme, digest or key") {
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, "rsa2048_rsassa_sha256"));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsassa, Hash::kSha256, "rsa2048_rsapss_sha256_salt32"));
  CHECK_FALSE(verifies("rsa2048", Scheme::kEcdsa, Hash::kSha256, "rsa2048_rsassa_sha256"));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsassa, Hash::kSha1, "rsa2048_rsassa_sha256"));
  CHECK_FALSE(verifies("rsa2048", Scheme::kRsassa, Hash::kSha3_256, "rsa2048_rsassa_sha256"));
  CHECK_FALSE(verifies("rsa_exponent3", Scheme::kRsassa, Hash::kSha256, "rsa2048_rsassa_sha256"));
  CHECK_FALSE(verifies("ec_P-256", Scheme::kRsassa, Hash::kSha256, "ec_P-256_sha256"));
  CHECK_FALSE(verifies("ec_P-256", Scheme::kRsapss, Hash::kSha256, "ec_P-256_sha256"));
  CHECK_FALSE(verifies("ec_P-256", Scheme::kEcdsa, Hash::kSha384, "ec_P-256_sha256"));
  CHECK_FALSE(verifies("ec_P-384", Scheme::kEcdsa, Hash::kSha256, "ec_P-256_sha256"));
}

TEST_CASE("one flipped bit anywhere in an RSA signature or in the digest is found") {
  const PublicKey k = key("rsa2048");
  Digest digest = Hasher(Hash::kSha256)(read_vector("keys/message"));
  auto sig = read_vector("keys/rsa2048_rsassa_sha256.sig");
  const auto verify = [&] {
    return k.verify_digest(Scheme::kRsassa, Hash::kSha256, digest.bytes(), sig);
  };
  for (std::size_t i = 0; i < sig.size(); i += 5) {
    sig[i] ^= 0x10;
    CHECK_FALSE(verify());
    sig[i] ^= 0x10;
  }
  for (std::uint8_t& b : digest.resize(32)) {
    b = static_cast<std::uint8_t>(b ^ 1U);
    CHECK_FALSE(verify());
    b = static_cast<std::uint8_t>(b ^ 1U);
  }
  CHECK(verify());
}

TEST_CASE("one flipped bit anywhere in an ECDSA signature is found") {
  const PublicKey k = key("ec_P-256");
  const Digest digest = Hasher(Hash::kSha256)(read_vector("keys/message"));
  auto sig = read_vector("keys/ec_P-256_sha256.sig");
  for (std::uint8_t& b : sig) {
    b = static_cast<std::uint8_t>(b ^ 0x04U);
    CHECK_FALSE(k.verify_digest(Scheme::kEcdsa, Hash::kSha256, digest.bytes(), sig));
    b = static_cast<std::uint8_t>(b ^ 0x04U);
  }
}

TEST_CASE("signatures that are longer or shorter than they should be do not verify") {
  const auto [key_name, scheme, sig_name] = GENERATE(table<std::string, Scheme, std::string>({
      {"rsa2048", Scheme::kRsassa, "rsa2048_rsassa_sha256"},
      {"rsa2048", Scheme::kRsapss, "rsa2048_rsapss_sha256_salt32"},
      {"ec_P-256", Scheme::kEcdsa, "ec_P-256_sha256"},
  }));
  const PublicKey k = key(key_name);
  const Digest digest = Hasher(Hash::kSha256)(read_vector("keys/message"));
  const auto sig = read_vector("keys/" + sig_name + ".sig");
  const auto verify = [&, s = scheme](Bytes signature) {
    return k.verify_digest(s, Hash::kSha256, digest.bytes(), signature);
  };
  CHECK(verify(sig));
  for (std::size_t n = 0; n < sig.size(); ++n) CHECK_FALSE(verify(Bytes(sig).first(n)));
  auto more = sig;
  more.push_back(0);
  CHECK_FALSE(verify(more));
  more.pop_back();
  more.insert(more.begin(), 0);
  CHECK_FALSE(verify(more));
}

TEST_CASE("a digest that is not of its algorithm's size does not verify") {
  const PublicKey k = key("rsa2048");
  const auto sig = read_vector("keys/rsa2048_rsassa_sha256.sig");
  const Digest digest = Hasher(Hash::kSha256)(read_vector("keys/message"));
  CHECK_FALSE(k.verify_digest(Scheme::kRsassa, Hash::kSha256, digest.bytes().first(31), sig));
  CHECK_FALSE(k.verify_digest(Scheme::kRsassa, Hash::kSha256, {}, sig));
}

TEST_CASE("ECDSA signatures with r or s of zero do not verify") {
  const PublicKey k = key("ec_P-256");
  const Digest digest = Hasher(Hash::kSha256)(as_bytes("x"));
  const std::vector<std::uint8_t> zero(32, 0);
  const std::vector<std::uint8_t> one{1};
  for (const auto& [r, s] : {std::pair{zero, zero}, {zero, one}, {one, zero}}) {
    CHECK_FALSE(k.verify_digest(Scheme::kEcdsa, Hash::kSha256, digest.bytes(),
                                attest::crypto::ecdsa_der(r, s)));
  }
}

TEST_CASE("ECDSA's DER form has minimal, positive integers") {
  CHECK(attest::to_hex(attest::crypto::ecdsa_der(*from_hex("0001"), *from_hex("80"))) ==
        "3007020101"
        "02020080");
  CHECK(attest::to_hex(attest::crypto::ecdsa_der(*from_hex("00"), {})) ==
        "3006020100"
        "020100");
}

TEST_CASE("keys say what they are") {
  const auto [name, words, bits] = GENERATE(table<std::string, std::string, std::size_t>({
      {"rsa2048", "RSA-2048", 2048},
      {"rsa1024", "RSA-1024", 1024},
      {"ec_P-256", "P-256", 256},
      {"ec_P-384", "P-384", 384},
      {"ec_P-521", "P-521", 521},
  }));
  const PublicKey k = key(name);
  CHECK(k.describe() == words);
  CHECK(k.bits() == bits);
  const bool rsa = words.starts_with("RSA");
  CHECK((k.type() == attest::crypto::KeyType::kRsa) == rsa);
  CHECK(k.curve().has_value() != rsa);
  CHECK(k.exponent() == (rsa ? 65537 : 0));
  CHECK(k.spki() == read_vector("keys/" + name + ".der"));
}

TEST_CASE("schemes and curves have names and sizes") {
  CHECK(attest::crypto::scheme_name(Scheme::kRsassa) == "RSASSA");
  CHECK(attest::crypto::scheme_name(Scheme::kRsapss) == "RSAPSS");
  CHECK(attest::crypto::scheme_name(Scheme::kEcdsa) == "ECDSA");
  CHECK(attest::crypto::curve_name(Curve::kP384) == "P-384");
  CHECK(attest::crypto::curve_size(Curve::kP256) == 32);
  CHECK(attest::crypto::curve_size(Curve::kP521) == 66);
}

TEST_CASE("a key rebuilt from its numbers is the same key") {
  // RSAPublicKey: SEQUENCE, INTEGER of 257 bytes with a leading zero, INTEGER 65537.
  const PublicKey rsa = key("rsa2048");
  const auto bits = rsa.key_bits();
  REQUIRE(bits.size() == 270);
  CHECK(PublicKey::rsa(Bytes(bits).subspan(9, 256), 65537, "T").spki() == rsa.spki());
  const PublicKey ec = key("ec_P-384");
  const auto point = ec.key_bits();
  REQUIRE(point.size() == 97);
  const Bytes xy = Bytes(point).subspan(1);
  CHECK(PublicKey::ec(Curve::kP384, xy.first(48), xy.last(48), "T").spki() == ec.spki());
}

TEST_CASE("RSA keys of unfit numbers are refused") {
  const auto bits = key("rsa2048").key_bits();
  const Bytes n = Bytes(bits).subspan(9, 256);
  const auto error = [](Bytes modulus, std::uint32_t e) {
    return parse_error_of([&] { return PublicKey::rsa(modulus, e, "T"); });
  };
  const std::string size = "T: byte 0: public key: RSA key is not of 1024 to 8192 bits";
  const std::string exponent = "T: byte 0: public key: RSA exponent is not an odd number above 1";
  CHECK(error(n, 65537) == "accepted");
  CHECK(error(n, 3) == "accepted");
  CHECK(error(n, 0) == exponent);
  CHECK(error(n, 1) == exponent);
  CHECK(error(n, 65536) == exponent);
  CHECK(error(n.first(127), 65537) == size);
  CHECK(error({}, 65537) == size);
  CHECK(error(std::vector<std::uint8_t>(256, 0), 65537) == size);
  CHECK(error(std::vector<std::uint8_t>(1025, 0xff), 65537) == size);
  CHECK(error(std::vector<std::uint8_t>(1024, 0xff), 65537) == "accepted");

  const std::string even = "T: byte 0: public key: RSA modulus is even";
  std::vector<std::uint8_t> two_factor(n.begin(), n.end());
  two_factor.back() ^= 1U;
  CHECK(error(two_factor, 65537) == even);
  // The modulus ends where the five bytes of the exponent begin.
  auto spki = key("rsa2048").spki();
  REQUIRE(spki[spki.size() - 6] == n.back());
  spki[spki.size() - 6] ^= 1U;
  CHECK(parse_error_of([&] { return PublicKey::from_spki(spki); }) ==
        "SubjectPublicKeyInfo: byte 0: public key: RSA modulus is even");
}

TEST_CASE("EC points that are not on the curve are refused") {
  const auto point = key("ec_P-256").key_bits();
  const Bytes x = Bytes(point).subspan(1, 32);
  const Bytes y = Bytes(point).subspan(33, 32);
  const auto error = [](Curve curve, Bytes px, Bytes py) {
    return parse_error_of([&] { return PublicKey::ec(curve, px, py, "T"); });
  };
  const std::string no_key = "T: byte 0: public key: the numbers do not make a key";
  CHECK(error(Curve::kP256, x, y) == "accepted");
  CHECK(error(Curve::kP256, y, x) == no_key);
  CHECK(error(Curve::kP384, x, y) == no_key);
  CHECK(error(Curve::kP256, {}, {}) == no_key);
  CHECK(error(Curve::kP256, x, y.first(31)) == no_key);
  CHECK(error(Curve::kP256, std::vector<std::uint8_t>(32, 0xff), y) == no_key);
  CHECK(error(Curve::kP256, point, y) == "T: byte 0: public key: coordinate larger than its curve");
}

TEST_CASE("keys that libattest does not verify with are refused by name") {
  const auto [name, why] = GENERATE(table<std::string, std::string>({
      {"rsa512", "RSA key is not of 1024 to 8192 bits"},
      {"rsapss2048", "neither an RSA nor an EC key"},
      {"ed25519", "neither an RSA nor an EC key"},
      {"ec_P-224", "EC key is not on P-256, P-384 or P-521"},
      {"ec_secp256k1", "EC key is not on P-256, P-384 or P-521"},
      {"ec_explicit", "EC key spells out its curve instead of naming it"},
  }));
  CHECK(spki_error(read_vector("keys/" + name + ".der")) ==
        "SubjectPublicKeyInfo: byte 0: public key: " + why);
}

TEST_CASE("a DER key cut short, followed by a byte, or too large is malformed") {
  const std::string name = GENERATE("rsa2048", "ec_P-256");
  auto der = read_vector("keys/" + name + ".der");
  for (std::size_t n = 0; n < der.size(); ++n) {
    CAPTURE(n);
    CHECK(spki_error(Bytes(der).first(n)) ==
          "SubjectPublicKeyInfo: byte 0: public key: not a DER public key");
  }
  der.push_back(0);
  CHECK(spki_error(der) == "SubjectPublicKeyInfo: byte " + std::to_string(der.size() - 1) +
                               ": public key: has bytes after its end");
  CHECK(spki_error(std::vector<std::uint8_t>(65537, 0x30)) ==
        "SubjectPublicKeyInfo: byte 0: public key: larger than 64 KiB");
}

TEST_CASE("a key is read from PEM and from certificates in both forms") {
  const auto spki = read_vector("keys/rsa2048.der");
  CHECK(PublicKey::from_pem(read_vector("keys/rsa2048.pem")).spki() == spki);
  const auto ec = read_vector("keys/ec_P-256.der");
  CHECK(PublicKey::from_certificate(read_vector("keys/certificate.der")).spki() == ec);
  CHECK(PublicKey::from_pem(read_vector("keys/certificate.pem")).spki() == ec);
}

TEST_CASE("PEM that is not one key or certificate is malformed") {
  const auto spki = read_vector("keys/rsa2048.der");
  const auto error = [](Bytes in) {
    return parse_error_of([&] { return PublicKey::from_pem(in); });
  };
  CHECK(error(pem("RSA PUBLIC KEY", spki)) == "PEM: line 1: neither PUBLIC KEY nor CERTIFICATE");
  CHECK(error(pem("CERTIFICATE", spki)) ==
        "X.509 certificate: byte 0: certificate: not a DER certificate");
  CHECK(error(pem("PUBLIC KEY", read_vector("keys/certificate.der"))) ==
        "SubjectPublicKeyInfo: byte 0: public key: not a DER public key");
  auto twice = pem("PUBLIC KEY", spki);
  const auto once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  CHECK(error(twice) == "PEM: line 4: more than one PEM block");
}

TEST_CASE("a certificate cut short or followed by a byte is malformed") {
  auto der = read_vector("keys/certificate.der");
  const auto error = [](Bytes in) {
    return parse_error_of([&] { return PublicKey::from_certificate(in); });
  };
  for (std::size_t n = 0; n < der.size(); ++n) {
    CAPTURE(n);
    CHECK(error(Bytes(der).first(n)) ==
          "X.509 certificate: byte 0: certificate: not a DER certificate");
  }
  der.push_back(0);
  CHECK(error(der) == "X.509 certificate: byte " + std::to_string(der.size() - 1) +
                          ": certificate: has bytes after its end");
  CHECK(error(std::vector<std::uint8_t>(65537, 0x30)) ==
        "X.509 certificate: byte 0: certificate: larger than 64 KiB");
}

TEST_CASE("a certificate gives its subject key identifier, or nothing") {
  const auto key_id = [](const auto& der) {
    return attest::crypto::Certificate::from_der(der).subject_key_id();
  };
  // RFC 5280, 4.2.1.2, method 1: SHA-1 of the key's bits.
  const Digest expected = Hasher(Hash::kSha1)(key("ec_P-256").key_bits());
  CHECK(attest::to_hex(key_id(read_vector("keys/certificate.der"))) ==
        attest::to_hex(expected.bytes()));
  CHECK(key_id(read_vector("keys/certificate_without_key_id.der")).empty());
}

TEST_CASE("failures leave the thread's OpenSSL error queue as it was") {
  ERR_clear_error();
  const bool host_has_error = GENERATE(false, true);
  if (host_has_error) ERR_raise(ERR_LIB_USER, 42);
  (void)spki_error(as_bytes("no key"));
  (void)parse_error_of([] { return PublicKey::from_certificate(as_bytes("no certificate")); });
  (void)parse_error_of([] { return PublicKey::rsa({}, 3, "T"); });
  (void)parse_error_of([] { return PublicKey::ec(Curve::kP256, {}, {}, "T"); });
  (void)verifies("rsa2048", Scheme::kRsassa, Hash::kSha256, "rsa2048_rsassa_sha1");
  (void)verifies("rsa2048", Scheme::kRsapss, Hash::kSha256, "rsa2048_rsassa_sha256");
  (void)verifies("ec_P-256", Scheme::kEcdsa, Hash::kSha256, "rsa2048_rsassa_sha256");
  if (host_has_error) {
    CHECK(ERR_GET_REASON(ERR_get_error()) == 42);
  }
  CHECK(ERR_get_error() == 0);
}
