// SPDX-License-Identifier: Apache-2.0

// libattest's own OpenSSL library context. The host's default context and its providers are never
// used, its configuration decides nothing here, and nothing of ours is left in its error queue.
// One thing is out of reach: an OpenSSL with engines reads the host's openssl.cnf into the default
// context once a process, at the first digest or key of any context (its engine tables ask for it),
// unless the host has chosen otherwise with OPENSSL_init_crypto before.
// For crypto/ only.

#ifndef LIBATTEST_CRYPTO_CONTEXT_H_
#define LIBATTEST_CRYPTO_CONTEXT_H_

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>
#include <memory>
#include <new>

#include "libattest/base/error.h"
#include "libattest/crypto/digest.h"

namespace attest::crypto {

// A unique_ptr deleter out of an OpenSSL free function.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

template <typename T>
T* allocated(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

// OpenSSL does not always say that it was memory that it lacked: sizes are then 0, and types none.
// That must not be taken for bad input, so a refusal is believed the second time only.
template <typename Refusal = ParseError, typename Make>
auto believe_twice(Make make) {
  try {
    return make();
  } catch (const Refusal&) {
    return make();
  }
}

// Made once, on first use, by whichever thread comes first, and never changed afterwards. When it
// can not be made, the next use tries again.
class Context {
 public:
  static const Context& get();

  OSSL_LIB_CTX* lib_ctx() const noexcept { return library_.get(); }
  const EVP_MD* md(Hash hash) const;  // throws std::invalid_argument when OpenSSL has none
  EVP_MAC* hmac() const noexcept { return hmac_.get(); }
  const EVP_CIPHER* aes_cfb(std::size_t key_bits) const;  // throws as md() does

 private:
  Context();

  std::unique_ptr<OSSL_LIB_CTX, Freed<OSSL_LIB_CTX_free>> library_;
  std::unique_ptr<OSSL_PROVIDER, Freed<OSSL_PROVIDER_unload>> provider_;
  std::array<std::unique_ptr<EVP_MD, Freed<EVP_MD_free>>, kAllHashes.size()> mds_;
  // What keys need. Nobody asks for these: a library context that ran out of memory when it first
  // looked for them never finds them again, so that is done while it can still be given up.
  std::array<std::unique_ptr<EVP_KEYMGMT, Freed<EVP_KEYMGMT_free>>, 2> key_types_;
  std::array<std::unique_ptr<EVP_SIGNATURE, Freed<EVP_SIGNATURE_free>>, 2> schemes_;
  std::unique_ptr<EVP_ASYM_CIPHER, Freed<EVP_ASYM_CIPHER_free>> encryption_;
  std::unique_ptr<OSSL_DECODER, Freed<OSSL_DECODER_free>> decoder_;
  std::unique_ptr<OSSL_ENCODER, Freed<OSSL_ENCODER_free>> encoder_;
  // What credentials are made with.
  std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>> hmac_;
  std::array<std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>, 2> aes_cfb_;  // 128, 256 bits
};

// While one lives, OpenSSL errors are ours; when it goes, the thread's queue is as it was.
class QuietErrors {
 public:
  QuietErrors() noexcept : host_last_(ERR_peek_last_error()) { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

  // Throws std::bad_alloc when memory ran out since then: a "no" of OpenSSL says nothing then of
  // what it was asked about.
  void check_memory() const;

 private:
  unsigned long host_last_;  // 0: the queue was empty
};

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_CONTEXT_H_
