// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/public.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <utility>

#include "libattest/base/hex.h"
#include "tests/support/bytes.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::tpm::parse_public;
using attest::tpm::parse_public_2b;
using attest::tpm::PublicArea;

namespace {

constexpr std::uint16_t kNull = 0x0010;
constexpr std::uint16_t kSha256 = 0x000b;

// A valid TPMT_PUBLIC, field by field, so that a test can break one of them. The numbers in it are
// no key's: parsing does not look at them.
struct Area {
  std::uint16_t type = 0x0001;
  std::uint16_t name_alg = kSha256;
  std::size_t policy = 0;
  std::vector<std::uint16_t> symmetric{kNull};
  std::vector<std::uint16_t> scheme{0x0014, kSha256};
  std::vector<std::uint16_t> kdf{kNull};
  std::size_t modulus = 256;
  std::size_t x = 32;
  std::size_t y = 32;

  std::vector<std::uint8_t> bytes() const {
    Writer w;
    const auto sized = [&](std::size_t size, std::uint8_t value) {
      w.be(static_cast<std::uint16_t>(size)).fill(size, value);
    };
    w.be(type).be(name_alg).be<std::uint32_t>(0x00050072);
    sized(policy, 0x70);
    for (const std::uint16_t v : symmetric) w.be(v);
    for (const std::uint16_t v : scheme) w.be(v);
    if (type == 0x0023) {
      w.be<std::uint16_t>(3);
      for (const std::uint16_t v : kdf) w.be(v);
      sized(x, 0x58);
      sized(y, 0x59);
    } else {
      w.be<std::uint16_t>(2048).be<std::uint32_t>(3);
      sized(modulus, 0xc5);
    }
    return w.out;
  }
};

Area ecc() { return Area{.type = 0x0023, .scheme = {0x0018, kSha256}}; }

std::vector<std::uint8_t> sized(const std::vector<std::uint8_t>& bytes) {
  return Writer().be(static_cast<std::uint16_t>(bytes.size())).bytes(bytes).out;
}

std::string error_of(Bytes in) {
  return parse_error_of([&] { return parse_public(in); });
}

std::string key_error(const PublicArea& area) {
  return parse_error_of([&] { return attest::tpm::public_key_of(area); });
}

}  // namespace

TEST_CASE("an RSA public area is read") {
  const auto bytes = Area{.policy = 32}.bytes();
  const PublicArea a = parse_public(bytes);
  CHECK(a.raw.data() == bytes.data());
  CHECK(a.raw.size() == bytes.size());
  CHECK(a.type == 0x0001);
  CHECK(a.name_alg == kSha256);
  CHECK(a.attributes == 0x00050072);
  CHECK(a.auth_policy.size() == 32);
  CHECK(a.symmetric == kNull);
  CHECK(a.scheme == 0x0014);
  CHECK(a.scheme_hash == kSha256);
  CHECK(a.key_bits == 2048);
  CHECK(a.exponent == 3);
  CHECK(a.modulus.size() == 256);
  CHECK(a.modulus[0] == 0xc5);
  CHECK(a.x.empty());
}

TEST_CASE("an ECC public area is read") {
  const auto bytes = ecc().bytes();
  const PublicArea a = parse_public(bytes);
  CHECK(a.type == 0x0023);
  CHECK(a.scheme == 0x0018);
  CHECK(a.scheme_hash == kSha256);
  CHECK(a.curve == 3);
  CHECK(a.kdf == kNull);
  CHECK(a.x.size() == 32);
  CHECK(a.x[0] == 0x58);
  CHECK(a.y[31] == 0x59);
  CHECK(a.modulus.empty());
}

TEST_CASE("each scheme has the fields of its own type") {
  const auto [type, scheme, hash] =
      GENERATE(table<std::uint16_t, std::vector<std::uint16_t>, std::uint16_t>({
          {0x0001, {kNull}, kNull},
          {0x0001, {0x0014, 0x000c}, 0x000c},
          {0x0001, {0x0015}, kNull},
          {0x0001, {0x0016, 0x000d}, 0x000d},
          {0x0001, {0x0017, 0x0004}, 0x0004},
          {0x0023, {kNull}, kNull},
          {0x0023, {0x0018, 0x000c}, 0x000c},
          {0x0023, {0x0019, 0x000b}, 0x000b},
          {0x0023, {0x001a, 0x000b, 7}, 0x000b},
          {0x0023, {0x001b, 0x0012}, 0x0012},
          {0x0023, {0x001c, 0x000b}, 0x000b},
          {0x0023, {0x001d, 0x000b}, 0x000b},
      }));
  const auto bytes = Area{.type = type, .scheme = scheme}.bytes();
  const PublicArea a = parse_public(bytes);
  CHECK(a.scheme == scheme[0]);
  CHECK(a.scheme_hash == hash);
  CHECK((type == 0x0001 ? a.modulus.size() == 256 : a.y.size() == 32));
}

