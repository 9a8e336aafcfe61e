// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/quote.h"

#include <catch2/catch.hpp>

#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

using attest::policy::Claims;
using attest::policy::Code;
using attest::policy::Findings;
using attest::policy::Policy;
using attest::policy::Severity;
using attest::tpm::AttestationKey;
using attest::verify::QuoteEvidence;

Octets value(std::uint8_t v, std::size_t size = 32) { return Octets(size, v); }
PcrValues values() { return {{0x000b, {{0, value(1)}, {7, value(2)}, {10, value(3)}}}}; }
const Octets kNonce(20, 0x5a);

// One RSA key for all tests: making one takes long.
Signer& signer() {
  static Signer rsa = Signer::rsa();
  return rsa;
}

struct Outcome {
  bool verified = false;
  Findings findings;
  Claims claims;

  std::string why() const { return findings.list().empty() ? "" : findings.list().front().message; }
  bool only(Code code) const {
    return findings.list().size() == 1 && findings.list().front().code == code &&
           findings.list().front().severity == Severity::kFailure;
  }
};

Outcome verify(const Octets& attest, const Octets& signature, const Octets& pcrs, const Octets& ak,
               const Octets& nonce = kNonce, bool allow_sha1 = false) {
  Outcome out;
  const AttestationKey key = AttestationKey::load(ak);
  out.verified = attest::verify::verify_quote(QuoteEvidence::parse(attest, signature, pcrs), key,
                                              nonce, allow_sha1, out.findings, out.claims)
                     .has_value();
  return out;
}

Outcome verify(const QuoteFields& fields, const PcrValues& pcrs) {
  const Octets attest = make_attest(fields);
  return verify(attest, signer().sign(attest), make_pcrs(pcrs), signer().tpm2b_public());
}

Outcome key_checks(const Octets& ak, const Policy* policy = nullptr, bool allow_sha1 = false) {
  Outcome out;
  const AttestationKey key = AttestationKey::load(ak);
  attest::verify::verify_key(key, policy, nullptr, allow_sha1, out.findings, out.claims);
  out.verified = !out.findings.any_failure();
  return out;
}

}  // namespace

TEST_CASE("a quote that keeps every rule is verified", "[verify]") {
  const Outcome o = verify(quote_of(values()), values());
  CHECK(o.verified);
  CHECK(o.findings.list().empty());
  CHECK(o.claims.scheme == "RSASSA with sha256");
  CHECK(o.claims.clock == 1000U);
  CHECK(o.claims.reset_count == 3U);
  CHECK(o.claims.restart_count == 1U);
}

