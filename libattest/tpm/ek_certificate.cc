// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/ek_certificate.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/pem.h"
#include "libattest/base/text.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "EK certificate";
constexpr std::string_view kEkCertificate = "2.23.133.8.1";  // tcg-kp-EKCertificate
constexpr std::array<std::string_view, 3> kTpmAttributes{
    "2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"};  // manufacturer, model, version

// Size of the DER value at the front of `in`, its tag and length included (X.690, 8.1.3).
std::size_t der_size(Bytes in) {
  Reader r(in, kFormat);
  if (r.u8("tag") != 0x30) r.fail("tag", "neither PEM nor a DER SEQUENCE");
  const std::uint8_t first = r.u8("length");
  std::size_t length = first;
  if (first == 0x81) {
    length = r.u8("length");
  } else if (first == 0x82) {
    length = r.u16be("length");
  } else if (first >= 0x80) {
    r.fail("length", "not that of a certificate");
  }
  r.take(length, "certificate");
  return r.offset();
}

[[noreturn]] void refuse(const crypto::Certificate& certificate, std::string_view why) {
  throw RefusedError("certificate of " + certificate.subject() + ": " + std::string(why));
}

// Section 3.2: what makes it an EK's, and nobody else's of the same CA. A CA that certifies other
// keys, too, must not vouch for those as EKs.
void check_profile(const crypto::Certificate& certificate) {
  if (certificate.is_ca()) refuse(certificate, "it is a CA's, and not an EK's");
  const auto usage = certificate.key_usage();
  const bool rsa = certificate.key().type() == crypto::KeyType::kRsa;
  if (usage && (*usage & (rsa ? crypto::kKeyEncipherment : crypto::kKeyAgreement)) == 0) {
    refuse(certificate, rsa ? "its key usage lacks keyEncipherment, which an EK's has"
                            : "its key usage lacks keyAgreement, which an EK's has");
  }
  const auto purposes = certificate.extended_key_usage();
  if (purposes && std::ranges::find(*purposes, kEkCertificate) == purposes->end()) {
    refuse(certificate, "its extended key usage is not that of an EK certificate");
  }
  const std::vector<std::string> types = certificate.alternative_name_types();
  for (const std::string_view attribute : kTpmAttributes) {
    if (std::ranges::find(types, attribute) == types.end()) {
      refuse(certificate,
             "its subject alternative name does not say a TPM's manufacturer, model and version");
    }
  }
}

}  // namespace

crypto::Certificate parse_ek_certificate(Bytes in) {
  if (looks_like_pem(as_text(in))) {
    const PemBlock block = parse_pem(as_text(in));
    if (block.label != "CERTIFICATE") throw ParseError("PEM", "line 1", "not a CERTIFICATE");
    return crypto::Certificate::from_der(block.data);
  }
  const std::size_t size = der_size(in);
  const Bytes padding = in.subspan(size);
  const auto all = [&](std::uint8_t value) {
    return std::ranges::all_of(padding, [=](std::uint8_t b) { return b == value; });
  };
  if (!all(0x00) && !all(0xff)) {
    throw ParseError(kFormat, size, "certificate", "has bytes after its end that are no padding");
  }
  return crypto::Certificate::from_der(in.first(size));
}

void verify_ek_certificate(const crypto::Certificate& certificate,
                           const crypto::ChainOptions& options) {
  check_profile(certificate);
  crypto::verify_chain(certificate, options);
}

}  // namespace attest::tpm
