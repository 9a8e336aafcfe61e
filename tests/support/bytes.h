// SPDX-License-Identifier: Apache-2.0

// Builds test input: the writing counterpart of Reader, in tests only.
#ifndef LIBATTEST_TESTS_SUPPORT_BYTES_H_
#define LIBATTEST_TESTS_SUPPORT_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

class Writer {
 public:
  template <typename T>
  Writer& be(T v) {
    for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(v) >> shift));
    }
    return *this;
  }
  template <typename T>
  Writer& le(T v) {
    for (unsigned shift = 0; shift < sizeof(T) * 8; shift += 8) {
      out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(v) >> shift));
    }
    return *this;
  }
  Writer& raw(std::initializer_list<std::uint8_t> b) {
    out.insert(out.end(), b);
    return *this;
  }
  Writer& bytes(std::span<const std::uint8_t> b) {
    out.insert(out.end(), b.begin(), b.end());
    return *this;
  }
  Writer& text(std::string_view s) {
    out.insert(out.end(), s.begin(), s.end());
    return *this;
  }
  Writer& fill(std::size_t n, std::uint8_t v) {
    out.insert(out.end(), n, v);
    return *this;
  }
  std::vector<std::uint8_t> out;
};

#endif  // LIBATTEST_TESTS_SUPPORT_BYTES_H_
