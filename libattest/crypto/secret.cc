// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <limits>
#include <stdexcept>
#include <utility>

#include "libattest/crypto/context.h"

namespace attest::crypto {
namespace {

constexpr std::size_t kAesBlock = 16;

// Keys and sizes are checked before: what fails then lacks memory.
void done(int result) {
  if (result != 1) throw std::bad_alloc();
}

}  // namespace

Secret Secret::random(std::size_t size) {
  Secret out(size);
  random_bytes(out.room());
  return out;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

void Secret::wipe() noexcept {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

Secret hmac(Hash hash, Bytes key, std::initializer_list<Bytes> parts) {
  const QuietErrors quiet;
  if (key.empty()) throw std::invalid_argument("an HMAC key is empty");
  const std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>> context(
      allocated(EVP_MAC_CTX_new(Context::get().hmac())));
  // OSSL_PARAMs of names are not const, and not written to.
  auto* digest = const_cast<char*>(EVP_MD_get0_name(Context::get().md(hash)));
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                          OSSL_PARAM_construct_end()};
  done(EVP_MAC_init(context.get(), key.data(), key.size(), params.data()));
  for (const Bytes part : parts) done(EVP_MAC_update(context.get(), part.data(), part.size()));
  Secret out(hash_size(hash));
  std::size_t size = 0;
  done(EVP_MAC_final(context.get(), out.room().data(), &size, out.room().size()));
  return out;
}

std::vector<std::uint8_t> encrypt_aes_cfb(Bytes key, Bytes plain) {
  const QuietErrors quiet;
  const EVP_CIPHER* cipher = Context::get().aes_cfb(8 * key.size());
  if (plain.size() > std::numeric_limits<int>::max()) throw std::invalid_argument("too long");
  const std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>> context(
      allocated(EVP_CIPHER_CTX_new()));
  constexpr std::array<std::uint8_t, kAesBlock> kZeros{};
  done(EVP_EncryptInit_ex2(context.get(), cipher, key.data(), kZeros.data(), nullptr));
  std::vector<std::uint8_t> out(plain.size());
  int size = 0;  // a stream: nothing is left for EVP_EncryptFinal
  done(EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(),
                         static_cast<int>(plain.size())));
  return out;
}

}  // namespace attest::crypto
