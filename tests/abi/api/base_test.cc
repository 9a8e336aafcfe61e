// SPDX-License-Identifier: Apache-2.0

#include "libattest/base.h"

#include <array>
#include <vector>

#include "tests/abi/api/calls.h"

TEST_CASE("digest algorithms have names, and names have algorithms") {
  for (const auto& [hash, name] :
       {std::pair(ATTEST_HASH_SHA1, "sha1"), std::pair(ATTEST_HASH_SHA256, "sha256"),
        std::pair(ATTEST_HASH_SHA384, "sha384"), std::pair(ATTEST_HASH_SHA512, "sha512"),
        std::pair(ATTEST_HASH_SM3_256, "sm3_256"), std::pair(ATTEST_HASH_SHA3_256, "sha3_256"),
        std::pair(ATTEST_HASH_SHA3_384, "sha3_384"), std::pair(ATTEST_HASH_SHA3_512, "sha3_512")}) {
    CHECK(attest_hash_name(hash) == std::string(name));
    CHECK(attest_hash_from_name(name) == hash);
  }
  CHECK(attest_hash_name(ATTEST_HASH_NONE) == nullptr);
  CHECK(attest_hash_name(any<attest_hash>(0x2a)) == nullptr);
  CHECK(attest_hash_name(any<attest_hash>(0x1000b)) == nullptr);
  CHECK(attest_hash_name(any<attest_hash>(-1)) == nullptr);
  CHECK(attest_hash_from_name(nullptr) == ATTEST_HASH_NONE);
  CHECK(attest_hash_from_name("") == ATTEST_HASH_NONE);
  CHECK(attest_hash_from_name("SHA256") == ATTEST_HASH_NONE);
}

TEST_CASE("nonces have 16 to 64 bytes and differ") {
  std::array<std::uint8_t, 65> one{}, other{};
  CHECK(attest_nonce_make(one.data(), 16) == ATTEST_OK);
  CHECK(attest_nonce_make(other.data(), 16) == ATTEST_OK);
  CHECK(one != other);
  CHECK(std::all_of(one.begin() + 16, one.end(), [](auto b) { return b == 0; }));
  CHECK(attest_nonce_make(one.data(), 64) == ATTEST_OK);
  check_failed(attest_nonce_make(one.data(), 15), ATTEST_E_ARGUMENT, "16 to 64 bytes");
  check_failed(attest_nonce_make(one.data(), 65), ATTEST_E_ARGUMENT, "16 to 64 bytes");
  check_failed(attest_nonce_make(nullptr, 32), ATTEST_E_ARGUMENT, "out is NULL");
}

TEST_CASE("an error's words are kept until the next failure, and are one short line") {
  attest_key* key = nullptr;
  const std::string pem = "-----BEGIN \n\r\x1b[31m" + std::string(5000, 'A') + "-----\n";
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(pem.data());
  REQUIRE(attest_key_load(&key, bytes, pem.size()) == ATTEST_E_MALFORMED);
  const std::string said = attest_last_error();
  CHECK(said.size() < 512);
  CHECK(said.size() > 10);
  CHECK(std::none_of(said.begin(), said.end(), [](char c) { return c >= 0 && c < 0x20; }));
  std::array<std::uint8_t, 16> nonce{};
  REQUIRE(attest_nonce_make(nonce.data(), nonce.size()) == ATTEST_OK);
  CHECK(attest_last_error() == said);
}

TEST_CASE("no object is an empty object") {
  CHECK(attest_buffer_data(nullptr) == nullptr);
  CHECK(attest_buffer_size(nullptr) == 0);
  attest_buffer_free(nullptr);
  attest_key_free(nullptr);
  attest_quote_free(nullptr);
  attest_pcrs_free(nullptr);
  attest_eventlog_free(nullptr);
  attest_ima_free(nullptr);
  attest_policy_free(nullptr);
  attest_node_free(nullptr);
  attest_evidence_free(nullptr);
  attest_report_free(nullptr);
}

TEST_CASE("rendered text has a NUL behind its end") {
  Node node;
  Buffer text;
  REQUIRE(attest_node_new(node.place()) == ATTEST_OK);
  REQUIRE(attest_node_export(text.place(), node.get()) == ATTEST_OK);
  REQUIRE(attest_buffer_size(text.get()) > 2);
  CHECK(attest_buffer_data(text.get())[attest_buffer_size(text.get())] == 0);
}