TEST_CASE("a quote that breaks one rule fails for that rule alone", "[verify]") {
  QuoteFields q = quote_of(values());
  PcrValues pcrs = values();

  SECTION("CVE-2024-29038: magic") {
    q.magic ^= 1U;
    CHECK(verify(q, pcrs).only(Code::kQuoteMagic));
  }
  SECTION("GHSA-gwfg-w3jr-xh66: another attestation's type") {
    for (const int type : {0x8014, 0x8015, 0x8016, 0x8017, 0x8019, 0x801a, 0x801c, 0}) {
      q.type = static_cast<std::uint16_t>(type);
      CHECK(verify(q, pcrs).only(Code::kQuoteType));
    }
  }
  SECTION("nonce: one bit, one byte less, one more, none") {
    q.nonce.back() ^= 1U;
    CHECK(verify(q, pcrs).only(Code::kNonceMismatch));
    q.nonce = Octets(19, 0x5a);
    CHECK(verify(q, pcrs).only(Code::kNonceMismatch));
    q.nonce = Octets(21, 0x5a);
    CHECK(verify(q, pcrs).only(Code::kNonceMismatch));
    q.nonce.clear();
    CHECK(verify(q, pcrs).only(Code::kNonceMismatch));
  }
  SECTION("a bank twice") {
    q.selections.push_back(q.selections.front());
    const Outcome o = verify(q, pcrs);
    CHECK(o.only(Code::kSelectionInvalid));
    CHECK_THAT(o.why(), Catch::Contains("names the sha256 bank twice"));
  }
  SECTION("a bit map of two bytes") {
    q.selections.front().second.pop_back();
    CHECK_THAT(verify(q, pcrs).why(), Catch::Contains("bit map of 2 bytes"));
  }
  SECTION("a PCR above 23") {
    q.selections.front().second.push_back(1);
    CHECK_THAT(verify(q, pcrs).why(), Catch::Contains("names PCRs above 23"));
  }
  SECTION("four bytes of bit map are good when the fourth is empty") {
    q.selections.front().second.push_back(0);
    CHECK(verify(q, pcrs).verified);
  }
  SECTION("a bank of an unknown algorithm") {
    q.selections.front().first = 0x7fff;
    CHECK_THAT(verify(q, pcrs).why(), Catch::Contains("unknown algorithm 0x7fff"));
  }
  SECTION("CVE-2022-0317: no PCR at all") {
    q.selections.clear();
    CHECK_THAT(verify(q, {}).why(), Catch::Contains("names no PCR at all"));
    q.selections = {{0x000b, {0, 0, 0}}};
    CHECK_THAT(verify(q, {}).why(), Catch::Contains("names no PCR at all"));
  }
  SECTION("CVE-2024-29039: values relabelled as those of other PCRs") {
    pcrs = {{0x000b, {{0, value(1)}, {7, value(2)}, {9, value(3)}}}};
    const Outcome o = verify(q, pcrs);
    CHECK(o.only(Code::kSelectionMismatch));
    CHECK(o.findings.list().front().expected == "sha256:0,7,10");
    CHECK(o.findings.list().front().found == "sha256:0,7,9");
  }
  SECTION("values of another bank") {
    pcrs.front().first = 0x0012;  // SM3: as large as SHA-256
    CHECK(verify(q, pcrs).only(Code::kSelectionMismatch));
  }
  SECTION("a value less, a value more") {
    pcrs.front().second.erase(10);
    CHECK(verify(q, pcrs).only(Code::kSelectionMismatch));
    pcrs = values();
    pcrs.front().second[11] = value(4);
    CHECK(verify(q, pcrs).only(Code::kSelectionMismatch));
  }
  SECTION("a supplied bank twice") {
    pcrs.push_back(pcrs.front());
    CHECK(verify(q, pcrs).only(Code::kSelectionMismatch));
  }
  SECTION("a value of another size than its bank's") {
    pcrs.front().second[7] = value(2, 20);
    CHECK(verify(q, pcrs).only(Code::kPcrSize));
  }
  SECTION("another value, and two values exchanged") {
    pcrs.front().second[7] = value(9);
    CHECK(verify(q, pcrs).only(Code::kPcrDigestMismatch));
    pcrs = values();
    std::swap(pcrs.front().second[0], pcrs.front().second[7]);
    CHECK(verify(q, pcrs).only(Code::kPcrDigestMismatch));
  }
  SECTION("a qualified signer that is no Name") {
    for (const Octets& name :
         {Octets{0x0b}, Octets(34, 0x22), Writer().be<std::uint16_t>(0x000b).fill(31, 1).out,
          Writer().be<std::uint16_t>(0x000c).fill(48, 1).out}) {
      q.signer = name;
      CHECK(verify(q, pcrs).only(Code::kSignerInvalid));
    }
  }
}

TEST_CASE("the order in which banks were supplied does not matter, their values do", "[verify]") {
  const PcrValues banks = {{0x000b, {{0, value(1)}}}, {0x0004, {{0, value(2, 20)}}}};
  const PcrValues turned = {banks[1], banks[0]};
  CHECK(verify(quote_of(banks), turned).verified);
  CHECK(verify(quote_of(turned), turned).verified);
}

