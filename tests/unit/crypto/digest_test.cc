// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/digest.h"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"

using attest::as_bytes;
using attest::Bytes;
using attest::from_hex;
using attest::to_hex;
using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;

TEST_CASE("digests of \"abc\" are those of their standards") {
  // FIPS 180-4 and FIPS 202 example values; GB/T 32905-2016, A.1.
  const auto [hash, expected] = GENERATE(table<Hash, std::string>({
      {Hash::kSha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {Hash::kSha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {Hash::kSha384,
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
       "8086072ba1e7cc2358baeca134c825a7"},
      {Hash::kSha512,
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {Hash::kSm3_256, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
      {Hash::kSha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
      {Hash::kSha3_384,
       "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
       "98d88cea927ac7f539f1edf228376d25"},
      {Hash::kSha3_512,
       "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
       "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"},
  }));
  Hasher hasher(hash);
  CHECK(hasher.algorithm() == hash);
  CHECK(hasher.size() == attest::crypto::hash_size(hash));
  CHECK(to_hex(hasher(as_bytes("abc")).bytes()) == expected);
  CHECK(to_hex(hasher({as_bytes("a"), {}, as_bytes("bc")}).bytes()) == expected);
  hasher.begin();
  hasher.update(as_bytes("ab"));
  hasher.update({});
  hasher.update(as_bytes("c"));
  CHECK(to_hex(hasher.finish().bytes()) == expected);
}

TEST_CASE("the digest of nothing is the empty message's") {
  CHECK(to_hex(Hasher(Hash::kSha256)(Bytes{}).bytes()) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digest computed in place may read what it overwrites") {
  Hasher hasher(Hash::kSha256);
  Digest pcr = Digest::filled(32, 0);
  const Digest event = hasher(as_bytes("event"));
  const Digest expected = hasher({pcr.bytes(), event.bytes()});
  hasher.into(pcr.resize(32), {Digest::filled(32, 0).bytes(), event.bytes()});
  CHECK(pcr == expected);
  std::vector<std::uint8_t> value(32, 0);
  hasher.into(value, {value, event.bytes()});
  CHECK(to_hex(value) == to_hex(expected.bytes()));
}

TEST_CASE("room that is not of the digest's size is a caller's error") {
  Hasher hasher(Hash::kSha256);
  std::vector<std::uint8_t> room(31);
  CHECK_THROWS_AS(hasher.into(room, {}), std::invalid_argument);
  room.resize(33);
  CHECK_THROWS_AS(hasher.into(room, {}), std::invalid_argument);
}

TEST_CASE("algorithms are found by TPM number and by name, and nothing else is") {
  const Hash hash =
      GENERATE(from_range(attest::crypto::kAllHashes.begin(), attest::crypto::kAllHashes.end()));
  CHECK(attest::crypto::hash_from_id(static_cast<std::uint16_t>(hash)) == hash);
  CHECK(attest::crypto::hash_from_name(attest::crypto::hash_name(hash)) == hash);
  for (const int id : {0x0000, 0x0005, 0x0010, 0x000e, 0x0b00, 0xffff}) {
    CHECK_FALSE(attest::crypto::hash_from_id(static_cast<std::uint16_t>(id)));
  }
  for (const char* name : {"", "SHA256", "sha-256", "sha256 ", "sha2", "md5"}) {
    CHECK_FALSE(attest::crypto::hash_from_name(name));
  }
}

TEST_CASE("a digest value compares by size and bytes, whatever was in it before") {
  Digest a(*from_hex("00ff"));
  CHECK(a.size() == 2);
  CHECK(a == Digest(*from_hex("00ff")));
  CHECK_FALSE(a == Digest(*from_hex("00ff00")));
  CHECK_FALSE(a == Digest());
  Digest b = Digest::filled(64, 0xaa);
  b.resize(0);
  CHECK(b == Digest());
  CHECK(b.empty());
  Digest c = Digest::filled(64, 0xaa);
  c.resize(1);
  c.resize(2);
  CHECK(to_hex(c.bytes()) == "aa00");
}

TEST_CASE("a digest of one repeated byte is recognised") {
  CHECK(Digest::filled(20, 0xff).all(0xff));
  CHECK_FALSE(Digest::filled(20, 0xff).all(0));
  CHECK_FALSE(Digest(*from_hex("ffffff00")).all(0xff));
  CHECK_FALSE(Digest().all(0));
}

TEST_CASE("a digest of more than 64 bytes is a caller's error") {
  const std::vector<std::uint8_t> bytes(65);
  CHECK_THROWS_AS(Digest(bytes), std::invalid_argument);
  CHECK_THROWS_AS(Digest::filled(65, 0), std::invalid_argument);
  CHECK_NOTHROW(Digest::filled(64, 0));
}

TEST_CASE("byte strings are equal only in size and in every byte") {
  using attest::crypto::equal_constant_time;
  CHECK(equal_constant_time(as_bytes("nonce"), as_bytes("nonce")));
  CHECK(equal_constant_time({}, {}));
  CHECK_FALSE(equal_constant_time(as_bytes("nonce"), as_bytes("nonc")));
  CHECK_FALSE(equal_constant_time(as_bytes("nonce"), as_bytes("Nonce")));
  CHECK_FALSE(equal_constant_time(as_bytes("nonce"), as_bytes("noncE")));
  CHECK_FALSE(equal_constant_time(as_bytes("nonce"), {}));
}

TEST_CASE("random bytes do not repeat and fill all of the room") {
  std::set<std::vector<std::uint8_t>> seen;
  std::vector<std::uint8_t> any(32, 0);
  for (int i = 0; i < 64; ++i) {
    std::vector<std::uint8_t> bytes(32, 0);
    attest::crypto::random_bytes(bytes);
    for (std::size_t k = 0; k < any.size(); ++k) any[k] |= bytes[k];
    seen.insert(bytes);
  }
  CHECK(seen.size() == 64);
  CHECK(std::accumulate(any.begin(), any.end(), 0) > 32 * 200);
  CHECK_NOTHROW(attest::crypto::random_bytes({}));
  CHECK(ERR_peek_error() == 0);
}
