// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/quote.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/tpm/keylime_quote.h"
#include "libattest/tpm/pcr12.h"
#include "libattest/tpm/quote12.h"

namespace attest::verify {

using crypto::Digest;
using crypto::Hash;
using policy::Code;
using policy::Component;
using policy::Severity;

namespace {

constexpr std::size_t kMinNonce = 16;  // bytes; NIST SP 800-63B's 112 bits, rounded up
constexpr std::uint32_t kAllPcrs = (std::uint32_t{1} << tpm::kNumPcrs) - 1;
constexpr std::uint8_t kDerSequence = 0x30;
constexpr std::size_t kMaxRsaSignature = 1024;  // bytes: RSA-8192

std::string hex_number(std::uint32_t value) {
  std::string out = "0x";
  bool digits = false;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const std::uint32_t nibble = value >> static_cast<unsigned>(shift) & 0xfU;
    digits = digits || nibble != 0 || shift == 0;
    if (digits) out.push_back("0123456789abcdef"[nibble]);
  }
  return out;
}

std::optional<crypto::Scheme> scheme_from_id(std::uint16_t id) noexcept {
  for (const auto scheme :
       {crypto::Scheme::kRsassa, crypto::Scheme::kRsapss, crypto::Scheme::kEcdsa}) {
    if (static_cast<std::uint16_t>(scheme) == id) return scheme;
  }
  return std::nullopt;
}

std::string describe_hash(std::uint16_t id) {
  const auto hash = crypto::hash_from_id(id);
  return hash ? std::string(crypto::hash_name(*hash)) : hex_number(id);
}

// The digest of a bare signature by a key that names no scheme: the curve's own size, else SHA-256.
Hash default_hash(const crypto::PublicKey& key) noexcept {
  if (key.curve() == crypto::Curve::kP384) return Hash::kSha384;
  if (key.curve() == crypto::Curve::kP521) return Hash::kSha512;
  return Hash::kSha256;
}

bool may_be_bare(Bytes signature) noexcept {
  return (!signature.empty() && signature[0] == kDerSequence) || signature.size() == 256 ||
         signature.size() == 384 || signature.size() == 512;
}

// A TPM 1.2's signature is bare, and nothing in it says of what: only its size can be wrong.
void check_signature12(Bytes signature) {
  if (signature.empty() || signature.size() > kMaxRsaSignature) {
    throw ParseError("TPM 1.2 signature", 0, "size", "not of 1 to 1024 bytes");
  }
}

tpm::ClaimedPcrs parse_pcrs(Bytes pcrs, const tpm::ClaimedQuote& quote) {
  // What is no quote selects no PCRs, and its verification ends before it needs any.
  if (!quote.is_quote()) return {};
  return quote.is_tpm12() ? tpm::parse_pcrs12(pcrs, quote)
                          : tpm::parse_pcrs(pcrs, quote.selections);
}

}  // namespace

QuoteEvidence::QuoteEvidence(Bytes attest, Bytes signature, Bytes pcrs)
    : attest_(attest.begin(), attest.end()),
      signature_(signature.begin(), signature.end()),
      quote_(tpm::parse_quote(attest_)),
      pcrs_(parse_pcrs(pcrs, quote_)) {
  if (quote_.is_tpm12()) {
    check_signature12(signature_);
  } else if (!may_be_bare(signature_)) {
    (void)tpm::parse_signature(signature_);
  }
  // digestValue covers the selection that stands before the values: with any other it differs.
  if (quote_.format == tpm::QuoteFormat::kQuoteInfo) quote_.selections = pcrs_.selections;
}

QuoteEvidence QuoteEvidence::parse(Bytes attest, Bytes signature, Bytes pcrs) {
  return {attest, signature, pcrs};
}

QuoteEvidence QuoteEvidence::parse_keylime(std::string_view text) {
  const tpm::KeylimeQuote parts = tpm::parse_keylime_quote(text);
  return {parts.attest, parts.signature, parts.pcrs};
}

