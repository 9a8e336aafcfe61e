// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/digest.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

#include "libattest/crypto/context.h"

namespace attest::crypto {
namespace {

struct Algorithm {
  Hash hash;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Algorithm, kAllHashes.size()> kAlgorithms{{{Hash::kSha1, "sha1", 20},
                                                                {Hash::kSha256, "sha256", 32},
                                                                {Hash::kSha384, "sha384", 48},
                                                                {Hash::kSha512, "sha512", 64},
                                                                {Hash::kSm3_256, "sm3_256", 32},
                                                                {Hash::kSha3_256, "sha3_256", 32},
                                                                {Hash::kSha3_384, "sha3_384", 48},
                                                                {Hash::kSha3_512, "sha3_512", 64}}};

// Of a number that a caller cast to Hash, which Context::md refuses by this name.
constexpr Algorithm kNone{Hash{}, "no digest algorithm", 0};

const Algorithm& algorithm_of(Hash hash) noexcept {
  const auto* const found = std::ranges::find(kAlgorithms, hash, &Algorithm::hash);
  return found == kAlgorithms.end() ? kNone : *found;
}

constexpr const char* kTooLarge = "a digest is at most 64 bytes";

void require(int done) {
  if (done != 1) throw std::runtime_error("OpenSSL could not compute a digest");
}

}  // namespace

std::optional<Hash> hash_from_id(std::uint16_t tpm_alg_id) noexcept {
  for (const Hash hash : kAllHashes) {
    if (static_cast<std::uint16_t>(hash) == tpm_alg_id) return hash;
  }
  return std::nullopt;
}

std::optional<Hash> hash_from_name(std::string_view name) noexcept {
  for (const Algorithm& a : kAlgorithms) {
    if (a.name == name) return a.hash;
  }
  return std::nullopt;
}

std::string_view hash_name(Hash hash) noexcept { return algorithm_of(hash).name; }
std::size_t hash_size(Hash hash) noexcept { return algorithm_of(hash).size; }

Digest::Digest(Bytes bytes) {
  if (bytes.size() > bytes_.size()) throw std::invalid_argument(kTooLarge);
  std::ranges::copy(bytes, bytes_.begin());
  size_ = static_cast<std::uint8_t>(bytes.size());
}

Digest Digest::filled(std::size_t size, std::uint8_t value) {
  Digest d;
  std::ranges::fill(d.resize(size), value);
  return d;
}

bool Digest::all(std::uint8_t value) const noexcept {
  return !empty() && std::ranges::all_of(bytes(), [=](std::uint8_t b) { return b == value; });
}

std::span<std::uint8_t> Digest::resize(std::size_t size) {
  if (size > bytes_.size()) throw std::invalid_argument(kTooLarge);
  std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(size), bytes_.end(), std::uint8_t{0});
  size_ = static_cast<std::uint8_t>(size);
  return {bytes_.data(), size};
}

void Hasher::FreeContext::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Hasher::Hasher(Hash hash)
    : hash_(hash),
      size_(hash_size(hash)),
      md_(Context::get().md(hash)),
      context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
}

void Hasher::begin() {
  // The one step that allocates, and so the one that can fail.
  if (EVP_DigestInit_ex2(context_.get(), md_, nullptr) != 1) throw std::bad_alloc();
}

void Hasher::update(Bytes data) {
  require(EVP_DigestUpdate(context_.get(), data.data(), data.size()));
}

Digest Hasher::finish() {
  Digest out;
  require(EVP_DigestFinal_ex(context_.get(), out.resize(size_).data(), nullptr));
  return out;
}

Digest Hasher::operator()(std::initializer_list<Bytes> parts) {
  Digest out;
  into(out.resize(size_), parts);
  return out;
}

void Hasher::into(std::span<std::uint8_t> out, std::initializer_list<Bytes> parts) {
  if (out.size() != size_) throw std::invalid_argument("a digest's room is not its size");
  begin();
  for (const Bytes part : parts) update(part);
  require(EVP_DigestFinal_ex(context_.get(), out.data(), nullptr));
}

bool equal_constant_time(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void random_bytes(std::span<std::uint8_t> out) {
  // The kernel's generator: OpenSSL's keeps a state for each thread that ever asked, and looks for
  // engines in the host's configuration first.
  constexpr std::size_t kMost = 256;  // getentropy(3) gives no more at a time
  while (!out.empty()) {
    const std::span<std::uint8_t> part = out.first(std::min(out.size(), kMost));
    if (getentropy(part.data(), part.size()) != 0) {
      throw std::runtime_error("the kernel has no random bytes");
    }
    out = out.subspan(part.size());
  }
}

}  // namespace attest::crypto