TEST_CASE("a signature counts only by the key's own scheme and hash", "[verify]") {
  const Octets attest = make_attest(quote_of(values()));
  const Octets pcrs = make_pcrs(values());
  Octets signature = signer().sign(attest);
  const Octets ak = signer().tpm2b_public();

  SECTION("another scheme than the key's") {
    signature[1] = 0x16;
    CHECK(verify(attest, signature, pcrs, ak).only(Code::kSignatureScheme));
  }
  SECTION("a scheme that libattest does not verify") {
    signature[1] = 0x1a;  // ECDAA
    CHECK(verify(attest, signature, pcrs, ak).only(Code::kSignatureScheme));
  }
  SECTION("an RSA signature under an EC key, and the reverse") {
    const Signer p256 = Signer::ec("P-256");
    CHECK(verify(attest, signature, pcrs, p256.tpm2b_public()).only(Code::kSignatureScheme));
    CHECK(verify(attest, p256.sign(attest), pcrs, ak).only(Code::kSignatureScheme));
  }
  SECTION("another hash than the key's") {
    signature[3] = 0x0c;
    CHECK(verify(attest, signature, pcrs, ak).only(Code::kSignatureHash));
  }
  SECTION("a hash that libattest does not verify, by a key that is bound to none") {
    signature[3] = 0x12;
    CHECK(verify(attest, signature, pcrs, signer().spki()).only(Code::kSignatureHash));
    signature[3] = 0xff;
    CHECK(verify(attest, signature, pcrs, signer().spki()).only(Code::kSignatureHash));
  }
  SECTION("SHA-1, unless it is allowed") {
    signer().hash = 0x0004;
    const QuoteFields fields = quote_of(values(), attest::crypto::Hash::kSha1);
    const Octets weak = make_attest(fields);
    const Octets by_sha1 = signer().sign(weak);
    signer().hash = 0x000b;
    CHECK(verify(weak, by_sha1, pcrs, signer().spki()).only(Code::kSignatureSha1));
    CHECK(verify(weak, by_sha1, pcrs, signer().spki(), kNonce, true).verified);
  }
  SECTION("another message") {
    Octets other = attest;
    other.back() ^= 1U;
    CHECK(verify(other, signature, pcrs, ak).only(Code::kSignatureInvalid));
  }
  SECTION("another key") {
    const Signer other = Signer::rsa();
    CHECK(verify(attest, signature, pcrs, other.tpm2b_public()).only(Code::kSignatureInvalid));
  }
}

TEST_CASE("PSS salts are of the digest's size or the largest that fits", "[verify]") {
  const Octets attest = make_attest(quote_of(values()));
  const Octets pcrs = make_pcrs(values());
  signer().scheme = 0x0016;
  const Octets ak = signer().tpm2b_public();
  const auto with_salt = [&](int salt) {
    signer().salt_length = salt;
    return verify(attest, signer().sign(attest), pcrs, ak);
  };
  CHECK(with_salt(RSA_PSS_SALTLEN_DIGEST).verified);
  CHECK(with_salt(RSA_PSS_SALTLEN_MAX).verified);
  CHECK(with_salt(0).only(Code::kSignatureInvalid));
  CHECK(with_salt(20).only(Code::kSignatureInvalid));
  signer().scheme = 0x0014;
}

TEST_CASE("ECDSA quotes verify on every curve, in both forms", "[verify]") {
  const std::pair<const char*, attest::crypto::Hash> curves[] = {
      {"P-256", attest::crypto::Hash::kSha256},
      {"P-384", attest::crypto::Hash::kSha384},
      {"P-521", attest::crypto::Hash::kSha512}};
  for (const auto& [curve, hash] : curves) {
    CAPTURE(curve);
    Signer ec = Signer::ec(curve);
    ec.hash = static_cast<std::uint16_t>(hash);
    const Octets attest = make_attest(quote_of(values(), hash));
    const Octets pcrs = make_pcrs(values());
    CHECK(verify(attest, ec.sign(attest), pcrs, ec.tpm2b_public()).verified);
    CHECK(verify(attest, ec.sign_raw(attest), pcrs, ec.tpm2b_public()).verified);
    CHECK(verify(attest, ec.sign(attest), pcrs, ec.spki()).verified);
    CHECK(verify(attest, ec.sign_raw(attest), pcrs, ec.spki()).verified);
  }
}

