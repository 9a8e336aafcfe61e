// SPDX-License-Identifier: Apache-2.0

#include "libattest/key.h"

#include "tests/abi/api/calls.h"

TEST_CASE("a key in TPM form has Name and attributes") {
  Key key;
  const auto& ak = good_node().ak;
  REQUIRE(attest_key_load(key.place(), ak.data(), ak.size()) == ATTEST_OK);
  CHECK(attest_key_get_format(key.get()) == ATTEST_KEY_FORMAT_TPM2B_PUBLIC);
  CHECK(attest_key_describe(key.get()) == std::string("RSA-2048"));
  std::size_t size = 0;
  const std::uint8_t* name = attest_key_name(key.get(), &size);
  REQUIRE(name != nullptr);
  CHECK(std::vector(name, name + size) == read_vector("boot/grub-ima-ng/ak.name"));
  CHECK(attest_key_name(key.get(), nullptr) == name);
  // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign
  CHECK(attest_key_attributes(key.get()) == 0x50072);
}

TEST_CASE("the same key in PEM form has neither") {
  Key key;
  const auto pem = read_vector("boot/grub-ima-ng/ak.pem");
  REQUIRE(attest_key_load(key.place(), pem.data(), pem.size()) == ATTEST_OK);
  CHECK(attest_key_get_format(key.get()) == ATTEST_KEY_FORMAT_PEM);
  CHECK(attest_key_describe(key.get()) == std::string("RSA-2048"));
  std::size_t size = 7;
  CHECK(attest_key_name(key.get(), &size) == nullptr);
  CHECK(size == 0);
  CHECK(attest_key_attributes(key.get()) == 0);
}

TEST_CASE("a key that is cut short anywhere is malformed") {
  const auto& ak = good_node().ak;
  for (std::size_t size = 0; size < ak.size(); ++size) {
    auto* key = rubbish<attest_key>();
    CHECK(attest_key_load(&key, ak.data(), size) == ATTEST_E_MALFORMED);
    CHECK(key == nullptr);
  }
}

TEST_CASE("no key has no properties") {
  std::size_t size = 7;
  CHECK(attest_key_get_format(nullptr) == ATTEST_KEY_FORMAT_NONE);
  CHECK(attest_key_describe(nullptr) == nullptr);
  CHECK(attest_key_name(nullptr, &size) == nullptr);
  CHECK(size == 0);
  CHECK(attest_key_attributes(nullptr) == 0);
  const std::uint8_t byte = 0;
  check_failed(attest_key_load(nullptr, &byte, 1), ATTEST_E_ARGUMENT, "out is NULL");
  auto* key = rubbish<attest_key>();
  check_failed(attest_key_load(&key, nullptr, 1), ATTEST_E_ARGUMENT, "NULL");
  CHECK(key == nullptr);
  check_failed(attest_key_load(&key, nullptr, 0), ATTEST_E_MALFORMED, "");
}