tpm::ClaimedSignature QuoteEvidence::signature(const crypto::PublicKey& key) const {
  if (quote_.is_tpm12()) {
    // TPM 1.2 Part 2, 5.8: an identity key has this scheme and no other.
    tpm::ClaimedSignature out;
    out.sig_alg = static_cast<std::uint16_t>(crypto::Scheme::kRsassa);
    out.hash_alg = static_cast<std::uint16_t>(Hash::kSha1);
    out.rsa = signature_;
    return out;
  }
  const bool rsa = key.type() == crypto::KeyType::kRsa;
  return tpm::parse_any_signature(signature_, rsa ? (key.bits() + 7) / 8 : 0);
}

const QuotedPcrs::Bank* QuotedPcrs::find(Hash bank) const noexcept {
  const auto at = std::ranges::find(banks_, bank, &Bank::hash);
  return at == banks_.end() ? nullptr : &*at;
}

const Digest* QuotedPcrs::find(Hash bank, std::uint32_t pcr) const noexcept {
  const Bank* b = find(bank);
  const bool quoted = b != nullptr && pcr < tpm::kNumPcrs && (b->mask >> pcr & 1U) != 0;
  return quoted ? &b->values[pcr] : nullptr;
}

// One quote's verification: the checks in their order, each of which adds a finding when it fails.
class QuoteVerifier {
 public:
  QuoteVerifier(const QuoteEvidence& evidence, const tpm::AttestationKey& key,
                policy::Findings& findings)
      : evidence_(evidence), quote_(evidence.quote()), key_(key), findings_(findings) {}

  // Part 2, 6.2 TPM_GENERATED_VALUE: a restricted key signs nothing else that begins with it. A TPM
  // 1.2 (TPM Main Specification 1.2, Part 2, 11.3 and 11.4) has four letters, which parsing saw.
  bool check_magic() {
    if (quote_.is_tpm12() || quote_.magic == tpm::kGeneratedValue) return true;
    return fail(Code::kQuoteMagic, hex_number(tpm::kGeneratedValue), hex_number(quote_.magic),
                "the signed structure was not made by a TPM: its magic is wrong");
  }

  // Part 2, 6.9 TPM_ST_ATTEST_QUOTE: what else a TPM attests has other fields in the quote's place.
  bool check_type() {
    if (quote_.is_tpm12() || quote_.type == tpm::kAttestQuote) return true;
    return fail(Code::kQuoteType, hex_number(tpm::kAttestQuote), hex_number(quote_.type),
                "the signed structure is another attestation than a quote");
  }

  // Part 3, 20.2 TPM2_Sign: a restricted key of a TPM 2.0 signs whatever does not begin with
  // TPM_GENERATED_VALUE, and what a TPM 1.2 calls a quote does not. TPM 1.2 Part 3, 13.5 TPM_Sign:
  // a signing key of a TPM 1.2 signs any digest.
  bool check_family() {
    if (quote_.is_tpm12() ? key_.area() == nullptr : key_.key12() == nullptr) return true;
    constexpr std::string_view kTpm12 = "a TPM 1.2";
    constexpr std::string_view kTpm2 = "a TPM 2.0";
    return fail(Code::kQuoteFamily, std::string(quote_.is_tpm12() ? kTpm2 : kTpm12),
                std::string(quote_.is_tpm12() ? kTpm12 : kTpm2),
                "the quote is not of the TPM family that the key is of: such a key signs it for "
                "whoever asks");
  }

  // Part 2, 11.2.1 TPMT_SIG_SCHEME; Part 1, B.4, B.5 and C.2: the scheme fits the key, is the key's
  // own where it has one, and is one that libattest verifies.
  bool check_scheme() {
    signature_ = evidence_.signature(key_.key());
    const bool rsa = key_.key().type() == crypto::KeyType::kRsa;
    const tpm::PublicArea* area = key_.area();
    const std::uint16_t own = area != nullptr ? area->scheme : tpm::kAlgNull;
    const auto fallback =
        static_cast<std::uint16_t>(rsa ? crypto::Scheme::kRsassa : crypto::Scheme::kEcdsa);
    const std::uint16_t id = signature_.sig_alg.value_or(own != tpm::kAlgNull ? own : fallback);
    const auto scheme = scheme_from_id(id);
    if (!scheme) {
      return fail(Code::kSignatureScheme, "RSASSA, RSAPSS or ECDSA", hex_number(id),
                  "the quote is signed with a scheme that libattest does not verify");
    }
    if ((*scheme == crypto::Scheme::kEcdsa) == rsa) {
      return fail(Code::kSignatureScheme, rsa ? "RSASSA or RSAPSS" : "ECDSA",
                  std::string(crypto::scheme_name(*scheme)),
                  "the quote's signature scheme is not one of the key's type");
    }
    if (own != tpm::kAlgNull && own != id) {
      return fail(Code::kSignatureScheme, hex_number(own), hex_number(id),
                  "the quote's signature scheme is not the one that the key is bound to");
    }
    scheme_ = *scheme;
    return true;
  }

