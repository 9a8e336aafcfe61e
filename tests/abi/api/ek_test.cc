// SPDX-License-Identifier: Apache-2.0

#include "libattest/ek.h"

#include "libattest/credential.h"
#include "tests/abi/api/calls.h"

namespace {

void load_ek(Ek& ek) {
  const GoodNode& n = good_node();
  REQUIRE(attest_ek_load(ek.place(), n.ek.data(), n.ek.size(), n.ek_certificate.data(),
                         n.ek_certificate.size()) == ATTEST_OK);
}

struct Chain {
  attest_bytes ca{good_node().ca.data(), good_node().ca.size()};
  attest_bytes issuer{good_node().issuer.data(), good_node().issuer.size()};
  attest_chain_options options = ATTEST_CHAIN_OPTIONS_INIT;

  Chain() {
    options.cas = &ca;
    options.num_cas = 1;
    options.intermediates = &issuer;
    options.num_intermediates = 1;
    options.now = 1900000000;
  }
};

void load_ak(Key& ak) {
  REQUIRE(attest_key_load(ak.place(), good_node().ak.data(), good_node().ak.size()) == ATTEST_OK);
}

}  // namespace

TEST_CASE("an EK says its digest, which openssl says, too") {
  Ek ek;
  load_ek(ek);
  // openssl pkey -pubin -in tests/vectors/tpm2/ek_rsa.pem -outform der | sha256sum
  CHECK(attest_ek_sha256(ek.get()) ==
        std::string("faa032fe829962d2d2222bf1f7c9d62ac20adfd6539051dd3df965ca5023a9da"));
  CHECK(attest_ek_describe(ek.get()) == std::string("RSA-2048"));
  CHECK(attest_ek_sha256(nullptr) == nullptr);
  CHECK(attest_ek_describe(nullptr) == nullptr);
}

TEST_CASE("an EK that is none is refused, and what is nothing is malformed") {
  const GoodNode& n = good_node();
  auto* ek = rubbish<attest_ek>();
  check_failed(attest_ek_load(&ek, n.ak.data(), n.ak.size(), nullptr, 0), ATTEST_E_REFUSED,
               "not an EK's");
  CHECK(ek == nullptr);
  check_failed(attest_ek_load(&ek, n.ek_ecc.data(), n.ek_ecc.size(), n.ek_certificate.data(),
                              n.ek_certificate.size()),
               ATTEST_E_REFUSED, "another key");
  check_failed(attest_ek_load(&ek, n.ek.data(), n.ek.size() - 1, nullptr, 0), ATTEST_E_MALFORMED,
               "TPMT_PUBLIC");
  check_failed(attest_ek_load(&ek, nullptr, 0, n.ek.data(), n.ek.size()), ATTEST_E_MALFORMED,
               "EK certificate");
  check_failed(attest_ek_load(&ek, nullptr, 0, nullptr, 0), ATTEST_E_ARGUMENT, "public area");
  check_failed(attest_ek_load(&ek, nullptr, 1, nullptr, 0), ATTEST_E_ARGUMENT, "NULL");
  check_failed(attest_ek_load(nullptr, n.ek.data(), n.ek.size(), nullptr, 0), ATTEST_E_ARGUMENT,
               "out is NULL");
}

TEST_CASE("a chain is good, or refused for a reason") {
  Ek ek;
  load_ek(ek);
  Chain chain;
  CHECK(attest_ek_verify_chain(ek.get(), &chain.options) == ATTEST_OK);
  SECTION("a gap") {
    chain.options.num_intermediates = 0;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_REFUSED,
                 "unable to get local issuer certificate");
  }
  SECTION("before it was made") {
    chain.options.now = 1;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_REFUSED, "not yet");
  }
  SECTION("no certificate") {
    const GoodNode& n = good_node();
    REQUIRE(attest_ek_load(ek.place(), n.ek.data(), n.ek.size(), nullptr, 0) == ATTEST_OK);
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_REFUSED,
                 "has no certificate");
  }
  SECTION("a CA that is none") {
    chain.ca = {good_node().ak.data(), good_node().ak.size()};
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_MALFORMED, "");
  }
  SECTION("the caller's mistakes") {
    check_failed(attest_ek_verify_chain(nullptr, &chain.options), ATTEST_E_ARGUMENT, "ek is NULL");
    check_failed(attest_ek_verify_chain(ek.get(), nullptr), ATTEST_E_ARGUMENT, "options is NULL");
    chain.options.now = 0;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_ARGUMENT, "now");
    chain.options.now = 1900000000;
    chain.options.cas = nullptr;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_ARGUMENT,
                 "cas is NULL");
    chain.options.num_cas = 0;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_ARGUMENT,
                 "no CA certificates");
    chain.options.size = 0;
    check_failed(attest_ek_verify_chain(ek.get(), &chain.options), ATTEST_E_ARGUMENT, "size");
  }
}

