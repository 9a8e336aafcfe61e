// SPDX-License-Identifier: Apache-2.0

// Digest algorithms and values. Algorithms are numbered as TPMs number them.

#ifndef LIBATTEST_CRYPTO_DIGEST_H_
#define LIBATTEST_CRYPTO_DIGEST_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "libattest/base/reader.h"

struct evp_md_st;
struct evp_md_ctx_st;

namespace attest::crypto {

// TCG Algorithm Registry, rev. 1.34, section 6.10 (hash algorithms). The values are TPM_ALG_IDs.
enum class Hash : std::uint16_t {
  kSha1 = 0x0004,
  kSha256 = 0x000b,
  kSha384 = 0x000c,
  kSha512 = 0x000d,
  kSm3_256 = 0x0012,
  kSha3_256 = 0x0027,
  kSha3_384 = 0x0028,
  kSha3_512 = 0x0029,
};

inline constexpr std::array kAllHashes{Hash::kSha1,     Hash::kSha256,  Hash::kSha384,
                                       Hash::kSha512,   Hash::kSm3_256, Hash::kSha3_256,
                                       Hash::kSha3_384, Hash::kSha3_512};
inline constexpr std::size_t kMaxDigestSize = 64;

// Nothing for a number that names no digest algorithm of the list above.
std::optional<Hash> hash_from_id(std::uint16_t tpm_alg_id) noexcept;
// By the name libattest prints: "sha256", "sm3_256", "sha3_256".
std::optional<Hash> hash_from_name(std::string_view name) noexcept;
std::string_view hash_name(Hash hash) noexcept;
// Size of a digest, in bytes.
std::size_t hash_size(Hash hash) noexcept;

// A digest's value, of up to 64 bytes: a value type that never allocates.
class Digest {
 public:
  Digest() = default;
  // Throws std::invalid_argument for more than kMaxDigestSize bytes.
  explicit Digest(Bytes bytes);
  // `size` bytes of `value`.
  static Digest filled(std::size_t size, std::uint8_t value);

  Bytes bytes() const noexcept { return {bytes_.data(), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // True when every byte is `value` and there is at least one.
  bool all(std::uint8_t value) const noexcept;
  // For writing a new value in place.
  std::span<std::uint8_t> resize(std::size_t size);

  friend bool operator==(const Digest&, const Digest&) = default;

 private:
  std::array<std::uint8_t, kMaxDigestSize>
      bytes_{};  // zero behind size_, so that == may compare all
  std::uint8_t size_ = 0;
};

// Computes digests of one algorithm with a context that is reused. Not for two threads at a time.
class Hasher {
 public:
  explicit Hasher(Hash hash);

  Hash algorithm() const noexcept { return hash_; }
  std::size_t size() const noexcept { return size_; }

  // H(parts[0] || parts[1] || …)
  Digest operator()(std::initializer_list<Bytes> parts);
  Digest operator()(Bytes data) { return (*this)({data}); }
  // The same, into `out`, which must be size() bytes. `out` may be one of the parts.
  void into(std::span<std::uint8_t> out, std::initializer_list<Bytes> parts);

  // The same in steps: begin, update as often as needed, finish.
  void begin();
  void update(Bytes data);
  Digest finish();

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };

  Hash hash_;
  std::size_t size_;
  const evp_md_st* md_;  // the process-wide context's
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// Whether two byte strings are equal, in a time that depends on their lengths only.
bool equal_constant_time(Bytes a, Bytes b) noexcept;

// Fills `out` from the cryptographic random generator. Throws std::runtime_error when it has none.
void random_bytes(std::span<std::uint8_t> out);

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_DIGEST_H_
