// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/certificate.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "libattest/base/pem.h"
#include "libattest/base/text.h"
#include "libattest/crypto/context.h"

namespace attest::crypto {
namespace {

constexpr std::string_view kFormat = "X.509 certificate";
constexpr std::size_t kMaxCertificate = 65536;
constexpr std::size_t kMaxFile = std::size_t{4} << 20U;

[[noreturn]] void fail(std::string_view field, std::string_view why) {
  throw ParseError(kFormat, 0, field, why);
}

std::shared_ptr<X509> parse(Bytes der) {
  if (der.size() > kMaxCertificate) fail("certificate", "larger than 64 KiB");
  X509* into = allocated(X509_new_ex(Context::get().lib_ctx(), nullptr));
  const unsigned char* at = der.data();
  // d2i frees what it was given when it fails.
  X509* made = d2i_X509(&into, &at, static_cast<long>(der.size()));
  if (made == nullptr) fail("certificate", "not a DER certificate");
  std::shared_ptr<X509> owned(made, X509_free);
  if (at != der.data() + der.size()) {
    throw ParseError(kFormat, static_cast<std::size_t>(at - der.data()), "certificate",
                     "has bytes after its end");
  }
  return owned;
}

// OpenSSL leaves out a key that it can not read, and marks extensions that it can not; so it does
// when it lacks memory for them, and for what it notes of a key's strength, and keeps to it.
bool is_incomplete(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key == nullptr || EVP_PKEY_get_security_bits(key) <= 0 ||
         (X509_get_extension_flags(certificate) & (EXFLAG_INVALID | EXFLAG_NO_FINGERPRINT)) != 0;
}

// The extension, decoded; null when there is none.
template <typename T, auto Free>
std::unique_ptr<T, Freed<Free>> extension(const X509* certificate, int nid, std::string_view name) {
  const QuietErrors quiet;
  int place = 0;
  std::unique_ptr<T, Freed<Free>> out(
      static_cast<T*>(X509_get_ext_d2i(certificate, nid, &place, nullptr)));
  if (out || place == -1) return out;
  quiet.check_memory();
  fail(name, place == -2 ? "there twice" : "not of its format");
}

std::string text_of(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  // An identifier that is longer is none that anybody looks for.
  return size > 0 && static_cast<std::size_t>(size) < text.size() ? text.data() : "?";
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm t{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &t) != 1) fail("validity", "not a date");
  using namespace std::chrono;
  const sys_days day = year(t.tm_year + 1900) / month(static_cast<unsigned>(t.tm_mon + 1)) /
                       std::chrono::day(static_cast<unsigned>(t.tm_mday));
  return duration_cast<seconds>(day.time_since_epoch() + hours(t.tm_hour) + minutes(t.tm_min) +
                                seconds(t.tm_sec))
      .count();
}

}  // namespace

Certificate Certificate::from_der(Bytes der) {
  const QuietErrors quiet;
  auto parsed = believe_twice([&] { return parse(der); });
  if (is_incomplete(parsed.get())) parsed = parse(der);
  return Certificate(std::move(parsed));
}

PublicKey Certificate::key() const {
  unsigned char* der = nullptr;
  const QuietErrors quiet;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_.get()), &der);
  if (size <= 0) throw std::bad_alloc();
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  return PublicKey::from_spki({der, static_cast<std::size_t>(size)});
}

std::string Certificate::subject() const {
  const QuietErrors quiet;
  std::array<char, 256> text{};
  X509_NAME_oneline(X509_get_subject_name(certificate_.get()), text.data(),
                    static_cast<int>(text.size()));
  return printable(text.data());
}

Validity Certificate::validity() const {
  const QuietErrors quiet;
  return {seconds_of(X509_get0_notBefore(certificate_.get())),
          seconds_of(X509_get0_notAfter(certificate_.get()))};
}

bool Certificate::is_ca() const {
  const auto constraints = extension<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>(
      certificate_.get(), NID_basic_constraints, "basicConstraints");
  return constraints && constraints->ca != 0;
}

std::optional<std::uint32_t> Certificate::key_usage() const {
  const auto bits = extension<ASN1_BIT_STRING, ASN1_BIT_STRING_free>(certificate_.get(),
                                                                     NID_key_usage, "keyUsage");
  if (!bits) return std::nullopt;
  const Bytes bytes(ASN1_STRING_get0_data(bits.get()),
                    static_cast<std::size_t>(ASN1_STRING_length(bits.get())));
  std::uint32_t out = bytes.empty() ? 0 : bytes[0];
  if (bytes.size() > 1) out |= static_cast<std::uint32_t>(bytes[1]) << 8U;
  return out;
}

std::optional<std::vector<std::string>> Certificate::extended_key_usage() const {
  const auto usages = extension<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>(
      certificate_.get(), NID_ext_key_usage, "extendedKeyUsage");
  if (!usages) return std::nullopt;
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(sk_ASN1_OBJECT_num(usages.get())));
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    out.push_back(text_of(sk_ASN1_OBJECT_value(usages.get(), i)));
  }
  return out;
}

std::vector<std::string> Certificate::alternative_name_types() const {
  const auto names = extension<GENERAL_NAMES, GENERAL_NAMES_free>(
      certificate_.get(), NID_subject_alt_name, "subjectAltName");
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DIRNAME) continue;
    for (int j = 0; j < X509_NAME_entry_count(name->d.directoryName); ++j) {
      const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name->d.directoryName, j);
      out.push_back(text_of(X509_NAME_ENTRY_get_object(entry)));
    }
  }
  return out;
}

std::vector<std::uint8_t> Certificate::subject_key_id() const {
  const auto id = extension<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>(
      certificate_.get(), NID_subject_key_identifier, "subjectKeyIdentifier");
  if (!id) return {};
  const unsigned char* data = ASN1_STRING_get0_data(id.get());
  return {data, data + ASN1_STRING_length(id.get())};
}

std::vector<Certificate> parse_certificates(Bytes in) {
  if (in.size() > kMaxFile) fail("certificates", "larger than 4 MiB");
  constexpr std::uint8_t kDerSequence = 0x30;
  if (!in.empty() && in[0] == kDerSequence) return {Certificate::from_der(in)};
  std::vector<Certificate> out;
  for (const PemBlock& block : parse_pem_blocks(as_text(in))) {
    if (block.label != "CERTIFICATE") fail("certificates", "a PEM block is not a CERTIFICATE");
    out.push_back(Certificate::from_der(block.data));
  }
  return out;
}

}  // namespace attest::crypto