TEST_CASE("a challenge has two parts, and takes one answer") {
  Ek ek;
  Key ak;
  Credential challenge;
  load_ek(ek);
  load_ak(ak);
  REQUIRE(attest_credential_new(challenge.place(), ek.get(), ak.get()) == ATTEST_OK);
  std::size_t size = 0;
  REQUIRE(attest_credential_id_object(challenge.get(), &size) != nullptr);
  CHECK(size == 2 + 2 + 32 + 2 + 32);
  REQUIRE(attest_credential_encrypted_secret(challenge.get(), &size) != nullptr);
  CHECK(size == 2 + 256);
  CHECK(attest_credential_encrypted_secret(challenge.get(), nullptr) != nullptr);
  const std::vector<std::uint8_t> answer(32, 0);
  auto* bound = rubbish<attest_key>();
  check_failed(attest_credential_check(&bound, challenge.get(), answer.data(), answer.size()),
               ATTEST_E_REFUSED, "answered wrongly");
  CHECK(bound == nullptr);
  check_failed(attest_credential_check(&bound, challenge.get(), answer.data(), answer.size()),
               ATTEST_E_STATE, "answered before");
}

TEST_CASE("a call that is wrong costs no answer") {
  Ek ek;
  Key ak;
  Credential challenge;
  load_ek(ek);
  load_ak(ak);
  REQUIRE(attest_credential_new(challenge.place(), ek.get(), ak.get()) == ATTEST_OK);
  auto* bound = rubbish<attest_key>();
  check_failed(attest_credential_check(nullptr, challenge.get(), nullptr, 0), ATTEST_E_ARGUMENT,
               "bound is NULL");
  check_failed(attest_credential_check(&bound, nullptr, nullptr, 0), ATTEST_E_ARGUMENT,
               "credential is NULL");
  check_failed(attest_credential_check(&bound, challenge.get(), nullptr, 1), ATTEST_E_ARGUMENT,
               "NULL");
  check_failed(attest_credential_check(&bound, challenge.get(), nullptr, 0), ATTEST_E_REFUSED,
               "answered wrongly");
}

TEST_CASE("a key without a Name is not challenged") {
  Ek ek;
  Key ak;
  load_ek(ek);
  const auto pem = read_vector("boot/grub-ima-ng/ak.pem");
  REQUIRE(attest_key_load(ak.place(), pem.data(), pem.size()) == ATTEST_OK);
  auto* challenge = rubbish<attest_credential>();
  check_failed(attest_credential_new(&challenge, ek.get(), ak.get()), ATTEST_E_REFUSED,
               "public area");
  CHECK(challenge == nullptr);
  check_failed(attest_credential_new(&challenge, nullptr, ak.get()), ATTEST_E_ARGUMENT,
               "ek is NULL");
  check_failed(attest_credential_new(&challenge, ek.get(), nullptr), ATTEST_E_ARGUMENT,
               "ak is NULL");
  check_failed(attest_credential_new(nullptr, ek.get(), ak.get()), ATTEST_E_ARGUMENT,
               "out is NULL");
  std::size_t size = 7;
  CHECK(attest_credential_id_object(nullptr, &size) == nullptr);
  CHECK(size == 0);
  CHECK(attest_credential_encrypted_secret(nullptr, &size) == nullptr);
}
