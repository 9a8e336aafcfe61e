// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/hex.h"

#include <array>
#include <catch2/catch.hpp>

using attest::from_hex;
using attest::to_hex;

TEST_CASE("hex goes both ways, and is written in lower case") {
  std::vector<std::uint8_t> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(all);
  CHECK(text.substr(0, 8) == "00010203");
  CHECK(text.substr(text.size() - 8) == "fcfdfeff");
  CHECK(from_hex(text) == all);
  CHECK(to_hex({}).empty());
  REQUIRE(from_hex(""));
  CHECK(from_hex("")->empty());
}

TEST_CASE("hex is read in either case") {
  CHECK(from_hex("abcdef") == from_hex("ABCDEF"));
  CHECK(from_hex("aBcD") == std::vector<std::uint8_t>{0xab, 0xcd});
}

TEST_CASE("text with one character that is not a digit is not hex") {
  const std::string text = GENERATE("0", "abc", "0x12", "12 3", "1g", "g1", "/0", ":0", "@0", "G0",
                                    "`0", " 12", "12\n", "+1", "-1", "\xc3\xa4");
  CAPTURE(text);
  CHECK_FALSE(from_hex(text));
  CHECK_FALSE(from_hex(std::string("00\0", 3)));
}

TEST_CASE("hex is decoded only into room that it fills exactly") {
  std::array<std::uint8_t, 2> room{};
  CHECK(from_hex("beef", room));
  CHECK(room == std::array<std::uint8_t, 2>{0xbe, 0xef});
  CHECK_FALSE(from_hex("be", room));
  CHECK_FALSE(from_hex("beef00", room));
  CHECK_FALSE(from_hex("bee", room));
  CHECK_FALSE(from_hex("beex", room));
}
