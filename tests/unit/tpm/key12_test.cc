// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/key12.h"

#include <catch2/catch.hpp>

#include "libattest/tpm/key.h"
#include "tests/support/parse_error.h"
#include "tests/support/tpm12.h"

using attest::Bytes;
using attest::tpm::AttestationKey;
using attest::tpm::KeyFormat;

namespace {

std::string error_of(const Octets& in) {
  return parse_error_of([&] { return AttestationKey::load(in); });
}

// A modulus with its highest and its lowest bit.
MadeKey12 made() {
  MadeKey12 key;
  key.modulus.front() = 0xc1;
  key.modulus.back() = 0x01;
  return key;
}

}  // namespace

TEST_CASE("a TPM 1.2's keys are the same key in each form") {
  const AttestationKey pem = AttestationKey::load(read_vector("tpm12/aik.pem"));
  CHECK(pem.key12() == nullptr);
  const AttestationKey pubkey = AttestationKey::load(read_vector("tpm12/aik.tpm_pubkey"));
  CHECK(pubkey.format() == KeyFormat::kTpmPubkey);
  CHECK(attest::tpm::format_name(pubkey.format()) == "TPM_PUBKEY");
  CHECK(pubkey.key().spki() == pem.key().spki());
  REQUIRE(pubkey.key12() != nullptr);
  CHECK_FALSE(pubkey.key12()->use.has_value());
  const AttestationKey key = AttestationKey::load(read_vector("tpm12/aik.tpm_key"));
  CHECK(key.format() == KeyFormat::kTpmKey);
  CHECK(attest::tpm::format_name(key.format()) == "TPM_KEY");
  CHECK(key.key().spki() == pem.key().spki());
  CHECK(key.key().describe() == "RSA-2048");
  CHECK(key.key().exponent() == 65537);
  REQUIRE((key.key12() != nullptr && key.key12()->use));
  CHECK(key.key12()->use->usage == attest::tpm::kKeyIdentity);
  CHECK(key.key12()->use->flags == 0);
  CHECK(key.key12()->sig_scheme == attest::tpm::kSsRsassaSha1);
  CHECK(key.key12()->enc_scheme == attest::tpm::kEsNone);
  for (const AttestationKey* k : {&pubkey, &key}) {
    CHECK(k->area() == nullptr);
    CHECK(k->name().empty());
  }
}

TEST_CASE("TPM_KEY and TPM_KEY12 are read, whatever of them is optional") {
  MadeKey12 key = made();
  key.exponent = {0x01, 0x00, 0x01};
  key.pcr_info = Octets(73, 0x11);
  for (const Octets& front : {Octets{0, 0x28, 0, 0}, Octets{1, 1, 0, 0}}) {
    key.front = front;
    const AttestationKey loaded = AttestationKey::load(key.key());
    CHECK(loaded.format() == KeyFormat::kTpmKey);
    CHECK(loaded.key().exponent() == 65537);
    CHECK(loaded.key12()->modulus.size() == 256);
  }
  key.enc_data.clear();
  CHECK(error_of(key.key()) == "accepted");
  CHECK(AttestationKey::load(key.pubkey()).format() == KeyFormat::kTpmPubkey);
}

TEST_CASE("a moved key still knows its structure") {
  AttestationKey key = AttestationKey::load(read_vector("tpm12/aik.tpm_key"));
  const AttestationKey moved = std::move(key);
  CHECK(moved.key12()->modulus.size() == 256);
  CHECK(attest::tpm::public_key_of(*moved.key12()).spki() == moved.key().spki());
}

TEST_CASE("a TPM 1.2's key cut short anywhere, or with a byte more, is malformed") {
  for (Octets bytes : {made().key(), made().pubkey()}) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      CAPTURE(n);
      const Octets cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      CHECK(error_of(cut) != "accepted");
    }
    bytes.push_back(0);
    CHECK_THAT(error_of(bytes), Catch::EndsWith("has bytes after its end"));
  }
}

TEST_CASE("a TPM 1.2's key with one field that is not a key's is malformed") {
  MadeKey12 key = made();
  std::string words;
  SECTION("another algorithm") {
    key.algorithm = 6;
    words = "algorithmParms.algorithmID: not RSA";
  }
  SECTION("three primes") {
    key.primes = 3;
    words = "algorithmParms.numPrimes: not 2";
  }
  SECTION("a long exponent") {
    key.exponent = Octets(5, 1);
    words = "algorithmParms.exponentSize: larger than";
  }
  SECTION("an exponent of zero") {
    key.exponent = {0};
    words = "exponent is not an odd number above 1";
  }
  SECTION("an even exponent") {
    key.exponent = {2};
    words = "exponent is not an odd number above 1";
  }
  SECTION("keyLength is not the modulus'") {
    key.bits = 2047;
    words = "modulus is not of keyLength bits";
  }
  SECTION("a modulus that begins with zero") {
    key.modulus.front() = 0;
    words = "modulus is not of keyLength bits";
  }
  SECTION("a modulus that is too long") {
    key.modulus = Octets(1025, 0xc1);
    key.bits = 8200;
    words = "pubKey.keyLength: larger than";
  }
  SECTION("a modulus that is too short") {
    key.modulus = Octets(64, 0xc1);
    key.bits = 512;
    words = "RSA key is not of 1024 to 8192 bits";
  }
  SECTION("PCRs without end") {
    key.pcr_info = Octets(4097, 0);
    words = "PCRInfoSize: larger than";
  }
  SECTION("a private part without end") {
    key.enc_data = Octets(4097, 0);
    words = "encSize: larger than";
  }
  CHECK_THAT(error_of(key.key()), Catch::Contains(words));
}

TEST_CASE("a key that begins as none of a TPM 1.2 is not read as one") {
  const Octets fronts[] = {{1, 2, 0, 0}, {1, 1, 0, 1}, {0, 0x28, 0, 1}, {0, 0x29, 0, 0}};
  for (const Octets& front : fronts) {
    MadeKey12 key = made();
    key.front = front;
    CHECK(error_of(key.key()) != "accepted");
  }
}
