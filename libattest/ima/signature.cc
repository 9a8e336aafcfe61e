// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/signature.h"

#include <algorithm>

#include "libattest/base/pem.h"
#include "libattest/base/text.h"
#include "libattest/crypto/certificate.h"
#include "libattest/crypto/digest.h"
#include "libattest/ima/algorithm.h"

namespace attest::ima {
namespace {

constexpr std::string_view kFormat = "IMA signature";
constexpr std::string_view kKeyFormat = "IMA key";

// enum evm_ima_xattr_type, those that are signatures.
constexpr std::uint8_t kDigsig = 3;          // EVM_IMA_XATTR_DIGSIG
constexpr std::uint8_t kPortableDigsig = 5;  // EVM_XATTR_PORTABLE_DIGSIG
constexpr std::uint8_t kVerityDigsig = 6;    // IMA_VERITY_DIGSIG

struct Header {
  std::uint8_t type = 0;
  std::uint8_t version = 0;
  std::uint8_t hash_algo = 0;
  std::uint32_t key_id = 0;
  Bytes signature;
};

// evm_ima_xattr_data.type and struct signature_v2_hdr
Header parse_header(Bytes in) {
  Reader r(in, kFormat);
  Header h;
  h.type = r.u8("type");
  if (h.type != kDigsig && h.type != kPortableDigsig && h.type != kVerityDigsig) {
    r.fail("type", "not a signature's");
  }
  h.version = r.u8("version");
  if (h.version != 2 && h.version != 3) r.fail("version", "neither 2 nor 3");
  h.hash_algo = r.u8("hash_algo");
  h.key_id = r.u32be("keyid");
  const std::uint16_t size = r.u16be("sig_size");
  if (size == 0) r.fail("sig_size", "is 0");
  h.signature = r.take(size, "sig");
  r.expect_end("sig");
  return h;
}

// What is wrong with this signature for this entry's digest; empty when it may vouch for it.
std::string_view mismatch(const Header& h, const FileDigest& digest, const Algorithm* algorithm) {
  const DigestKind signs = h.type == kVerityDigsig ? DigestKind::kVerity : DigestKind::kContent;
  if (digest.value.empty()) return "the entry has no digest that it could sign";
  if (signs != digest.kind) return "its type is not of the entry's kind of digest";
  if (h.type == kVerityDigsig && h.version != 3) return "an fs-verity signature is of version 3";
  if (algorithm == nullptr || algorithm->name != digest.algorithm) {
    return "its digest algorithm is not the entry's";
  }
  // SM3 goes with SM2 keys, which libattest has not.
  if (!algorithm->hash || *algorithm->hash == crypto::Hash::kSm3_256) {
    return "libattest verifies no signatures of its digest algorithm";
  }
  if (digest.value.size() != algorithm->size) return "the entry's digest is not of its size";
  return {};
}

// What the key signed: the file digest, or since version 3 H(struct ima_file_id).
crypto::Digest signed_digest(const Header& h, crypto::Hash hash, Bytes file_digest) {
  if (h.version == 2) return crypto::Digest(file_digest);
  const std::array<std::uint8_t, 2> front{h.type, h.hash_algo};
  return crypto::Hasher(hash)({Bytes(front), file_digest});
}

bool verifies(const crypto::PublicKey& key, crypto::Hash hash, Bytes digest, Bytes signature) {
  const auto scheme =
      key.type() == crypto::KeyType::kRsa ? crypto::Scheme::kRsassa : crypto::Scheme::kEcdsa;
  return key.verify_digest(scheme, hash, digest, signature);
}

std::uint32_t last_four_bytes(Bytes id) {
  Reader r(id, kKeyFormat);
  r.take(id.size() - 4, "key id");
  return r.u32be("key id");
}

}  // namespace

Keyring::Key Keyring::add_certificate(Bytes der) {
  const auto certificate = crypto::Certificate::from_der(der);
  const crypto::PublicKey key = certificate.key();
  const auto id = certificate.subject_key_id();
  if (id.empty()) return add_key(key);
  if (id.size() < 4) {
    throw ParseError(kKeyFormat, "subject key identifier",
                     "shorter than the four bytes of a key id");
  }
  return add_key(key, last_four_bytes(id));
}

Keyring::Key Keyring::add_key(const crypto::PublicKey& key) {
  return add_key(key, last_four_bytes(crypto::Hasher(crypto::Hash::kSha1)(key.key_bits()).bytes()));
}

Keyring::Key Keyring::add_key(const crypto::PublicKey& key, std::uint32_t id) {
  auto& keys = keys_[id];
  const auto spki = key.spki();
  const auto same = [&](const crypto::PublicKey& other) { return other.spki() == spki; };
  if (std::ranges::none_of(keys, same)) {
    keys.push_back(key);
    ++num_keys_;
  }
  return {key, id};
}

Keyring::Key Keyring::add(Bytes in) {
  if (looks_like_pem(as_text(in))) {
    const PemBlock block = parse_pem(as_text(in));
    if (block.label == "CERTIFICATE") return add_certificate(block.data);
    if (block.label == "PUBLIC KEY") return add_key(crypto::PublicKey::from_spki(block.data));
    throw ParseError(kKeyFormat, "PEM block", "neither CERTIFICATE nor PUBLIC KEY");
  }
  // Both are a DER SEQUENCE. A SubjectPublicKeyInfo's first element is one of an OID, which no
  // certificate has there: nothing is both.
  try {
    return add_key(crypto::PublicKey::from_spki(in));
  } catch (const ParseError&) {
    // Then it must be a certificate.
  }
  try {
    return add_certificate(in);
  } catch (const ParseError&) {
    throw ParseError(
        kKeyFormat, "key",
        "neither a certificate nor a public key, of a kind that libattest verifies with");
  }
}

const std::vector<crypto::PublicKey>* Keyring::find(std::uint32_t id) const noexcept {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

SignatureCheck check_signature(const Entry& entry, const Keyring& keys) {
  if (entry.signature.empty()) return {};
  if (entry.violation) {
    return {SignatureState::kNotForFile, 0, "nothing covers what a violation says of its file"};
  }
  Header h;
  try {
    h = parse_header(entry.signature);
  } catch (const ParseError& e) {
    return {SignatureState::kMalformed, 0, e.what()};
  }
  if (h.type == kPortableDigsig) {
    return {SignatureState::kNotForFile, h.key_id,
            "an EVM portable signature, which signs the file's metadata"};
  }
  const Algorithm* const algorithm = find_algorithm(h.hash_algo);
  const std::string_view wrong = mismatch(h, entry.digest, algorithm);
  if (!wrong.empty()) return {SignatureState::kMalformed, h.key_id, std::string(wrong)};
  const auto* const candidates = keys.find(h.key_id);
  if (candidates == nullptr) {
    return {SignatureState::kUnknownKey, h.key_id, "no key of its id is in the keyring"};
  }
  const crypto::Digest digest = signed_digest(h, *algorithm->hash, entry.digest.value);
  for (const crypto::PublicKey& key : *candidates) {
    if (verifies(key, *algorithm->hash, digest.bytes(), h.signature)) {
      return {SignatureState::kGood, h.key_id, {}};
    }
  }
  return {SignatureState::kBad, h.key_id, "no key of its id made it"};
}

}  // namespace attest::ima