TEST_CASE("symmetric algorithms and key derivations have the fields of their own type") {
  const auto symmetric = GENERATE(as<std::uint16_t>{}, 0x0006, 0x0013, 0x0026);
  const auto kdf = GENERATE(as<std::uint16_t>{}, 0x0007, 0x0020, 0x0021, 0x0022);
  Area area = ecc();
  area.symmetric = {symmetric, 128, 0x0043};
  area.kdf = {kdf, kSha256};
  const auto bytes = area.bytes();
  const PublicArea a = parse_public(bytes);
  CHECK(a.symmetric == symmetric);
  CHECK(a.kdf == kdf);
  CHECK(a.y.size() == 32);
}

TEST_CASE("a public area with one field wrong is malformed") {
  const auto [area, words] = GENERATE(table<Area, std::string>({
      {Area{.type = 0x0008}, "byte 2: type: neither RSA nor ECC"},
      {Area{.type = 0x0025}, "byte 2: type: neither RSA nor ECC"},
      {Area{.type = 0x0000}, "byte 2: type: neither RSA nor ECC"},
      {Area{.policy = 65}, "byte 10: authPolicy: larger than its type allows"},
      {Area{.symmetric = {0x0003}},
       "byte 12: parameters.symmetric.algorithm: not a symmetric cipher"},
      {Area{.symmetric = {0x000a, kSha256}},
       "byte 12: parameters.symmetric.algorithm: not a symmetric cipher"},
      {Area{.scheme = {0x0018, kSha256}}, "byte 14: parameters.scheme.scheme: not an RSA scheme"},
      {Area{.scheme = {0xffff}}, "byte 14: parameters.scheme.scheme: not an RSA scheme"},
      {Area{.type = 0x0023, .scheme = {0x0014, kSha256}},
       "byte 14: parameters.scheme.scheme: not an ECC scheme"},
      {Area{.type = 0x0023, .scheme = {0x0000}},
       "byte 14: parameters.scheme.scheme: not an ECC scheme"},
      {Area{.type = 0x0023, .scheme = {kNull}, .kdf = {0x0014}},
       "byte 18: parameters.kdf.scheme: not a key derivation"},
      {Area{.modulus = 513}, "byte 24: unique: larger than its type allows"},
      {Area{.type = 0x0023, .scheme = {kNull}, .x = 129},
       "byte 20: unique.x: larger than its type allows"},
      {Area{.type = 0x0023, .scheme = {kNull}, .y = 129},
       "byte 54: unique.y: larger than its type allows"},
  }));
  CHECK(error_of(area.bytes()) == "TPMT_PUBLIC: " + words);
}

TEST_CASE("a public area cut short anywhere or followed by a byte is malformed") {
  Area with_all = ecc();
  with_all.symmetric = {0x0006, 128, 0x0043};
  with_all.scheme = {0x001a, kSha256, 1};
  with_all.kdf = {0x0022, kSha256};
  auto bytes = GENERATE_REF(Area{}.bytes(), with_all.bytes());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(error_of(Bytes(bytes).first(n)).ends_with("input ends inside this field"));
  }
  bytes.push_back(0);
  CHECK(error_of(bytes).ends_with("TPMT_PUBLIC: has bytes after its end"));
}

TEST_CASE("a TPM2B_PUBLIC is a public area behind its exact size") {
  const auto area = Area{}.bytes();
  auto bytes = sized(area);
  const auto error = [&](Bytes in) { return parse_error_of([&] { return parse_public_2b(in); }); };
  const PublicArea a = parse_public_2b(bytes);
  CHECK(a.raw.data() == bytes.data() + 2);
  CHECK(a.raw.size() == area.size());
  CHECK(a.modulus.size() == 256);

  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CHECK(error(Bytes(bytes).first(n)).ends_with("input ends inside this field"));
  }
  bytes.push_back(0);
  CHECK(error(bytes) == "TPM2B_PUBLIC: byte 282: TPM2B_PUBLIC: has bytes after its end");
  bytes[1] = static_cast<std::uint8_t>(bytes[1] + 1);  // the size now covers the byte too many
  CHECK(error(bytes) == "TPM2B_PUBLIC: byte 282: TPMT_PUBLIC: has bytes after its end");
  bytes = sized(area);
  bytes[1] = static_cast<std::uint8_t>(bytes[1] - 1);
  CHECK(error(bytes) == "TPM2B_PUBLIC: byte 281: TPM2B_PUBLIC: has bytes after its end");
}

