// SPDX-License-Identifier: Apache-2.0

// Quotes of TPMs 1.2: the checks of verify/quote.h, and what an appraisal makes of them.

#include <catch2/catch.hpp>

#include "libattest/verify/quote.h"
#include "tests/support/signer.h"
#include "tests/support/tpm12.h"

namespace {

using attest::policy::Claims;
using attest::policy::Code;
using attest::policy::Component;
using attest::policy::Finding;
using attest::policy::Findings;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Severity;
using attest::policy::Verdict;
using attest::tpm::AttestationKey;
using attest::verify::NodeState;
using attest::verify::QuoteEvidence;

const Octets kNonce(20, 0x5a);

// An identity key; a TPM 2.0's attestation key of the same numbers and scheme where it is asked.
struct Aik {
  Signer signer = Signer::rsa();
  Aik() { signer.hash = 0x0004; }

  MadeKey12 parts() const {
    MadeKey12 out;
    const Octets key_bits = AttestationKey::load(signer.spki()).key().key_bits();
    // PKCS#1 RSAPublicKey: SEQUENCE, INTEGER of 257 bytes, INTEGER 65537.
    out.modulus.assign(key_bits.begin() + 9, key_bits.begin() + 9 + 256);
    return out;
  }
};
const Aik& aik() {
  static const Aik one;
  return one;
}

Composite composite() { return {{{0, Octets(20, 1)}, {7, Octets(20, 2)}, {10, Octets(20, 3)}}}; }

struct Outcome {
  bool verified = false;
  Findings findings;
  Claims claims;

