// SPDX-License-Identifier: Apache-2.0

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "libattest/crypto/certificate.h"
#include "libattest/crypto/context.h"

namespace attest::crypto {
namespace {

constexpr int kMaxDepth = 8;                   // intermediates
constexpr std::size_t kMaxIntermediates = 32;  // they come from the node
constexpr int kSecurityLevel = 2;              // 112 bits: RSA-2048, P-224, SHA-224 and more

// Critical extensions that are looked at here or by OpenSSL. It also takes others for known, whose
// constraints it would not apply without being asked to: those of policies and proxies.
constexpr std::array kKnownExtensions{NID_key_usage,         NID_subject_alt_name,
                                      NID_basic_constraints, NID_name_constraints,
                                      NID_ext_key_usage,     NID_certificate_policies};

// Certificates, referred to.
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

[[noreturn]] void refuse(const std::string& why, const Certificate& leaf) {
  throw RefusedError("certificate of " + leaf.subject() + ": " + why);
}

void check_critical(const Certificate& leaf, const STACK_OF(X509) * chain) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    for (int j = 0; j < X509_get_ext_count(certificate); ++j) {
      X509_EXTENSION* extension = X509_get_ext(certificate, j);
      if (X509_EXTENSION_get_critical(extension) == 0) continue;
      const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
      if (std::ranges::find(kKnownExtensions, nid) == kKnownExtensions.end()) {
        refuse("certificate " + std::to_string(i) +
                   " of its chain has a critical extension that is not known here",
               leaf);
      }
    }
  }
}

void verify(const Certificate& leaf, const ChainOptions& options) {
  const QuietErrors quiet;
  const std::unique_ptr<X509_STORE, Freed<X509_STORE_free>> store(allocated(X509_STORE_new()));
  for (const Certificate& root : options.roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) throw std::bad_alloc();
  }
  const Stack others(allocated(sk_X509_new_null()));
  for (const Certificate& other : options.intermediates) {
    if (sk_X509_push(others.get(), other.get()) <= 0) throw std::bad_alloc();
  }
  const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>> context(
      allocated(X509_STORE_CTX_new_ex(Context::get().lib_ctx(), nullptr)));
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), others.get()) != 1) {
    throw std::bad_alloc();
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, options.now);
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  // An operator may trust an intermediate and not all that its root has issued.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_verify_cert(context.get()) != 1) {
    quiet.check_memory();
    const int error = X509_STORE_CTX_get_error(context.get());
    if (error == X509_V_ERR_OUT_OF_MEM) throw std::bad_alloc();
    refuse(std::string(X509_verify_cert_error_string(error)) + " (certificate " +
               std::to_string(X509_STORE_CTX_get_error_depth(context.get())) + " of its chain)",
           leaf);
  }
  check_critical(leaf, X509_STORE_CTX_get0_chain(context.get()));
}

}  // namespace

void verify_chain(const Certificate& leaf, const ChainOptions& options) {
  if (options.now <= 0)
    throw std::invalid_argument("a chain is verified at a time: now is not set");
  if (options.roots.empty()) throw std::invalid_argument("there are no CA certificates");
  if (options.intermediates.size() > kMaxIntermediates) {
    refuse("more than 32 intermediate certificates", leaf);
  }
  believe_twice<RefusedError>([&] { verify(leaf, options); });
}

}  // namespace attest::crypto
