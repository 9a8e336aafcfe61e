// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/hex.h"

#include <array>

namespace attest {
namespace {

constexpr std::uint8_t kNotHex = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNotHex);
  for (std::uint8_t i = 0; i < 10; ++i) digits[std::size_t{'0'} + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    digits[std::size_t{'a'} + i] = static_cast<std::uint8_t>(10 + i);
    digits[std::size_t{'A'} + i] = static_cast<std::uint8_t>(10 + i);
  }
  return digits;
}

constexpr auto kDigits = make_digits();

}  // namespace

std::string to_hex(Bytes bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out.push_back(kHex[b >> 4U]);
    out.push_back(kHex[b & 0xfU]);
  }
  return out;
}

bool from_hex(std::string_view text, std::span<std::uint8_t> out) noexcept {
  if (text.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t high = kDigits[static_cast<std::uint8_t>(text[2 * i])];
    const std::uint8_t low = kDigits[static_cast<std::uint8_t>(text[2 * i + 1])];
    if (high == kNotHex || low == kNotHex) return false;
    out[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  return true;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  std::vector<std::uint8_t> out(text.size() / 2);
  if (!from_hex(text, out)) return std::nullopt;
  return out;
}

}  // namespace attest
