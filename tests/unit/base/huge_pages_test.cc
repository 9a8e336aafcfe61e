// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/huge_pages.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using attest::HugePages;

std::uintptr_t address_of(const void* at) { return reinterpret_cast<std::uintptr_t>(at); }

struct alignas(64) Line {
  char bytes[64];
};

TEST_CASE("what is large begins at a huge page, what is small at its own alignment") {
  constexpr std::size_t kHuge = std::size_t{2} << 20U;
  const std::vector<char, HugePages<char>> large(kHuge, 'a');
  const std::vector<Line, HugePages<Line>> small(3);
  CHECK(address_of(large.data()) % kHuge == 0);
  CHECK(address_of(small.data()) % alignof(Line) == 0);
}

TEST_CASE("a table that grows past a huge page keeps what it holds") {
  std::vector<std::uint32_t, HugePages<std::uint32_t>> numbers;
  for (std::uint32_t i = 0; i < 2'000'000; ++i) numbers.push_back(i);
  bool good = true;
  for (std::uint32_t i = 0; i < 2'000'000; ++i) good = good && numbers[i] == i;
  CHECK(good);
}

TEST_CASE("a size that no address space has is refused") {
  CHECK_THROWS_AS(HugePages<Line>{}.allocate(std::numeric_limits<std::size_t>::max() / 2),
                  std::bad_array_new_length);
}

TEST_CASE("advice that the kernel refuses leaves the host's errno alone") {
  errno = 42;
  attest::advise_huge_pages(&errno, 1);  // not at a page's begin
  CHECK(errno == 42);
}

}  // namespace
