// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/signature.h"

#include <catch2/catch.hpp>

#include "tests/support/bytes.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::tpm::ClaimedSignature;
using attest::tpm::parse_any_signature;
using attest::tpm::parse_signature;

namespace {

constexpr std::uint16_t kRsassa = 0x0014;
constexpr std::uint16_t kRsapss = 0x0016;
constexpr std::uint16_t kEcdsa = 0x0018;
constexpr std::uint16_t kSha256 = 0x000b;

std::vector<std::uint8_t> rsa(std::uint16_t alg, std::uint16_t size) {
  return Writer().be(alg).be(kSha256).be(size).fill(size, 0x5a).out;
}

std::vector<std::uint8_t> ecdsa(std::uint16_t r, std::uint16_t s) {
  return Writer().be(kEcdsa).be(kSha256).be(r).fill(r, 0x11).be(s).fill(s, 0x22).out;
}

std::string error_of(Bytes in) {
  return parse_error_of([&] { return parse_signature(in); });
}

}  // namespace

TEST_CASE("an RSA signature is read") {
  const std::uint16_t alg = GENERATE(kRsassa, kRsapss);
  const auto bytes = rsa(alg, 256);
  const ClaimedSignature s = parse_signature(bytes);
  CHECK(s.sig_alg == alg);
  CHECK(s.hash_alg == kSha256);
  CHECK(s.rsa.size() == 256);
  CHECK(s.rsa[0] == 0x5a);
  CHECK(s.r.empty());
  CHECK(s.s.empty());
  CHECK(s.der.empty());
}

TEST_CASE("an ECDSA signature is read, of coordinates of any size of its type") {
  const auto bytes = ecdsa(1, 66);
  const ClaimedSignature s = parse_signature(bytes);
  CHECK(s.sig_alg == kEcdsa);
  CHECK(s.hash_alg == kSha256);
  CHECK(s.r.size() == 1);
  CHECK(s.s.size() == 66);
  CHECK(s.s[65] == 0x22);
  CHECK(s.rsa.empty());
  CHECK(s.der.empty());
}

TEST_CASE("real signatures are read in both forms of tpm2-tools") {
  const std::string rsa_dir = "tpm2/ak_rsapss_sha256/quote_sha256/";
  const auto tss = read_vector(rsa_dir + "quote.sig");
  CHECK(parse_any_signature(tss, 256).sig_alg == kRsapss);
  CHECK(parse_any_signature(tss, 256).rsa.size() == 256);
  const auto plain = read_vector(rsa_dir + "plain.sig");
  CHECK_FALSE(parse_any_signature(plain, 256).sig_alg);
  CHECK(parse_any_signature(plain, 256).rsa.size() == 256);

  const std::string ec_dir = "tpm2/ak_ecdsa_p521_sha512/quote_sha512/";
  const auto ec_tss = read_vector(ec_dir + "quote.sig");
  CHECK(parse_any_signature(ec_tss, 0).sig_alg == kEcdsa);
  CHECK(parse_any_signature(ec_tss, 0).hash_alg == 0x000d);
  const auto der = read_vector(ec_dir + "plain.sig");
  const ClaimedSignature bare = parse_any_signature(der, 0);
  CHECK_FALSE(bare.sig_alg);
  CHECK_FALSE(bare.hash_alg);
  CHECK(bare.der.size() == der.size());
  CHECK(bare.r.empty());
}

TEST_CASE("a bare signature is one only for a key of its kind and size") {
  const std::vector<std::uint8_t> raw(256, 0x30);
  CHECK(parse_any_signature(raw, 256).rsa.size() == 256);
  CHECK(parse_any_signature(raw, 0).der.size() == 256);
  CHECK(parse_any_signature(raw, 384).rsa.empty());
  CHECK(parse_any_signature(raw, 384).sig_alg == 0x3030);
  CHECK(parse_error_of([] { return parse_any_signature({}, 0); }) ==
        "TPMT_SIGNATURE: byte 0: sigAlg: input ends inside this field");
  CHECK(parse_error_of([] { return parse_any_signature({}, 256); }) ==
        "TPMT_SIGNATURE: byte 0: sigAlg: input ends inside this field");
}

TEST_CASE("a signature cut short anywhere or followed by a byte is malformed") {
  auto bytes = GENERATE(rsa(kRsassa, 32), rsa(kRsapss, 32), ecdsa(32, 32));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(error_of(Bytes(bytes).first(n)).ends_with("input ends inside this field"));
  }
  bytes.push_back(0);
  CHECK(error_of(bytes).ends_with("TPMT_SIGNATURE: has bytes after its end"));
}

TEST_CASE("a signature with one size beyond its type's bounds is malformed") {
  CHECK(error_of(rsa(kRsassa, 512)) == "accepted");
  CHECK(error_of(rsa(kRsassa, 513)) ==
        "TPMT_SIGNATURE: byte 6: signature.sig: larger than its type allows");
  CHECK(error_of(rsa(kRsapss, 0)) == "TPMT_SIGNATURE: byte 6: signature.sig: empty");
  CHECK(error_of(ecdsa(128, 128)) == "accepted");
  CHECK(error_of(ecdsa(129, 32)) ==
        "TPMT_SIGNATURE: byte 6: signature.signatureR: larger than its type allows");
  CHECK(error_of(ecdsa(32, 129)) ==
        "TPMT_SIGNATURE: byte 40: signature.signatureS: larger than its type allows");
  CHECK(error_of(ecdsa(0, 32)) == "TPMT_SIGNATURE: byte 6: signature.signatureR: empty");
  CHECK(error_of(ecdsa(32, 0)) == "TPMT_SIGNATURE: byte 40: signature.signatureS: empty");
}

TEST_CASE("of a scheme that libattest does not verify, only its number is read") {
  const auto alg = GENERATE(as<std::uint16_t>{}, 0x0005, 0x0010, 0x001a, 0x001b, 0x001c, 0xffff);
  const auto bytes = Writer().be(alg).fill(3, 0xee).out;
  const ClaimedSignature s = parse_signature(bytes);
  CHECK(s.sig_alg == alg);
  CHECK_FALSE(s.hash_alg);
  CHECK(s.rsa.empty());
  CHECK(s.r.empty());
  CHECK(s.s.empty());
  CHECK(s.der.empty());
}

TEST_CASE("a signature of more than 4 KiB is not read") {
  const std::vector<std::uint8_t> bytes(4097, 0x30);
  const std::string words = "TPMT_SIGNATURE: byte 4096: TPMT_SIGNATURE: larger than 4 KiB";
  CHECK(error_of(bytes) == words);
  CHECK(parse_error_of([&] { return parse_any_signature(bytes, 0); }) == words);
  CHECK(parse_error_of([&] { return parse_any_signature(bytes, 4097); }) == words);
}
