// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/secret.h"

#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/key.h"
#include "tests/support/vectors.h"

using attest::as_bytes;
using attest::from_hex;
using attest::to_hex;
using attest::crypto::Hash;
using attest::crypto::Secret;

TEST_CASE("HMAC has the values of RFC 4231", "[secret]") {
  const std::vector<std::uint8_t> key(20, 0x0b);
  const auto mac = [&](Hash hash) {
    return to_hex(attest::crypto::hmac(hash, key, {as_bytes("Hi "), as_bytes("There")}).bytes());
  };
  CHECK(mac(Hash::kSha256) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(mac(Hash::kSha384) ==
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
        "faea9ea9076ede7f4af152e8b2fa9cb6");
  CHECK_THROWS_AS(attest::crypto::hmac(Hash::kSha256, {}, {}), std::invalid_argument);
}

TEST_CASE("AES in CFB mode chains from zeros", "[secret]") {
  // NIST AESAVS, GFSbox and KeySbox with zeros: the first block is the cipher of the zero block.
  const std::vector<std::uint8_t> zeros(32, 0);
  const auto cipher = [&](std::size_t key_size, std::size_t size) {
    return to_hex(attest::crypto::encrypt_aes_cfb(attest::Bytes(zeros).first(key_size),
                                                  attest::Bytes(zeros).first(size)));
  };
  CHECK(cipher(16, 16) == "66e94bd4ef8a2c3b884cfa59ca342b2e");
  CHECK(cipher(32, 16) == "dc95c078a2408989ad48a21492842087");
  CHECK(cipher(16, 5) == "66e94bd4ef");
  CHECK(cipher(16, 32).substr(32) == "f795bd4a52e29ed713d313fa20e98dbc");
  CHECK(cipher(16, 0).empty());
  for (const std::size_t size : {0U, 15U, 17U, 24U, 31U}) {
    CHECK_THROWS_AS(cipher(size, 1), std::invalid_argument);
  }
}

TEST_CASE("a secret moves, and leaves nothing behind", "[secret]") {
  Secret a = Secret::random(32);
  const std::vector<std::uint8_t> copy(a.bytes().begin(), a.bytes().end());
  CHECK(to_hex(Secret::random(32).bytes()) != to_hex(copy));
  Secret b = std::move(a);
  CHECK(to_hex(b.bytes()) == to_hex(copy));
  Secret c(4);
  c = std::move(b);
  CHECK(to_hex(c.bytes()) == to_hex(copy));
  c.wipe();
  CHECK(c.empty());
}

TEST_CASE("each key takes part in its own kind of exchange", "[secret]") {
  const auto rsa = attest::crypto::PublicKey::from_spki(read_vector("keys/rsa2048.der"));
  const auto ec = attest::crypto::PublicKey::from_spki(read_vector("keys/ec_P-521.der"));
  CHECK_THROWS_AS(rsa.agree(), std::invalid_argument);
  CHECK_THROWS_AS(ec.encrypt_oaep(Hash::kSha256, {}, {}), std::invalid_argument);
  // RFC 8017, 7.1.1: k - 2 hLen - 2 bytes, and no more.
  const std::vector<std::uint8_t> message(191);
  CHECK(rsa.encrypt_oaep(Hash::kSha256, as_bytes("x"), attest::Bytes(message).first(190)).size() ==
        256);
  CHECK_THROWS_AS(rsa.encrypt_oaep(Hash::kSha256, as_bytes("x"), message), std::invalid_argument);
  const auto one = ec.agree();
  const auto two = ec.agree();
  CHECK(one.x.size() == 66);
  CHECK(one.y.size() == 66);
  CHECK(one.z.bytes().size() == 66);
  CHECK(one.x != two.x);
  CHECK(to_hex(one.z.bytes()) != to_hex(two.z.bytes()));
}
