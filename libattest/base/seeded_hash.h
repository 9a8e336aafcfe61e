// SPDX-License-Identifier: Apache-2.0

// A hash for tables whose keys others choose. Nobody outside knows the seed, so nobody can choose
// keys that share a slot; equal hashes must cost time only: compare the keys.

#ifndef LIBATTEST_BASE_SEEDED_HASH_H_
#define LIBATTEST_BASE_SEEDED_HASH_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace attest {
namespace hash_detail {

__extension__ using Wide = unsigned __int128;

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// The bytes at `at` as a number, in this machine's order: hashes never leave it.
template <typename T>
T load(std::string_view text, std::size_t at) noexcept {
  std::array<char, sizeof(T)> bytes{};
  std::copy_n(text.data() + at, sizeof(T), bytes.begin());
  return std::bit_cast<T>(bytes);
}

}  // namespace hash_detail

// Multiply and fold, sixteen bytes a step. Both factors have the seed in them: with a constant in
// one, a key that cancels it would make the product zero, whatever the rest of the key.
inline std::uint64_t seeded_hash(std::string_view text, std::uint64_t seed) noexcept {
  using hash_detail::load;
  using hash_detail::mix;
  constexpr std::uint64_t kOdd = 0xbf58476d1ce4e5b9;  // SplitMix64's first multiplier
  const std::size_t size = text.size();
  std::uint64_t h = std::rotl(seed, 32);  // not the seed: halves that change places would be equal
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (size >= 16) {
    for (std::size_t at = 0; at + 16 < size; at += 16) {
      h = mix(load<std::uint64_t>(text, at) ^ seed, load<std::uint64_t>(text, at + 8) ^ h);
    }
    a = load<std::uint64_t>(text, size - 16);
    b = load<std::uint64_t>(text, size - 8);
  } else if (size >= 8) {
    a = load<std::uint64_t>(text, 0);
    b = load<std::uint64_t>(text, size - 8);
  } else {
    for (std::size_t at = 0; at < size; ++at) a = a << 8U | load<std::uint8_t>(text, at);
  }
  return mix(mix(a ^ seed, b ^ h) ^ size, kOdd);
}

}  // namespace attest

#endif  // LIBATTEST_BASE_SEEDED_HASH_H_
