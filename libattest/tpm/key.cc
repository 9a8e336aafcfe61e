// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/key.h"

#include <memory>
#include <string>
#include <utility>

#include "libattest/base/pem.h"
#include "libattest/base/text.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "attestation key";
constexpr std::size_t kMaxInput = 65536;
constexpr std::uint8_t kDerSequence = 0x30;

struct Decoded {
  KeyFormat format;
  crypto::PublicKey key;
};

Decoded from_pem(Bytes in) {
  const PemBlock block = parse_pem(as_text(in));
  if (block.label == "PUBLIC KEY") {
    return {KeyFormat::kPem, crypto::PublicKey::from_spki(block.data)};
  }
  if (block.label == "CERTIFICATE") {
    return {KeyFormat::kCertificatePem, crypto::PublicKey::from_certificate(block.data)};
  }
  throw ParseError("PEM", "line 1", "neither PUBLIC KEY nor CERTIFICATE");
}

Decoded from_der(Bytes in) {
  std::string not_spki;
  try {
    return {KeyFormat::kSpkiDer, crypto::PublicKey::from_spki(in)};
  } catch (const ParseError& e) {
    not_spki = e.what();
  }
  try {
    return {KeyFormat::kCertificateDer, crypto::PublicKey::from_certificate(in)};
  } catch (const ParseError& e) {
    throw ParseError(kFormat, 0, "DER", not_spki + "; " + e.what());
  }
}

}  // namespace

std::string_view format_name(KeyFormat format) noexcept {
  switch (format) {
    case KeyFormat::kTpm2bPublic:
      return "TPM2B_PUBLIC";
    case KeyFormat::kTpmtPublic:
      return "TPMT_PUBLIC";
    case KeyFormat::kPem:
      return "PEM public key";
    case KeyFormat::kSpkiDer:
      return "DER public key";
    case KeyFormat::kCertificatePem:
      return "PEM certificate";
    case KeyFormat::kCertificateDer:
      return "DER certificate";
    case KeyFormat::kTpmPubkey:
      return "TPM_PUBKEY";
    case KeyFormat::kTpmKey:
      return "TPM_KEY";
  }
  return "?";
}

AttestationKey::AttestationKey(KeyFormat format, crypto::PublicKey key)
    : format_(format), key_(std::move(key)) {}

const crypto::Digest& AttestationKey::spki_sha256() const {
  const crypto::Digest* known = spki_sha256_->digest.load();
  if (known != nullptr) return *known;
  auto made =
      std::make_unique<const crypto::Digest>(crypto::Hasher(crypto::Hash::kSha256)(key_.spki()));
  if (spki_sha256_->digest.compare_exchange_strong(known, made.get())) return *made.release();
  return *known;
}

// The beginnings exclude each other: a public area with a size in front is far smaller than the
// 0x2d2d or 0x3000 bytes that PEM or DER would mean, and one whose type were zero, as the third and
// fourth byte of a TPM 1.2's structures would have it, is none.
AttestationKey AttestationKey::load(Bytes in) {
  if (in.empty()) throw ParseError(kFormat, 0, "key", "empty");
  if (in.size() > kMaxInput) throw ParseError(kFormat, kMaxInput, "key", "larger than 64 KiB");
  if (looks_like_pem(as_text(in))) {
    Decoded d = from_pem(in);
    return {d.format, std::move(d.key)};
  }
  if (in[0] == kDerSequence) {
    Decoded d = from_der(in);
    return {d.format, std::move(d.key)};
  }
  std::vector<std::uint8_t> raw(in.begin(), in.end());
  if (is_key12(raw)) {
    const Key12 key12 = parse_key12(raw);
    AttestationKey key(key12.use ? KeyFormat::kTpmKey : KeyFormat::kTpmPubkey,
                       public_key_of(key12));
    key.key12_ = key12;
    key.raw_ = std::move(raw);
    return key;
  }
  const bool sized = is_public_2b(in);
  const PublicArea area = sized ? parse_public_2b(raw) : parse_public(raw);
  AttestationKey key(sized ? KeyFormat::kTpm2bPublic : KeyFormat::kTpmtPublic, public_key_of(area));
  key.name_ = name_of(area);
  key.area_ = area;
  key.raw_ = std::move(raw);
  return key;
}

}  // namespace attest::tpm
