// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/key12.h"

#include <algorithm>
#include <array>

namespace attest::tpm {
namespace {

constexpr std::string_view kPubkey = "TPM_PUBKEY";
constexpr std::string_view kKey = "TPM_KEY";
constexpr std::uint32_t kAlgRsa = 0x00000001;  // section 4.8 TPM_ALG_RSA
constexpr std::uint32_t kMaxModulus = 1024;    // bytes: RSA-8192
constexpr std::uint32_t kMaxExponent = 4;      // bytes
constexpr std::uint32_t kMaxBlob = 4096;       // bytes of TPM_PCR_INFO_LONG, of TPM_STORE_ASYMKEY
constexpr std::uint32_t kDefaultExponent = 65537;

using Front = std::array<std::uint8_t, 4>;
constexpr Front kPubkeyFront{0, 0, 0, 1};    // algorithmParms.algorithmID: TPM_ALG_RSA
constexpr Front kKeyFront{1, 1, 0, 0};       // section 5.1 TPM_STRUCT_VER
constexpr Front kKey12Front{0, 0x28, 0, 0};  // section 3.1 TPM_TAG_KEY12, and fill

bool begins_with(Bytes in, const Front& front) noexcept {
  return in.size() >= front.size() && std::equal(front.begin(), front.end(), in.begin());
}

std::uint32_t bounded(Reader& r, std::uint32_t max, std::string_view field) {
  const std::uint32_t size = r.u32be(field);
  if (size > max) r.fail(field, "larger than a TPM 1.2's keys need");
  return size;
}

// Section 10.1.1 TPM_RSA_KEY_PARMS.
void rsa_parameters(Reader r, Key12& key) {
  key.key_bits = r.u32be("algorithmParms.keyLength");
  if (r.u32be("algorithmParms.numPrimes") != 2) r.fail("algorithmParms.numPrimes", "not 2");
  const std::uint32_t size = bounded(r, kMaxExponent, "algorithmParms.exponentSize");
  key.exponent = size == 0 ? kDefaultExponent : 0;
  for (const std::uint32_t byte : r.take(size, "algorithmParms.exponent")) {
    key.exponent = key.exponent << 8U | byte;
  }
  r.expect_end("algorithmParms");
}

// Section 10.1 TPM_KEY_PARMS.
void key_parameters(Reader& r, Key12& key) {
  if (r.u32be("algorithmParms.algorithmID") != kAlgRsa) {
    r.fail("algorithmParms.algorithmID", "not RSA");
  }
  key.enc_scheme = r.u16be("algorithmParms.encScheme");
  key.sig_scheme = r.u16be("algorithmParms.sigScheme");
  rsa_parameters(r.sub(bounded(r, kMaxBlob, "algorithmParms.parmSize"), "algorithmParms.rsa"), key);
}

// Section 10.4 TPM_STORE_PUBKEY.
void store_pubkey(Reader& r, Key12& key) {
  key.modulus = r.take(bounded(r, kMaxModulus, "pubKey.keyLength"), "pubKey.key");
}

// Section 10.5 TPM_PUBKEY.
Key12 pubkey(Bytes in) {
  Reader r(in, kPubkey);
  Key12 key;
  key_parameters(r, key);
  store_pubkey(r, key);
  r.expect_end(kPubkey);
  return key;
}

// Sections 10.2 TPM_KEY and 10.3 TPM_KEY12: the same behind their first four bytes.
Key12 whole_key(Bytes in) {
  Reader r(in, kKey);
  Key12 key;
  r.take(kKeyFront.size(), "ver");
  Key12Use& use = key.use.emplace();
  use.usage = r.u16be("keyUsage");
  use.flags = r.u32be("keyFlags");
  r.u8("authDataUsage");
  key_parameters(r, key);
  r.take(bounded(r, kMaxBlob, "PCRInfoSize"), "PCRInfo");
  store_pubkey(r, key);
  r.take(bounded(r, kMaxBlob, "encSize"), "encData");
  r.expect_end(kKey);
  return key;
}

}  // namespace

bool is_key12(Bytes in) noexcept {
  return begins_with(in, kPubkeyFront) || begins_with(in, kKeyFront) ||
         begins_with(in, kKey12Front);
}

Key12 parse_key12(Bytes in) { return begins_with(in, kPubkeyFront) ? pubkey(in) : whole_key(in); }

crypto::PublicKey public_key_of(const Key12& key) {
  const std::string_view format = key.use ? kKey : kPubkey;
  crypto::PublicKey out = crypto::PublicKey::rsa(key.modulus, key.exponent, format);
  if (key.modulus.size() * 8 != key.key_bits || out.bits() != key.key_bits) {
    throw ParseError(format, 0, "pubKey.key", "modulus is not of keyLength bits");
  }
  return out;
}

}  // namespace attest::tpm
