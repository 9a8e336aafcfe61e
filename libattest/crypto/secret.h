// SPDX-License-Identifier: Apache-2.0

// Secrets, and what is computed with them: HMAC and AES in CFB mode.

#ifndef LIBATTEST_CRYPTO_SECRET_H_
#define LIBATTEST_CRYPTO_SECRET_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"

namespace attest::crypto {

// Bytes that are wiped when they go. Moves and does not copy.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : bytes_(size) {}  // zeros
  static Secret random(std::size_t size);              // throws as random_bytes does
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  Bytes bytes() const noexcept { return bytes_; }
  std::span<std::uint8_t> room() noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_.empty(); }
  // Leaves it empty.
  void wipe() noexcept;

 private:
  std::vector<std::uint8_t> bytes_;
};

// HMAC (RFC 2104) of parts[0] || parts[1] || …, which has the size of `hash`. `key` is not empty.
Secret hmac(Hash hash, Bytes key, std::initializer_list<Bytes> parts);

// AES in CFB mode with 128-bit feedback and an initialization vector of zeros, as TPMs protect
// objects (TPM 2.0 Library Part 1, 22.4). The key has 16 or 32 bytes: std::invalid_argument.
std::vector<std::uint8_t> encrypt_aes_cfb(Bytes key, Bytes plain);

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_SECRET_H_
