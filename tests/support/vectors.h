// SPDX-License-Identifier: Apache-2.0

// Files under tests/vectors.
#ifndef LIBATTEST_TESTS_SUPPORT_VECTORS_H_
#define LIBATTEST_TESTS_SUPPORT_VECTORS_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

inline std::filesystem::path vectors_dir() { return ATTEST_VECTORS_DIR; }

inline std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("can not read " + path.string());
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return {bytes.begin(), bytes.end()};
}

// A file under tests/vectors.
inline std::vector<std::uint8_t> read_vector(const std::string& name) {
  return read_file(vectors_dir() / name);
}

inline std::string read_text_vector(const std::string& name) {
  const auto bytes = read_vector(name);
  return {bytes.begin(), bytes.end()};
}

#endif  // LIBATTEST_TESTS_SUPPORT_VECTORS_H_
