// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/seeded_hash.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using attest::seeded_hash;

namespace {

constexpr std::uint64_t kSeed = 0x243f6a8885a308d3;

std::string bytes_of(std::uint64_t number) {
  std::string out(sizeof number, '\0');
  for (char& c : out) {
    c = static_cast<char>(number & 0xffU);
    number >>= 8U;
  }
  return out;
}

}  // namespace

TEST_CASE("every byte and every length of a key counts") {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string key(size, 'a');
    std::set<std::uint64_t> hashes{seeded_hash(key, kSeed), seeded_hash(key + '\0', kSeed)};
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = key;
      other[at] = 'b';
      hashes.insert(seeded_hash(other, kSeed));
    }
    CHECK(hashes.size() == size + 2);
    CHECK(seeded_hash(key, kSeed) == seeded_hash(std::string(key), kSeed));
  }
}

TEST_CASE("who does not know the seed does not know what is equal") {
  CHECK(seeded_hash("compute-1", 1) != seeded_hash("compute-1", 2));
  // Constants of the function, which would cancel themselves out of a factor without a seed.
  for (const std::uint64_t constant : {0xbf58476d1ce4e5b9U, 0x9e3779b97f4a7c15U}) {
    std::set<std::uint64_t> hashes;
    for (int i = 0; i < 100; ++i) {
      hashes.insert(seeded_hash(bytes_of(constant) + std::to_string(10'000'000 + i), kSeed));
    }
    CHECK(hashes.size() == 100);
  }
  const std::string a = bytes_of(0x1234), b = bytes_of(0x5678);
  CHECK(seeded_hash(a + b, kSeed) != seeded_hash(b + a, kSeed));
}

TEST_CASE("names that differ in a digit spread over all slots") {
  std::set<std::uint64_t> slots;
  for (int i = 0; i < 4096; ++i) {
    slots.insert(seeded_hash("compute-" + std::to_string(i) + ".example.org", kSeed) % 1024);
  }
  CHECK(slots.size() > 980);  // 1024 (1 - e^-4) = 1005 for a random function
}
