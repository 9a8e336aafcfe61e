// SPDX-License-Identifier: Apache-2.0

// X.509 certificates (RFC 5280): what one says, and whether it chains to certificates that somebody
// trusts. Nothing is fetched from anywhere, and no revocation list is looked at.

#ifndef LIBATTEST_CRYPTO_CERTIFICATE_H_
#define LIBATTEST_CRYPTO_CERTIFICATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/reader.h"
#include "libattest/crypto/key.h"

struct x509_st;

namespace attest::crypto {

// RFC 5280, 4.2.1.3, the bits as OpenSSL numbers them.
enum KeyUsage : std::uint32_t { kKeyEncipherment = 0x0020, kKeyAgreement = 0x0008 };

// Immutable and cheap to copy. What it says is only a claim until it chains to something.
class Certificate {
 public:
  // One DER certificate of at most 64 KiB; nothing may follow it. Throws ParseError.
  static Certificate from_der(Bytes der);

  // Throws ParseError when it is none that PublicKey can hold.
  PublicKey key() const;
  std::string subject() const;  // for messages: escaped, one line
  // Each throws ParseError when the extension is there and not of its format, or there twice.
  bool is_ca() const;
  std::optional<std::uint32_t> key_usage() const;
  // Object identifiers, as "2.23.133.8.1"; nothing without the extension.
  std::optional<std::vector<std::string>> extended_key_usage() const;
  // The attribute types of the directory names among the subject's alternative names.
  std::vector<std::string> alternative_name_types() const;
  std::vector<std::uint8_t> subject_key_id() const;  // empty without the extension

  x509_st* get() const noexcept { return certificate_.get(); }

 private:
  explicit Certificate(std::shared_ptr<x509_st> certificate)
      : certificate_(std::move(certificate)) {}

  std::shared_ptr<x509_st> certificate_;
};

// The certificates of a file: PEM, any number and with text around them, or one in DER. Throws
// ParseError, also for PEM blocks that are something else.
std::vector<Certificate> parse_certificates(Bytes in);

struct ChainOptions {
  std::vector<Certificate> roots;          // trusted as they are; they need not be self-signed
  std::vector<Certificate> intermediates;  // from anybody
  std::int64_t now = 0;                    // seconds since 1970-01-01 UTC
};

// Whether `leaf` chains to one of the roots (RFC 5280, section 6): signatures by algorithms of 112
// bits and more, dates, names and name constraints, CA flags, path lengths, key usage of issuers,
// and no critical extension that is not looked at. What the leaf's key may be used for is the
// caller's question. Throws RefusedError with the first reason why not.
void verify_chain(const Certificate& leaf, const ChainOptions& options);

}  // namespace attest::crypto

#endif  // LIBATTEST_CRYPTO_CERTIFICATE_H_
