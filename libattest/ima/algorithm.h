// SPDX-License-Identifier: Apache-2.0

// The kernel's digest algorithms, by the names that IMA's digest fields carry and the numbers that
// signature headers carry. Linux: include/uapi/linux/hash_info.h and crypto/hash_info.c.

#ifndef LIBATTEST_IMA_ALGORITHM_H_
#define LIBATTEST_IMA_ALGORITHM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libattest/crypto/digest.h"

namespace attest::ima {

struct Algorithm {
  std::uint8_t number;               // enum hash_algo
  std::string_view name;             // "sha256"
  std::size_t size;                  // bytes of a digest
  std::optional<crypto::Hash> hash;  // nothing: libattest knows its size and can not compute it
};

// Null for a name that is not the kernel's. Older kernels' "sm3-256" is "sm3".
const Algorithm* find_algorithm(std::string_view name) noexcept;
// Null for a number past the end of enum hash_algo.
const Algorithm* find_algorithm(std::uint8_t number) noexcept;

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_ALGORITHM_H_
