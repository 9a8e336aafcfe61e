// SPDX-License-Identifier: Apache-2.0

// Structures that begin with their size and grow at their end: the caller's may be older or newer
// than ours.

#ifndef LIBATTEST_API_SIZED_H_
#define LIBATTEST_API_SIZED_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "libattest/api/guard.h"

namespace attest::api {

// No structure of ours will be as large: a size that was never set.
inline constexpr std::size_t kMaxStructSize = 4096;

// What the first release that had a structure wrote into its `size`. A caller's is never smaller.
// Written out here because sizeof grows.
template <typename T>
inline constexpr std::size_t kFirstSize = 0;

template <typename T>
std::size_t declared_size(const T* structure, const char* name) {
  static_assert(std::is_standard_layout_v<T> && std::is_trivially_copyable_v<T>);
  static_assert(kFirstSize<T> > sizeof(std::size_t) && kFirstSize<T> <= sizeof(T));
  require(structure, name);
  std::size_t size = 0;
  std::memcpy(&size, structure, sizeof size);
  if (size < kFirstSize<T> || size > kMaxStructSize) {
    throw std::invalid_argument(std::string(name) + ".size is not set: use the _INIT macro");
  }
  return size;
}

// The caller's options: what its version of the structure lacks is as `init` has it, and what only
// a newer version knows must be zero, because it would be ignored.
template <typename T>
T options_of(const T* options, T init) {
  const std::size_t size = declared_size(options, "options");
  const auto* bytes = reinterpret_cast<const unsigned char*>(options);
  if (std::any_of(bytes + std::min(size, sizeof(T)), bytes + size,
                  [](unsigned char b) { return b != 0; })) {
    throw std::invalid_argument("options ask for what this version of libattest does not know");
  }
  std::memcpy(&init, options, std::min(size, sizeof(T)));
  return init;
}

// Fills the caller's structure as far as its version of it goes; its size stays.
template <typename T>
void fill(T* out, T filled) {
  const std::size_t size = declared_size(out, "out");
  filled.size = size;
  std::memcpy(out, &filled, std::min(size, sizeof(T)));
}

// The number in an enumeration that came from C, where it may hold any int.
template <typename E>
int number_of(const E& value) noexcept {
  static_assert(sizeof(E) == sizeof(int));
  int number = 0;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

// A flag that came from C: 0 or 1. Anything else was never set.
inline bool flag_of(int value, const char* name) {
  if (value != 0 && value != 1) {
    throw std::invalid_argument(std::string(name) + " is neither 0 nor 1");
  }
  return value == 1;
}

}  // namespace attest::api

#endif  // LIBATTEST_API_SIZED_H_