TEST_CASE("r and s larger than the curve are refused before OpenSSL sees them", "[verify]") {
  const Signer ec = Signer::ec("P-256");
  const Octets attest = make_attest(quote_of(values()));
  const Octets good = ec.sign(attest);
  const std::uint16_t r_size = static_cast<std::uint16_t>(good[4] << 8U | good[5]);
  // r with a zero in front is the same number, and is no TPM's.
  Writer w;
  w.bytes(attest::Bytes(good).first(4)).be(static_cast<std::uint16_t>(40));
  w.fill(40U - r_size, 0).bytes(attest::Bytes(good).subspan(6));
  CHECK(verify(attest, w.out, make_pcrs(values()), ec.spki()).only(Code::kSignatureInvalid));
}

TEST_CASE("an attestation key that is no restricted signing key of a TPM fails", "[verify]") {
  Signer& s = signer();
  const auto with = [&](std::uint32_t attributes) {
    s.attributes = attributes;
    const Octets ak = s.tpm2b_public();
    s.attributes = 0x00050072;
    return key_checks(ak);
  };
  CHECK(with(0x00050072).verified);
  for (const std::uint32_t bit : {0x2U, 0x10U, 0x20U, 0x10000U, 0x40000U}) {
    CAPTURE(bit);
    const Outcome o = with(0x00050072 & ~bit);
    CHECK_FALSE(o.verified);
    CHECK(o.findings.list().front().code == Code::kKeyAttributes);
  }
  CHECK_FALSE(with(0x00050072 | 0x20000).verified);

  SECTION("no scheme of its own") {
    s.scheme = 0x0010;
    const Octets ak = s.tpm2b_public();
    s.scheme = 0x0014;
    const Outcome o = key_checks(ak);
    REQUIRE(o.findings.any_failure());
    CHECK(o.findings.list().front().found == "no scheme");
  }
  SECTION("a Name of SHA-1") {
    s.name_alg = 0x0004;
    const Octets ak = s.tpm2b_public();
    s.name_alg = 0x000b;
    CHECK_FALSE(key_checks(ak).verified);
    CHECK(key_checks(ak, nullptr, true).verified);
  }
  SECTION("RSA-1024") {
    const Outcome o = key_checks(Signer::rsa(1024).spki());
    CHECK_FALSE(o.verified);
    CHECK(o.findings.list().front().code == Code::kKeyWeak);
  }
  SECTION("an EK signs nothing") {
    const Outcome o = key_checks(read_vector("tpm2/ek_rsa.tss"));
    CHECK_FALSE(o.verified);
    CHECK(o.findings.list().size() > 3);
  }
  SECTION("a real key of a TPM without restricted") {
    const Outcome o = key_checks(read_vector("tpm2/ak_unrestricted/ak.tss"));
    CHECK(o.findings.any_failure());
    CHECK(o.findings.list().front().expected == "restricted set");
  }
}

TEST_CASE("a pinned key is bound, another one fails", "[verify]") {
  const Octets ak = signer().tpm2b_public();
  const AttestationKey key = AttestationKey::load(ak);
  Policy policy;
  policy.ak.names = {Octets(34, 1), Octets(key.name().begin(), key.name().end())};
  policy.ak.binding_required = true;
  CHECK(key_checks(ak, &policy).findings.list().empty());
  policy.ak.names.pop_back();
  CHECK(key_checks(ak, &policy).only(Code::kKeyNotPinned));
  policy.ak.names.clear();
  CHECK(key_checks(ak, &policy).only(Code::kKeyNotBound));
}

TEST_CASE("bytes that can be no signature are malformed when the quote is parsed", "[verify]") {
  const Octets attest = make_attest(quote_of(values()));
  const Octets cut{0, 0x14, 0, 0x0b, 1};
  CHECK_THROWS_AS(QuoteEvidence::parse(attest, cut, make_pcrs(values())), attest::ParseError);
  // What may be a bare signature of some key is malformed when this key's can not be so long.
  const Octets bare = Writer().bytes(cut).fill(379, 1).out;
  CHECK_THROWS_AS(verify(attest, bare, make_pcrs(values()), signer().tpm2b_public()),
                  attest::ParseError);
}