TEST_CASE("Name and key of real public areas are those the TPM reports") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(vectors_dir() / "tpm2")) {
    if (!entry.path().filename().string().starts_with("ak_")) continue;
    CAPTURE(entry.path());
    const auto bytes = read_file(entry.path() / "ak.tss");
    const PublicArea a = parse_public_2b(bytes);
    CHECK(attest::tpm::name_of(a) == read_file(entry.path() / "ak.name"));
    CHECK(attest::tpm::public_key_of(a).spki() == read_file(entry.path() / "ak.der"));
    const auto tpmt = read_file(entry.path() / "ak.tpmt");
    CHECK(attest::tpm::name_of(parse_public(tpmt)) == read_file(entry.path() / "ak.name"));
    CHECK((a.attributes & attest::tpm::kFixedTpm) != 0);
    CHECK(((a.attributes & attest::tpm::kRestricted) != 0) ==
          (entry.path().filename() != "ak_unrestricted"));
    ++seen;
  }
  CHECK(seen == 9);
}

TEST_CASE("the public areas of endorsement keys are read as well") {
  const auto rsa_bytes = read_vector("tpm2/ek_rsa.tss");
  const PublicArea rsa = parse_public_2b(rsa_bytes);
  CHECK(rsa.attributes == 0x000300b2);
  CHECK(rsa.symmetric == 0x0006);
  CHECK(rsa.scheme == kNull);
  CHECK(rsa.auth_policy.size() == 32);
  CHECK(attest::tpm::public_key_of(rsa).describe() == "RSA-2048");
  const auto ecc_bytes = read_vector("tpm2/ek_ecc.tss");
  const PublicArea ecc_area = parse_public_2b(ecc_bytes);
  CHECK(ecc_area.curve == 3);
  CHECK(ecc_area.kdf == kNull);
  CHECK(attest::tpm::public_key_of(ecc_area).describe() == "P-256");
}

TEST_CASE("a Name needs a digest algorithm") {
  const auto name_alg = GENERATE(as<std::uint16_t>{}, 0x0010, 0x0000, 0x0005, 0xffff);
  const auto bytes = Area{.name_alg = name_alg}.bytes();
  const PublicArea a = parse_public(bytes);
  CHECK(parse_error_of([&] { return attest::tpm::name_of(a); }) ==
        "TPMT_PUBLIC: byte 2: nameAlg: not a digest algorithm known here");
}

TEST_CASE("a Name begins with its algorithm and has its size") {
  const auto bytes = Area{.name_alg = 0x000c}.bytes();
  const auto name = attest::tpm::name_of(parse_public(bytes));
  CHECK(name.size() == 2 + 48);
  CHECK(attest::to_hex(Bytes(name).first(2)) == "000c");
}

TEST_CASE("an exponent of zero means 65537") {
  const auto bytes = read_vector("tpm2/ak_rsassa_sha256/ak.tss");
  PublicArea a = parse_public_2b(bytes);
  CHECK(a.exponent == 0);
  CHECK(attest::tpm::public_key_of(a).exponent() == 65537);
  a.exponent = 3;
  CHECK(attest::tpm::public_key_of(a).exponent() == 3);
  a.exponent = 1;
  CHECK(key_error(a) ==
        "TPMT_PUBLIC: byte 0: public key: RSA exponent is not an odd number above 1");
}

TEST_CASE("a modulus that is not of keyBits bits makes no key") {
  const auto bytes = read_vector("tpm2/ak_rsassa_sha256/ak.tss");
  const PublicArea good = parse_public_2b(bytes);
  const std::string words = "TPMT_PUBLIC: byte 0: unique: modulus is not of keyBits bits";
  PublicArea a = good;
  a.key_bits = 2047;
  CHECK(key_error(a) == words);
  a.key_bits = 3072;
  CHECK(key_error(a) == words);
  a = good;
  a.modulus = good.modulus.subspan(1);
  CHECK(key_error(a) == words);
  auto leading_zero = std::vector<std::uint8_t>(good.modulus.begin(), good.modulus.end());
  leading_zero[0] = 0;
  a.modulus = leading_zero;
  CHECK(key_error(a) == words);
  a.modulus = {};
  a.key_bits = 0;
  CHECK(key_error(a) == "TPMT_PUBLIC: byte 0: public key: RSA key is not of 1024 to 8192 bits");
}

TEST_CASE("a curve off the list or a point off the curve makes no key") {
  const auto bytes = read_vector("tpm2/ak_ecdsa_p256_sha256/ak.tss");
  const PublicArea good = parse_public_2b(bytes);
  PublicArea a = good;
  for (const int curve : {0x0000, 0x0001, 0x0002, 0x0010, 0x0011, 0x0020, 0xffff}) {
    a.curve = static_cast<std::uint16_t>(curve);
    CHECK(key_error(a) ==
          "TPMT_PUBLIC: byte 0: parameters.curveID: neither P-256, P-384 nor P-521");
  }
  a.curve = 4;
  CHECK(key_error(a) == "TPMT_PUBLIC: byte 0: public key: the numbers do not make a key");
  a = good;
  std::swap(a.x, a.y);
  CHECK(key_error(a) == "TPMT_PUBLIC: byte 0: public key: the numbers do not make a key");
}
