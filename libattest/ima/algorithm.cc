// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/algorithm.h"

#include <array>

namespace attest::ima {
namespace {

using crypto::Hash;

// In the order of enum hash_algo: an entry's place is its number.
constexpr std::array<Algorithm, 23> kAlgorithms{{
    {0, "md4", 16, std::nullopt},          {1, "md5", 16, std::nullopt},
    {2, "sha1", 20, Hash::kSha1},          {3, "rmd160", 20, std::nullopt},
    {4, "sha256", 32, Hash::kSha256},      {5, "sha384", 48, Hash::kSha384},
    {6, "sha512", 64, Hash::kSha512},      {7, "sha224", 28, std::nullopt},
    {8, "rmd128", 16, std::nullopt},       {9, "rmd256", 32, std::nullopt},
    {10, "rmd320", 40, std::nullopt},      {11, "wp256", 32, std::nullopt},
    {12, "wp384", 48, std::nullopt},       {13, "wp512", 64, std::nullopt},
    {14, "tgr128", 16, std::nullopt},      {15, "tgr160", 20, std::nullopt},
    {16, "tgr192", 24, std::nullopt},      {17, "sm3", 32, Hash::kSm3_256},
    {18, "streebog256", 32, std::nullopt}, {19, "streebog512", 64, std::nullopt},
    {20, "sha3-256", 32, Hash::kSha3_256}, {21, "sha3-384", 48, Hash::kSha3_384},
    {22, "sha3-512", 64, Hash::kSha3_512},
}};

}  // namespace

const Algorithm* find_algorithm(std::string_view name) noexcept {
  if (name == "sm3-256") name = "sm3";
  for (const Algorithm& a : kAlgorithms) {
    if (a.name == name) return &a;
  }
  return nullptr;
}

const Algorithm* find_algorithm(std::uint8_t number) noexcept {
  return number < kAlgorithms.size() ? &kAlgorithms[number] : nullptr;
}

}  // namespace attest::ima