  bool check_hash(bool allow_sha1) {
    const tpm::PublicArea* area = key_.area();
    const std::uint16_t own = area != nullptr ? area->scheme_hash : tpm::kAlgNull;
    const auto fallback = static_cast<std::uint16_t>(default_hash(key_.key()));
    const std::uint16_t id = signature_.hash_alg.value_or(own != tpm::kAlgNull ? own : fallback);
    if (own != tpm::kAlgNull && own != id) {
      return fail(Code::kSignatureHash, describe_hash(own), describe_hash(id),
                  "the quote's signature hash is not the one that the key is bound to");
    }
    const auto hash = crypto::hash_from_id(id);
    if (hash == Hash::kSha1 && !allow_sha1) {
      return fail(Code::kSignatureSha1, "sha256, sha384 or sha512", "sha1",
                  "the quote is signed over a SHA-1 digest, which the policy does not allow");
    }
    if (hash != Hash::kSha1 && hash != Hash::kSha256 && hash != Hash::kSha384 &&
        hash != Hash::kSha512) {
      return fail(Code::kSignatureHash, "sha256, sha384 or sha512", describe_hash(id),
                  "the quote is signed over a digest that libattest does not verify");
    }
    hash_ = *hash;
    return true;
  }

  // Part 1, B.4 RSASSA_PKCS1v1_5, B.5 RSASSA_PSS, C.2.2 ECDSA, over the bytes as they were
  // received.
  bool check_signature() {
    crypto::Hasher hasher(hash_);
    const Digest digest = hasher(quote_.raw);
    if (key_.key().verify_digest(scheme_, hash_, digest.bytes(), signature_bytes())) return true;
    return fail(Code::kSignatureInvalid, {}, {},
                "the quote is not signed by this key: the signature does not verify");
  }

  // Part 2, 10.12.12 TPMS_ATTEST.extraData; TPM 1.2: externalData: the nonce, byte for byte.
  bool check_nonce(Bytes nonce) {
    if (nonce.empty()) {
      return fail(Code::kNonceMissing, {}, {},
                  "no nonce was given: without one an old quote can not be told from a new one");
    }
    if (nonce.size() < kMinNonce) {
      return fail(Code::kNonceShort, "16 bytes or more", std::to_string(nonce.size()) + " bytes",
                  "the nonce is too short to be unpredictable");
    }
    // TPM 1.2 Part 2, 5.5 TPM_NONCE. A digest in the place of the nonce would be a second meaning.
    if (quote_.is_tpm12() && nonce.size() != tpm::kNonce12Size) {
      return fail(
          Code::kNonceMismatch, std::to_string(tpm::kNonce12Size) + " bytes",
          std::to_string(nonce.size()) + " bytes",
          "a TPM 1.2's quote answers a nonce of exactly 20 bytes: for a tool that hashes its "
          "challenge first, give the SHA-1 digest of that");
    }
    if (crypto::equal_constant_time(nonce, quote_.extra_data)) return true;
    return fail(Code::kNonceMismatch, {}, {},
                "the quote answers another nonce: it is old, or was made for somebody else");
  }