  const Finding* find(Code code) const {
    for (const Finding& f : findings.list()) {
      if (f.code == code) return &f;
    }
    return nullptr;
  }
  bool fails_only_with(Code code) const {
    return findings.list().size() == 1 && findings.list().front().code == code &&
           findings.list().front().severity == Severity::kFailure;
  }
};

Outcome verify(const Octets& quote, const Octets& signature, const Octets& pcrs, const Octets& ak,
               const Octets& nonce = kNonce, bool allow_sha1 = true) {
  Outcome out;
  const AttestationKey key = AttestationKey::load(ak);
  out.verified = attest::verify::verify_quote(QuoteEvidence::parse(quote, signature, pcrs), key,
                                              nonce, allow_sha1, out.findings, out.claims)
                     .has_value();
  return out;
}

Outcome verify(const Octets& quote, const Composite& pcrs = composite()) {
  return verify(quote, aik().signer.sign_raw(quote), pcrs.bytes(), aik().parts().key());
}

Outcome key_checks(const Octets& ak, const Policy& policy = {}) {
  Outcome out;
  attest::verify::verify_key(AttestationKey::load(ak), &policy, nullptr, true, out.findings,
                             out.claims);
  return out;
}

Policy pinning(const Octets& ak) {
  Policy policy;
  policy.allow_sha1 = true;
  policy.bank = attest::crypto::Hash::kSha1;
  policy.ak.keys = {AttestationKey::load(ak).spki_sha256()};
  return policy;
}

bool has(const Report& report, Code code, Severity severity) {
  for (const Finding& f : report.findings.list()) {
    if (f.code == code && f.severity == severity) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a TPM 1.2's quote that keeps every rule is verified, and said to be one", "[tpm12]") {
  for (const Octets& quote :
       {make_quote_info(composite(), kNonce), make_quote_info2(composite(), kNonce),
        make_quote_info2(composite(), kNonce, make_version_info(5), 0x1f)}) {
    const Outcome o = verify(quote);
    CHECK(o.verified);
    REQUIRE(o.findings.list().size() == 1);
    CHECK(o.findings.list()[0].code == Code::kQuoteTpm12);
    CHECK(o.findings.list()[0].severity == Severity::kWarning);
    CHECK(o.claims.quote_verified);
    CHECK(o.claims.scheme == "RSASSA with sha1");
    CHECK_FALSE(o.claims.clock.has_value());
    CHECK_FALSE(o.claims.reset_count.has_value());
    CHECK_FALSE(o.claims.restart_count.has_value());
    CHECK_FALSE(o.claims.clock_safe.has_value());
    CHECK_FALSE(o.claims.firmware_version.has_value());
  }
}

TEST_CASE("real quotes of a TPM 1.2 verify with its key in each form", "[tpm12]") {
  struct Files {
    const char* quote;
    const char* pcrs;
  };
  const Octets nonce = nonce_from("tpm12/nonce.hex");
  for (const char* key : {"aik.tpm_key", "aik.tpm_pubkey", "aik.pem"}) {
    for (const Files& files : {Files{"quote1", "quote1.pcrs"}, Files{"quote2", "quote2.pcrs"},
                               Files{"quote2", "quote2.text"}}) {
      CAPTURE(key, files.quote, files.pcrs);
      const std::string stem = std::string("tpm12/") + files.quote;
      const auto take = [&](const Octets& asked, bool allow_sha1) {
        return verify(read_vector(stem + ".info"), read_vector(stem + ".sig"),
                      read_vector(std::string("tpm12/") + files.pcrs),
                      read_vector(std::string("tpm12/") + key), asked, allow_sha1);
      };
      CHECK(take(nonce, true).verified);
      CHECK(take(nonce, false).fails_only_with(Code::kSignatureSha1));
      CHECK(take(kNonce, true).fails_only_with(Code::kNonceMismatch));
    }
  }
}

TEST_CASE("a nonce of another length is none of a TPM 1.2", "[tpm12]") {
  const Octets quote = make_quote_info2(composite(), kNonce);
  const Octets signature = aik().signer.sign_raw(quote);
  // One that a tool hashed first, a prefix of which it took, or whose tail was filled.
  const Octets asked(32, 0x17);
  const auto sha1 = attest::crypto::Hasher(attest::crypto::Hash::kSha1)(asked);
  const Octets hashed(sha1.bytes().begin(), sha1.bytes().end());
  const Octets of_digest = make_quote_info2(composite(), hashed);
  const Octets of_digest_signature = aik().signer.sign_raw(of_digest);
  const auto take = [&](const Octets& nonce) {
    return verify(quote, signature, composite().bytes(), aik().parts().key(), nonce);
  };
  Octets longer = kNonce;
  longer.push_back(0x5a);
  for (const Octets& nonce : {longer, Octets(19, 0x5a), Octets(16, 0x5a), Octets(32, 0x5a)}) {
    const Outcome o = take(nonce);
    CHECK(o.fails_only_with(Code::kNonceMismatch));
    CHECK(o.findings.list()[0].expected == "20 bytes");
  }
  CHECK(take(Octets(15, 0x5a)).fails_only_with(Code::kNonceShort));
  CHECK(take({}).fails_only_with(Code::kNonceMissing));
  const auto take_digest = [&](const Octets& nonce) {
    return verify(of_digest, of_digest_signature, composite().bytes(), aik().parts().key(), nonce);
  };
  CHECK(take_digest(asked).fails_only_with(Code::kNonceMismatch));
  CHECK(take_digest(hashed).verified);
}

TEST_CASE("a TPM 1.2's quote that another key signed is refused", "[tpm12]") {
  const Octets quote = make_quote_info2(composite(), kNonce);
  Signer other = Signer::rsa();
  other.hash = 0x0004;
  const auto take = [&](const Octets& signature) {
    return verify(quote, signature, composite().bytes(), aik().parts().key());
  };
  CHECK(take(other.sign_raw(quote)).fails_only_with(Code::kSignatureInvalid));
  // SHA-256 in the place of SHA-1, a TPMT_SIGNATURE, and signatures of other sizes.
  Signer& signer = const_cast<Signer&>(aik().signer);
  signer.hash = 0x000b;
  const Octets sha256 = signer.sign_raw(quote);
  signer.hash = 0x0004;
  CHECK(take(sha256).fails_only_with(Code::kSignatureInvalid));
  CHECK(take(aik().signer.sign(quote)).fails_only_with(Code::kSignatureInvalid));
  CHECK(take(Octets(256, 0)).fails_only_with(Code::kSignatureInvalid));
  CHECK(take(Octets(1, 0)).fails_only_with(Code::kSignatureInvalid));
  CHECK(take(Octets(1024, 0)).fails_only_with(Code::kSignatureInvalid));
  CHECK_THROWS_AS(take({}), attest::ParseError);
  CHECK_THROWS_AS(take(Octets(1025, 0)), attest::ParseError);
}

TEST_CASE("no key of a TPM 2.0 quotes as a TPM 1.2, nor the other way", "[tpm12]") {
  // TPM2_Sign with a restricted key whose scheme is RSASSA with SHA-1 would sign this.
  const Octets quote = make_quote_info2(composite(), kNonce);
  const Outcome o =
      verify(quote, aik().signer.sign_raw(quote), composite().bytes(), aik().signer.tpm2b_public());
  CHECK_FALSE(o.verified);
  CHECK(o.fails_only_with(Code::kQuoteFamily));

  const PcrValues values{{0x0004, {{0, Octets(20, 1)}}}};
  QuoteFields fields = quote_of(values, attest::crypto::Hash::kSha1);
  fields.nonce = kNonce;
  const Octets attest = make_attest(fields);
  for (const Octets& key : {aik().parts().key(), aik().parts().pubkey()}) {
    CHECK(verify(attest, aik().signer.sign(attest), make_pcrs(values), key)
              .fails_only_with(Code::kQuoteFamily));
  }
  CHECK(verify(attest, aik().signer.sign(attest), make_pcrs(values), aik().signer.tpm2b_public())
            .verified);

  const Signer ec = Signer::ec("P-256");
  CHECK(verify(quote, ec.sign_raw(quote), composite().bytes(), ec.spki())
            .fails_only_with(Code::kSignatureScheme));
}

TEST_CASE("a TPM 1.2's values are those of the PCRs that were quoted", "[tpm12]") {
  const Octets quote = make_quote_info2(composite(), kNonce);
  Composite other = composite();
  SECTION("another value") {
    other.pcrs[7][19] ^= 1U;
    CHECK(verify(quote, other).fails_only_with(Code::kPcrDigestMismatch));
  }
  SECTION("another PCR") {
    other.pcrs[8] = other.pcrs[7];
    other.pcrs.erase(7);
    CHECK(verify(quote, other).fails_only_with(Code::kSelectionMismatch));
  }
  SECTION("one PCR more") {
    other.pcrs[11] = Octets(20, 0);
    CHECK(verify(quote, other).fails_only_with(Code::kSelectionMismatch));
  }
  SECTION("one PCR less") {
    other.pcrs.erase(7);
    CHECK(verify(quote, other).fails_only_with(Code::kSelectionMismatch));
  }
  SECTION("the same values under the numbers of others, where nothing signs the numbers") {
    other.pcrs[9] = other.pcrs[10];
    other.pcrs.erase(10);
    const Octets old = make_quote_info(composite(), kNonce);
    CHECK(verify(old).verified);
    CHECK(verify(old, other).fails_only_with(Code::kPcrDigestMismatch));
  }
  SECTION("the same PCRs in a bit map of another length") {
    other.size_of_select = 2;
    const Octets old = make_quote_info(composite(), kNonce);
    CHECK(verify(old, other).fails_only_with(Code::kPcrDigestMismatch));
    // The signed bit map is what its digest is made with.
    CHECK(verify(quote, other).verified);
  }
}

TEST_CASE("a TPM 1.2's quote of no PCR is refused", "[tpm12]") {
  for (const std::uint16_t size : std::initializer_list<std::uint16_t>{0, 1, 3}) {
    Composite none;
    none.size_of_select = size;
    for (const Octets& quote : {make_quote_info(none, kNonce), make_quote_info2(none, kNonce)}) {
      CHECK(verify(quote, none).fails_only_with(Code::kSelectionInvalid));
    }
  }
}

TEST_CASE("what is no quote is refused, whatever signed it", "[tpm12]") {
  Octets certify = Writer().raw({1, 1, 0, 0, 0, 0x10, 0, 0, 0, 0}).fill(80, 0x33).out;
  CHECK(verify(certify).fails_only_with(Code::kQuoteMagic));
}

TEST_CASE("an identity key is told by its structure", "[tpm12]") {
  const auto one = [](const Octets& ak, Code code, Severity severity) {
    const Outcome o = key_checks(ak);
    const Finding* f = o.find(code);
    return f != nullptr && f->severity == severity;
  };
  CHECK(key_checks(aik().parts().key()).find(Code::kKeyAttributes) == nullptr);
  CHECK(key_checks(aik().parts().key()).find(Code::kKeyAttributesUnknown) == nullptr);
  CHECK(key_checks(read_vector("tpm12/aik.tpm_key")).find(Code::kKeyAttributes) == nullptr);
  CHECK(one(aik().parts().pubkey(), Code::kKeyAttributesUnknown, Severity::kWarning));
  for (const std::uint32_t flags : {1U, 2U, 0x10U, 0x20U, 0x80000000U, 0x13U}) {
    MadeKey12 key = aik().parts();
    key.flags = flags;
    CHECK(one(key.key(), Code::kKeyAttributes, Severity::kFailure));
  }
  for (const std::uint32_t flags : {4U, 8U, 0xcU}) {
    MadeKey12 key = aik().parts();
    key.flags = flags;
    CHECK(key_checks(key.key()).find(Code::kKeyAttributes) == nullptr);
  }
  for (const std::uint16_t usage :
       std::initializer_list<std::uint16_t>{0x10, 0x11, 0x13, 0x14, 0x15, 0x16, 0}) {
    MadeKey12 key = aik().parts();
    key.usage = usage;
    CHECK(one(key.key(), Code::kKeyAttributes, Severity::kFailure));
  }
  for (const std::uint16_t scheme : std::initializer_list<std::uint16_t>{0, 1, 3, 4}) {
    MadeKey12 key = aik().parts();
    key.sig_scheme = scheme;
    CHECK(one(key.key(), Code::kKeyAttributes, Severity::kFailure));
    CHECK(one(key.pubkey(), Code::kKeyAttributes, Severity::kFailure));
  }
  MadeKey12 key = aik().parts();
  key.enc_scheme = 2;
  CHECK(one(key.key(), Code::kKeyAttributes, Severity::kFailure));
  key = aik().parts();
  key.exponent = {3};
  CHECK(one(key.key(), Code::kKeyWeak, Severity::kFailure));

  Policy policy;
  policy.ak.attributes_required = true;
  CHECK_FALSE(key_checks(aik().parts().key(), policy).findings.any_failure());
  CHECK(key_checks(aik().parts().pubkey(), policy).findings.any_failure());
  CHECK(key_checks(aik().signer.spki(), policy).findings.any_failure());
}

TEST_CASE("a policy pins a key without a Name by its digest", "[tpm12]") {
  const Octets ak = aik().parts().key();
  Policy policy = pinning(ak);
  policy.ak.binding_required = true;
  CHECK_FALSE(key_checks(ak, policy).findings.any_failure());
  CHECK(key_checks(ak, policy).find(Code::kKeyNotBound) == nullptr);
  CHECK_FALSE(key_checks(aik().signer.spki(), policy).findings.any_failure());
  const Octets other = read_vector("tpm12/aik.tpm_key");
  const Outcome o = key_checks(other, policy);
  REQUIRE(o.find(Code::kKeyNotPinned) != nullptr);
  CHECK(o.find(Code::kKeyNotPinned)->severity == Severity::kFailure);
  CHECK_THAT(o.find(Code::kKeyNotPinned)->found, Catch::Contains("of SHA-256 "));
  // Beside Names, one of which no key without a Name has.
  policy.ak.names = {Octets(34, 1)};
  CHECK_FALSE(key_checks(ak, policy).findings.any_failure());
  policy.ak.keys.clear();
  CHECK(key_checks(ak, policy).find(Code::kKeyNotPinned) != nullptr);
}

TEST_CASE("a TPM 1.2's boot is trusted by what was learned from it, and by nothing less",
          "[tpm12]") {
  for (const char* quote : {"quote1", "quote2"}) {
    CAPTURE(quote);
    Parts p = boot12(quote);
    // Nothing is learned from SHA-1 unasked.
    attest::verify::Evidence evidence = p.evidence();
    attest::verify::Options options = p.options();
    CHECK_FALSE(attest::verify::learn_policy(evidence, options).policy.has_value());
    options.allow_sha1 = true;
    attest::verify::Learned learned = attest::verify::learn_policy(evidence, options);
    REQUIRE(learned.policy.has_value());
    CHECK(has(learned.report, Code::kPolicySha1, Severity::kWarning));
    Policy policy = std::move(*learned.policy);
    CHECK(policy.allow_sha1);
    CHECK(policy.bank == attest::crypto::Hash::kSha1);
    CHECK(policy.ak.keys.size() == 1);
    CHECK(policy.ak.names.empty());
    const Report good = p.appraise(&policy);
    CHECK(good.verdict == Verdict::kTrusted);
    CHECK(good.claims.ima_entries.value_or(0) > 20);
    CHECK(good.claims.num_events == 13U);
    // The policy survives its own text.
    const Policy again = attest::policy::parse_policy(attest::policy::to_json(policy));
    CHECK(p.appraise(&again).verdict == Verdict::kTrusted);

    Policy refusing = policy;
    refusing.allow_sha1 = false;
    CHECK(has(p.appraise(&refusing), Code::kSignatureSha1, Severity::kFailure));
    Policy other_bank = policy;
    other_bank.bank = attest::crypto::Hash::kSha256;
    CHECK(has(p.appraise(&other_bank), Code::kBankMissing, Severity::kFailure));
    Policy clocked = policy;
    clocked.clock.require_safe = true;
    CHECK(has(p.appraise(&clocked), Code::kClockUnsafe, Severity::kFailure));
    Policy pinned = policy;
    pinned.ak.keys[0] = attest::crypto::Digest(Octets(32, 1));
    CHECK(has(p.appraise(&pinned), Code::kKeyNotPinned, Severity::kFailure));
    CHECK(p.appraise(nullptr).verdict == Verdict::kUntrusted);  // SHA-1, and nobody allowed it

    Parts cut = p;
    cut.eventlog.resize(cut.eventlog.size() - 1);
    CHECK_THROWS_AS(cut.appraise(&policy), attest::ParseError);
    Parts changed = p;
    changed.ima[100] ^= 1U;
    CHECK(changed.appraise(&policy).verdict == Verdict::kUntrusted);
  }
}

TEST_CASE("of a TPM 1.2 a node's state remembers the key, and neither clock nor list", "[tpm12]") {
  const Parts p = boot12();
  attest::verify::Evidence evidence = p.evidence();
  attest::verify::Options options = p.options();
  options.allow_sha1 = true;
  const Policy policy = attest::verify::learn_policy(evidence, options).policy.value();
  NodeState node;
  REQUIRE(p.appraise(&policy, &node).verdict == Verdict::kTrusted);
  REQUIRE(node.seen.has_value());
  CHECK_FALSE(node.seen->has_clock);
  CHECK_FALSE(node.ima.has_value());
  const std::string text = attest::verify::to_json(node);
  CHECK_THAT(text, !Catch::Contains("clock") && !Catch::Contains("reset_count"));
  NodeState read = attest::verify::parse_node(text);
  CHECK(read.seen == node.seen);
  const auto changed = [&](const std::string& more) {
    const std::string front = text.substr(0, text.rfind(",\"sha256\"")) + more;
    const auto digest =
        attest::crypto::Hasher(attest::crypto::Hash::kSha256)(attest::as_bytes(front));
    return front + ",\"sha256\":\"" + attest::to_hex(digest.bytes()) + "\"}";
  };
  CHECK(attest::verify::parse_node(changed("")).seen == node.seen);
  for (const char* half : {",\"clock\":1", ",\"reset_count\":1", ",\"firmware_version\":1",
                           ",\"clock\":1,\"reset_count\":1,\"restart_count\":1", ",\"ima\":{}"}) {
    CHECK_THROWS_AS(attest::verify::parse_node(changed(half)), attest::ParseError);
  }
  // The same quote again: without a clock it is the nonce alone that would tell.
  CHECK(p.appraise(&policy, &read).verdict == Verdict::kTrusted);

  SECTION("another key is another node") {
    read.seen->key = attest::crypto::Digest(Octets(32, 1));
    CHECK(has(p.appraise(&policy, &read), Code::kNodeKeyChanged, Severity::kFailure));
  }
  SECTION("a clock that is gone is a failure") {
    read.seen->has_clock = true;
    CHECK(has(p.appraise(&policy, &read), Code::kNodeClock, Severity::kFailure));
  }
  SECTION("a list that does not begin at 0 is not judged") {
    attest::verify::Evidence part = p.evidence();
    part.ima->first_entry = 5;
    const Report report = attest::verify::appraise(part, &policy, &read, p.options());
    CHECK(has(report, Code::kImaPosition, Severity::kFailure));
  }
}
