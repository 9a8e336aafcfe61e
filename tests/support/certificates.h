// SPDX-License-Identifier: Apache-2.0

// A certification authority for tests: certificates of any content, rightly signed, so that a test
// can break one rule at a time. Extensions are written as in openssl.cnf.
#ifndef LIBATTEST_TESTS_SUPPORT_CERTIFICATES_H_
#define LIBATTEST_TESTS_SUPPORT_CERTIFICATES_H_

#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "libattest/crypto/certificate.h"
#include "tests/support/signer.h"

inline constexpr std::int64_t kIssued = 1'700'000'000;  // of every certificate, and
inline constexpr std::int64_t kExpires = 1'800'000'000;
inline constexpr std::int64_t kNow = 1'750'000'000;

// What a CA's certificate says, and an EK's.
inline const std::string kCa =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
    "subjectKeyIdentifier=hash\n";
// What stands before the first dot is there to tell names apart.
inline const std::string kTpmName =
    "subjectAltName=critical,dirName:tpm\n[tpm]\na.2.23.133.2.1=id:54455354\n"
    "b.2.23.133.2.2=Model\nc.2.23.133.2.3=id:1\n";
inline const std::string kEkUsage = "extendedKeyUsage=2.23.133.8.1\n";

struct CertificateFields {
  std::string subject;
  std::string extensions;
  std::int64_t not_before = kIssued;
  std::int64_t not_after = kExpires;
  const EVP_MD* digest = EVP_sha256();
  int version = 3;
};

class Authority {
 public:
  explicit Authority(std::string name, Signer key = Signer::ec("P-256"))
      : name_(std::move(name)), key_(std::move(key)) {}

  const std::string& name() const { return name_; }
  const Signer& key() const { return key_; }

  // DER of a certificate of `subject_key`, by this CA.
  std::vector<std::uint8_t> issue(const Signer& subject_key, const CertificateFields& f) const {
    const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
    X509* x = made.get();
    bool good = X509_set_version(x, f.version - 1) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(x), 4711) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(x), f.not_before) != nullptr &&
                ASN1_TIME_set(X509_getm_notAfter(x), f.not_after) != nullptr &&
                X509_set_pubkey(x, subject_key.key()) == 1 &&
                set_name(X509_get_issuer_name(x), name_) &&
                set_name(X509_get_subject_name(x), f.subject);
    if (!f.extensions.empty()) good = good && add_extensions(x, f.extensions);
    good = good && X509_sign(x, key_.key(), f.digest) > 0;
    unsigned char* der = nullptr;
    const int size = good ? i2d_X509(x, &der) : -1;
    if (size <= 0) throw std::runtime_error("the test's certificate can not be made");
    std::vector<std::uint8_t> out(der, der + size);
    OPENSSL_free(der);
    return out;
  }
  attest::crypto::Certificate certify(const Signer& key, const CertificateFields& f) const {
    return attest::crypto::Certificate::from_der(issue(key, f));
  }
  // This CA's certificate by another one, or by itself.
  attest::crypto::Certificate by(const Authority& issuer,
                                 const std::string& extensions = kCa) const {
    return issuer.certify(key_, {name_, extensions});
  }
  attest::crypto::Certificate root() const { return by(*this); }

 private:
  static bool set_name(X509_NAME* name, const std::string& text) {
    return text.empty() ||
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                                      0) == 1;
  }
  static bool add_extensions(X509* certificate, const std::string& text) {
    const std::string config = "[extensions]\n" + text;
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(config.data(), static_cast<int>(config.size())), BIO_free);
    const std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), NCONF_free);
    long line = 0;
    X509V3_CTX context{};
    X509V3_set_ctx(&context, nullptr, certificate, nullptr, nullptr, 0);
    X509V3_set_nconf(&context, conf.get());
    return NCONF_load_bio(conf.get(), bio.get(), &line) == 1 &&
           X509V3_EXT_add_nconf(conf.get(), &context, "extensions", certificate) == 1;
  }

  std::string name_;
  Signer key_;
};

#endif  // LIBATTEST_TESTS_SUPPORT_CERTIFICATES_H_
