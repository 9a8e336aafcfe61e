// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/key.h"

#include <catch2/catch.hpp>
#include <utility>

#include "tests/support/bytes.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::tpm::AttestationKey;
using attest::tpm::KeyFormat;

namespace {

const std::string kDir = "tpm2/ak_ecdsa_p384_sha384/";

std::string error_of(Bytes in) {
  return parse_error_of([&] { return AttestationKey::load(in); });
}

std::vector<std::uint8_t> text(std::string_view s) { return {s.begin(), s.end()}; }

}  // namespace

TEST_CASE("a key is the same in every form that it is read from") {
  const auto [file, format, words] = GENERATE(table<std::string, KeyFormat, std::string>({
      {"ak.tss", KeyFormat::kTpm2bPublic, "TPM2B_PUBLIC"},
      {"ak.tpmt", KeyFormat::kTpmtPublic, "TPMT_PUBLIC"},
      {"ak.pem", KeyFormat::kPem, "PEM public key"},
      {"ak.der", KeyFormat::kSpkiDer, "DER public key"},
  }));
  const AttestationKey key = AttestationKey::load(read_vector(kDir + file));
  CHECK(key.format() == format);
  CHECK(attest::tpm::format_name(key.format()) == words);
  const auto spki = read_vector(kDir + "ak.der");
  CHECK(key.key().spki() == spki);
  CHECK(key.spki_sha256() == attest::crypto::Hasher(attest::crypto::Hash::kSha256)(spki));
  const bool from_tpm = file == "ak.tss" || file == "ak.tpmt";
  CHECK((key.area() != nullptr) == from_tpm);
  const std::vector<std::uint8_t> name(key.name().begin(), key.name().end());
  CHECK(name == (from_tpm ? read_vector(kDir + "ak.name") : std::vector<std::uint8_t>{}));
}

TEST_CASE("a key is read from certificates") {
  const auto [file, format, words] = GENERATE(table<std::string, KeyFormat, std::string>({
      {"keys/certificate.pem", KeyFormat::kCertificatePem, "PEM certificate"},
      {"keys/certificate.der", KeyFormat::kCertificateDer, "DER certificate"},
      {"tpm2/ekcert/nv_01c00002_rsa2048.der", KeyFormat::kCertificateDer, "DER certificate"},
  }));
  const AttestationKey key = AttestationKey::load(read_vector(file));
  CHECK(key.format() == format);
  CHECK(attest::tpm::format_name(key.format()) == words);
  CHECK(key.area() == nullptr);
  CHECK(key.name().empty());
}

TEST_CASE("a key owns what its area refers to, also when it is moved") {
  AttestationKey key = [] {
    const auto bytes = read_vector(kDir + "ak.tss");
    return AttestationKey::load(bytes);
  }();
  AttestationKey moved = std::move(key);
  AttestationKey assigned = AttestationKey::load(read_vector("tpm2/ak_rsassa_sha256/ak.tss"));
  assigned = std::move(moved);
  REQUIRE(assigned.area() != nullptr);
  CHECK(assigned.area()->x.size() == 48);
  CHECK(attest::tpm::name_of(*assigned.area()) == read_vector(kDir + "ak.name"));
}

TEST_CASE("a TPM key cut short anywhere or followed by a byte is malformed") {
  const std::string file = GENERATE("ak.tss", "ak.tpmt", "ak.der", "ak.pem");
  auto bytes = read_vector(kDir + file);
  const std::size_t whole = file == "ak.pem" ? bytes.size() - 1 : bytes.size();
  for (std::size_t n = 0; n < whole; ++n) {
    CAPTURE(n);
    CHECK(error_of(Bytes(bytes).first(n)) != "accepted");
  }
  bytes.push_back(file == "ak.pem" ? 'x' : 0);
  CHECK(error_of(bytes) != "accepted");
}

TEST_CASE("what is no key is refused by the name of the format that it looked like") {
  const auto [in, words] = GENERATE(table<std::vector<std::uint8_t>, std::string>({
      {text(""), "attestation key: byte 0: key: empty"},
      {{0x00}, "TPMT_PUBLIC: byte 0: type: input ends inside this field"},
      {{0x00, 0x00}, "TPM2B_PUBLIC: byte 2: type: input ends inside this field"},
      {{0x00, 0x08, 0x00, 0x0b}, "TPMT_PUBLIC: byte 2: type: neither RSA nor ECC"},
      {text("-----BEGIN "), "PEM: line 1: not a \"-----BEGIN ...-----\" line"},
      {text("-----BEGIN RSA PUBLIC KEY-----\nZm9v\n-----END RSA PUBLIC KEY-----\n"),
       "PEM: line 1: neither PUBLIC KEY nor CERTIFICATE"},
      {text("-----BEGIN PUBLIC KEY-----\nZm9v\n-----END PUBLIC KEY-----\n"),
       "SubjectPublicKeyInfo: byte 0: public key: not a DER public key"},
      {text(" -----BEGIN PUBLIC KEY-----\nZm9v\n-----END PUBLIC KEY-----\n"),
       "TPMT_PUBLIC: byte 2: type: neither RSA nor ECC"},
      {text("0 is where DER begins"),
       "attestation key: byte 0: DER: SubjectPublicKeyInfo: byte 0: public key: not a DER public "
       "key; X.509 certificate: byte 0: certificate: not a DER certificate"},
      {std::vector<std::uint8_t>(65537, 0), "attestation key: byte 65536: key: larger than 64 KiB"},
  }));
  CHECK(error_of(in) == words);
}

TEST_CASE("a DER key of an unfit kind is refused, and both attempts are named") {
  CHECK(error_of(read_vector("keys/ec_secp256k1.der")) ==
        "attestation key: byte 0: DER: SubjectPublicKeyInfo: byte 0: public key: EC key is not on "
        "P-256, P-384 or P-521; X.509 certificate: byte 0: certificate: not a DER certificate");
  auto trailing = read_vector("keys/certificate.der");
  trailing.push_back(0);
  CHECK(error_of(trailing).ends_with("certificate: has bytes after its end"));
}

TEST_CASE("a public area whose key or Name can not be computed is refused") {
  auto rsa = read_vector("tpm2/ak_rsassa_sha256/ak.tss");
  rsa[5] = 0x10;  // nameAlg TPM_ALG_NULL
  CHECK(error_of(rsa) == "TPMT_PUBLIC: byte 2: nameAlg: not a digest algorithm known here");
  auto ec = read_vector(kDir + "ak.tss");
  ec.back() = static_cast<std::uint8_t>(ec.back() ^ 1U);
  CHECK(error_of(ec) == "TPMT_PUBLIC: byte 0: public key: the numbers do not make a key");
}
