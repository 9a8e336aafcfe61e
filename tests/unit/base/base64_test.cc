// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/base64.h"

#include <catch2/catch.hpp>
#include <utility>

#include "libattest/base/text.h"

using attest::as_bytes;
using attest::from_base64;
using attest::to_base64;

TEST_CASE("base64 agrees with the test vectors of RFC 4648, section 10") {
  const auto [plain, encoded] = GENERATE(table<std::string, std::string>({{"", ""},
                                                                          {"f", "Zg=="},
                                                                          {"fo", "Zm8="},
                                                                          {"foo", "Zm9v"},
                                                                          {"foob", "Zm9vYg=="},
                                                                          {"fooba", "Zm9vYmE="},
                                                                          {"foobar", "Zm9vYmFy"}}));
  CHECK(to_base64(as_bytes(plain)) == encoded);
  const auto decoded = from_base64(encoded);
  REQUIRE(decoded);
  CHECK(attest::as_text(*decoded) == plain);
}

TEST_CASE("every byte survives base64 at every position of a group") {
  std::vector<std::uint8_t> bytes;
  for (unsigned i = 0; i < 259; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
    CHECK(from_base64(to_base64(bytes)) == bytes);
  }
}

TEST_CASE("base64 with anything but full canonical groups is refused") {
  const std::string text =
      GENERATE("Zg", "Zg=", "Z===", "====", "=", "Z=g=", "Zg==Zg==", "Zm8=\n", " Zm8", "Zm 8",
               "Zm9-", "Zm9_", "Zm9*", "Zm9v=", "Zm9vZ", "Zm\xc3\xa4");
  CAPTURE(text);
  CHECK_FALSE(from_base64(text));
}

TEST_CASE("unused bits of the last base64 digit must be zero, so that a value has one spelling") {
  CHECK(from_base64("Zg=="));
  CHECK_FALSE(from_base64("Zh=="));
  CHECK_FALSE(from_base64("Zv=="));
  CHECK(from_base64("Zm8="));
  CHECK_FALSE(from_base64("Zm9="));
}