  // Part 2, 10.9.7 TPML_PCR_SELECTION: what is signed must be a selection that names each PCR once.
  // TPM 1.2 Part 2, 8.1 TPM_PCR_SELECTION: of 1 to 3 bytes.
  bool check_selection() {
    const unsigned min_size = quote_.is_tpm12() ? 1 : 3;
    std::map<std::uint16_t, std::uint32_t> seen;
    bool any = false;
    for (const tpm::PcrSelection& s : quote_.selections) {
      if (!seen.emplace(s.alg, s.mask).second) {
        return bad_selection("names the " + describe_hash(s.alg) + " bank twice");
      }
      if (s.size_of_select < min_size || s.size_of_select > 4) {
        return bad_selection("has a bit map of " + std::to_string(s.size_of_select) + " bytes");
      }
      if ((s.mask & ~kAllPcrs) != 0) return bad_selection("names PCRs above 23");
      if (s.mask != 0 && !crypto::hash_from_id(s.alg)) {
        return bad_selection("names a bank of the unknown algorithm " + hex_number(s.alg));
      }
      any = any || s.mask != 0;
    }
    return any || bad_selection("names no PCR at all");
  }

  // The values belong to what was signed: the same PCRs of the same banks, no more and no less.
  bool check_values() {
    const auto masks = [](const std::vector<tpm::PcrSelection>& selections) {
      std::map<std::uint16_t, std::uint32_t> out;
      bool duplicate = false;
      for (const tpm::PcrSelection& s : selections) {
        if (s.mask != 0) duplicate = !out.emplace(s.alg, s.mask).second || duplicate;
      }
      if (duplicate) out.clear();
      return out;
    };
    const tpm::ClaimedPcrs& pcrs = evidence_.pcrs();
    if (masks(pcrs.selections) != masks(quote_.selections)) {
      return fail(Code::kSelectionMismatch, tpm::describe(quote_.selections),
                  tpm::describe(pcrs.selections),
                  "the PCR values are not those of the PCRs that were quoted");
    }
    auto value = pcrs.values.begin();
    for (const tpm::PcrSelection& s : pcrs.selections) {
      if (s.mask == 0) continue;
      const Hash hash = *crypto::hash_from_id(s.alg);  // check_selection: all banks are known
      QuotedPcrs::Bank& bank = pcrs_.banks_.emplace_back();
      bank.hash = hash;
      bank.mask = s.mask;
      for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
        if ((s.mask >> pcr & 1U) == 0) continue;
        if (value->size() != crypto::hash_size(hash)) {
          return fail_pcr(pcr, Code::kPcrSize, std::to_string(crypto::hash_size(hash)) + " bytes",
                          std::to_string(value->size()) + " bytes",
                          "a PCR value has not the size of its bank's digests");
        }
        bank.values[pcr] = *value++;
      }
    }
    return true;
  }

  // Part 2, 10.12.4 TPMS_QUOTE_INFO.pcrDigest: H of the values in the order of the signed
  // selection, where H is the hash of the signing scheme (Part 3, 18.4 TPM2_Quote). TPM 1.2 Part 2,
  // 5.4.1 Creating a PCR composite hash: of the TPM_PCR_COMPOSITE, where selection and size come
  // first.
  bool check_digest() {
    crypto::Hasher hasher(hash_);
    hasher.begin();
    for (const tpm::PcrSelection& s : quote_.selections) {
      if (s.mask == 0) continue;
      if (quote_.is_tpm12()) hasher.update(tpm::composite_header(s));
      const QuotedPcrs::Bank& bank = *pcrs_.find(*crypto::hash_from_id(s.alg));
      for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
        if ((s.mask >> pcr & 1U) != 0) hasher.update(bank.values[pcr].bytes());
      }
    }
    const Digest digest = hasher.finish();
    if (crypto::equal_constant_time(digest.bytes(), quote_.pcr_digest)) return true;
    return fail(Code::kPcrDigestMismatch, to_hex(quote_.pcr_digest), to_hex(digest.bytes()),
                "the PCR values are not the ones that were quoted: their digest differs");
  }

  // Part 1, 16: a Qualified Name is a nameAlg and a digest of it. It proves nothing about the key.
  // A TPM 1.2 names no signer.
  bool check_signer() {
    if (quote_.is_tpm12()) return true;
    Reader r(quote_.qualified_signer, "qualifiedSigner");
    const bool long_enough = r.remaining() >= 2;
    const std::uint16_t alg = long_enough ? r.u16be("nameAlg") : std::uint16_t{0};
    const auto hash = crypto::hash_from_id(alg);
    const tpm::PublicArea* area = key_.area();
    const bool fits = hash && r.remaining() == crypto::hash_size(*hash) &&
                      (area == nullptr || area->name_alg == alg);
    if (fits) return true;
    return fail(Code::kSignerInvalid, {}, to_hex(quote_.qualified_signer),
                "the quote's qualified signer is not a name that this key can have");
  }

  void claim(policy::Claims& claims) {
    claims.quote_verified = true;
    claims.scheme = std::string(crypto::scheme_name(scheme_)) + " with " +
                    std::string(crypto::hash_name(hash_));
    if (quote_.is_tpm12()) {
      findings_.add({Code::kQuoteTpm12,
                     Severity::kWarning,
                     Component::kQuote,
                     {},
                     {},
                     {},
                     {},
                     {},
                     "the quote is a TPM 1.2's: its digests are SHA-1, and without a clock and "
                     "counters only the nonce tells it from an older one"});
      return;
    }
    claims.clock = quote_.clock;
    claims.reset_count = quote_.reset_count;
    claims.restart_count = quote_.restart_count;
    claims.clock_safe = quote_.clock_safe;
    claims.firmware_version = quote_.firmware_version;
  }

  QuotedPcrs take() { return std::move(pcrs_); }

 private:
  // ECDSA signatures are DER for the crypto layer; r and s must fit the curve.
  Bytes signature_bytes() {
    if (!signature_.rsa.empty()) return signature_.rsa;
    if (!signature_.der.empty()) return signature_.der;
    const std::size_t size = key_.key().curve() ? crypto::curve_size(*key_.key().curve()) : 0;
    const auto fits = [&](Bytes b) { return !b.empty() && b.size() <= size; };
    if (!fits(signature_.r) || !fits(signature_.s)) return {};
    der_ = crypto::ecdsa_der(signature_.r, signature_.s);
    return der_;
  }

  bool bad_selection(const std::string& why) {
    return fail(Code::kSelectionInvalid, {}, tpm::describe(quote_.selections),
                "the quote's PCR selection " + why);
  }
  bool fail(Code code, std::string expected, std::string found, std::string message) {
    findings_.add({code,
                   Severity::kFailure,
                   Component::kQuote,
                   {},
                   {},
                   {},
                   std::move(expected),
                   std::move(found),
                   std::move(message)});
    return false;
  }
  bool fail_pcr(std::uint32_t pcr, Code code, std::string expected, std::string found,
                std::string message) {
    findings_.add({code,
                   Severity::kFailure,
                   Component::kQuote,
                   pcr,
                   {},
                   {},
                   std::move(expected),
                   std::move(found),
                   std::move(message)});
    return false;
  }

  const QuoteEvidence& evidence_;
  const tpm::ClaimedQuote& quote_;
  const tpm::AttestationKey& key_;
  policy::Findings& findings_;
  tpm::ClaimedSignature signature_;
  crypto::Scheme scheme_ = crypto::Scheme::kRsassa;
  Hash hash_ = Hash::kSha256;
  std::vector<std::uint8_t> der_;
  QuotedPcrs pcrs_;
};

std::optional<QuotedPcrs> verify_quote(const QuoteEvidence& evidence,
                                       const tpm::AttestationKey& key, Bytes nonce, bool allow_sha1,
                                       policy::Findings& findings, policy::Claims& claims) {
  QuoteVerifier v(evidence, key, findings);
  // Each needs what the ones before it have made sure of: the first that fails ends it.
  const bool good = v.check_magic() && v.check_type() && v.check_family() && v.check_scheme() &&
                    v.check_hash(allow_sha1) && v.check_signature() && v.check_nonce(nonce) &&
                    v.check_selection() && v.check_values() && v.check_digest() && v.check_signer();
  if (!good) return std::nullopt;
  v.claim(claims);
  return v.take();
}

}  // namespace attest::verify
