// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/context.h"

#include <new>
#include <stdexcept>
#include <string>

namespace attest::crypto {
namespace {

// OpenSSL's names for kAllHashes, in its order.
constexpr std::array kOpensslNames{"SHA1", "SHA256",   "SHA384",   "SHA512",
                                   "SM3",  "SHA3-256", "SHA3-384", "SHA3-512"};
static_assert(kOpensslNames.size() == kAllHashes.size());

}  // namespace

Context::Context() : library_(OSSL_LIB_CTX_new()) {
  if (!library_) throw std::bad_alloc();
  const QuietErrors quiet;
  const auto require = [&quiet](bool done) {
    if (done) return;
    quiet.check_memory();
    throw std::runtime_error("OpenSSL can not be used in this process");
  };
  // Keys are entered there, too. OpenSSL makes it once a process, and does not try again.
  require(OSSL_LIB_CTX_get0_global_default() != nullptr);
  provider_.reset(OSSL_PROVIDER_load(library_.get(), "default"));
  require(provider_ != nullptr);
  for (std::size_t i = 0; i < mds_.size(); ++i) {
    mds_[i].reset(EVP_MD_fetch(library_.get(), kOpensslNames[i], nullptr));
    // OpenSSL may be built without SM3; the rest of what is asked for here it always has.
    require(mds_[i] != nullptr || kAllHashes[i] == Hash::kSm3_256);
  }
  key_types_[0].reset(EVP_KEYMGMT_fetch(library_.get(), "RSA", nullptr));
  key_types_[1].reset(EVP_KEYMGMT_fetch(library_.get(), "EC", nullptr));
  schemes_[0].reset(EVP_SIGNATURE_fetch(library_.get(), "RSA", nullptr));
  schemes_[1].reset(EVP_SIGNATURE_fetch(library_.get(), "ECDSA", nullptr));
  decoder_.reset(OSSL_DECODER_fetch(library_.get(), "RSA", nullptr));
  encoder_.reset(OSSL_ENCODER_fetch(library_.get(), "RSA", nullptr));
  encryption_.reset(EVP_ASYM_CIPHER_fetch(library_.get(), "RSA", nullptr));
  hmac_.reset(EVP_MAC_fetch(library_.get(), "HMAC", nullptr));
  aes_cfb_[0].reset(EVP_CIPHER_fetch(library_.get(), "AES-128-CFB", nullptr));
  aes_cfb_[1].reset(EVP_CIPHER_fetch(library_.get(), "AES-256-CFB", nullptr));
  require(key_types_[0] && key_types_[1] && schemes_[0] && schemes_[1] && decoder_ && encoder_ &&
          encryption_ && hmac_ && aes_cfb_[0] && aes_cfb_[1]);
  quiet.check_memory();  // it may have run out after these and before the others of their kind
}

void QuietErrors::check_memory() const {
  const auto is_memory = [](unsigned long error) {
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
  };
  // The host's errors come first in the queue, and there is no looking behind them.
  const unsigned long last = ERR_peek_last_error();
  bool memory = last != host_last_ && is_memory(last);
  if (host_last_ == 0) {
    while (const unsigned long error = ERR_get_error()) memory = memory || is_memory(error);
    ERR_clear_error();  // what was read keeps its words until then
  }
  if (memory) throw std::bad_alloc();
}

const Context& Context::get() {
  // Constructed under the compiler's own lock; destroyed at dlclose or exit, before OpenSSL's own
  // clean-up, because OSSL_LIB_CTX_new registered that first.
  static const Context context;
  return context;
}

const EVP_MD* Context::md(Hash hash) const {
  for (std::size_t i = 0; i < kAllHashes.size(); ++i) {
    if (kAllHashes[i] == hash && mds_[i]) return mds_[i].get();
  }
  throw std::invalid_argument("this OpenSSL does not compute " + std::string(hash_name(hash)));
}

const EVP_CIPHER* Context::aes_cfb(std::size_t key_bits) const {
  if (key_bits == 128) return aes_cfb_[0].get();
  if (key_bits == 256) return aes_cfb_[1].get();
  throw std::invalid_argument("no AES key has this size here");
}

}  // namespace attest::crypto
