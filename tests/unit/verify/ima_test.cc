// SPDX-License-Identifier: Apache-2.0

// The rules for an IMA list, one broken at a time, on lists that are quoted rightly.

#include "libattest/verify/ima.h"

#include <catch2/catch.hpp>

#include "tests/support/evidence.h"
#include "tests/support/ima_builder.h"
#include "tests/support/signer.h"

namespace {

using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::policy::Code;
using attest::policy::Finding;
using attest::policy::ImaDigest;
using attest::policy::ImaSignatures;
using attest::policy::PcrState;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::RuntimePolicy;
using attest::policy::Severity;
using attest::policy::Verdict;
using ima_test::Record;

const Octets kNonce(20, 0x5a);

Signer& ak() {
  static Signer key = Signer::rsa();
  return key;
}
Signer& file_key() {
  static Signer key = Signer::rsa();
  return key;
}

Octets octets(attest::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Octets sha256(const Octets& data) { return octets(Hasher(Hash::kSha256)(data).bytes()); }

// boot_aggregate over ten boot PCRs, each of 32 times 7, or over eight.
Record aggregate(std::size_t num_pcrs = 10) {
  return ima_test::ng("boot_aggregate", sha256(Octets(num_pcrs * 32, 7)));
}

// What the kernel extends into a bank for each record.
enum class Kernel { kNative, kPadded, kPaddedOld };

Octets replay(const std::vector<Record>& list, Hash bank, Kernel kernel = Kernel::kNative) {
  Hasher hasher(bank);
  Digest pcr = Digest::filled(hasher.size(), 0);
  for (const Record& r : list) {
    Octets extend = octets(hasher(r.data()).bytes());
    if (kernel != Kernel::kNative) extend = octets(Hasher(Hash::kSha1)(r.data()).bytes());
    if (r.violation) extend.assign(kernel == Kernel::kPaddedOld ? 20 : hasher.size(), 0xff);
    extend.resize(hasher.size(), 0);
    pcr = hasher({pcr.bytes(), extend});
  }
  return octets(pcr.bytes());
}

// A node whose quote covers the first `covered` records of its list.
struct Node {
  std::vector<Record> list{aggregate(), ima_test::ng("/usr/bin/a"), ima_test::ng("/usr/bin/b")};
  std::size_t covered = SIZE_MAX;
  Kernel kernel = Kernel::kNative;
  std::vector<Hash> banks{Hash::kSha256};
  std::uint32_t num_boot_pcrs = 10;
  std::uint32_t ima_pcr = 10;  // that the kernel extends
  bool as_stream = false;

  Policy policy = default_policy();

  static Policy default_policy() {
    Policy p;
    p.ima.emplace();
    return p;
  }

  // Compiles rules: file and digest pairs, in the allowlist's own format.
  void allow(const std::string& allowlist, const std::string& excludes = "") {
    policy.ima->rules = std::make_shared<const RuntimePolicy>(
        attest::policy::parse_allowlist(allowlist, {}, excludes, {}));
  }
  void allow_all() {
    std::string text;
    for (const Record& r : list) {
      if (r.violation || r.fields.size() < 2 || r.fields[1].text == "boot_aggregate") continue;
      text +=
          r.fields[0].text.substr(r.fields[0].text.rfind(':') + 1) + " " + r.fields[1].text + "\n";
    }
    allow(text.empty() ? std::string(64, '1') + " /none\n" : text);
  }

  attest::verify::Evidence evidence() const {
    PcrValues values;
    const std::vector<Record> quoted(
        list.begin(), list.begin() + static_cast<std::ptrdiff_t>(std::min(covered, list.size())));
    for (const Hash bank : banks) {
      auto& pcrs =
          values.emplace_back(static_cast<std::uint16_t>(bank), std::map<std::uint32_t, Octets>{})
              .second;
      for (std::uint32_t pcr = 0; pcr < num_boot_pcrs; ++pcr) {
        pcrs[pcr] = Octets(attest::crypto::hash_size(bank), 7);
      }
      pcrs[ima_pcr] = replay(quoted, bank, kernel);
    }
    const Octets attest = make_attest(quote_of(values));
    attest::verify::Evidence e;
    e.key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(ak().tpm2b_public()));
    e.quote = attest::verify::QuoteEvidence::parse(attest, ak().sign(attest), make_pcrs(values));
    Octets bytes;
    for (const Record& r : list) {
      const Octets record = r.binary();
      bytes.insert(bytes.end(), record.begin(), record.end());
    }
    e.ima.emplace();
    if (as_stream) {
      e.ima->read = [bytes, at = std::size_t{0}](std::span<std::uint8_t> out) mutable {
        const std::size_t size = std::min<std::size_t>({7, out.size(), bytes.size() - at});
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, out.begin());
        at += size;
        return size;
      };
    } else {
      e.ima->bytes = bytes;
    }
    return e;
  }
  Report appraise(bool with_policy = true) const {
    return attest::verify::appraise(evidence(), with_policy ? &policy : nullptr, nullptr,
                                    {kNonce, 0});
  }
};

const Finding* find(const Report& report, Code code) {
  for (const Finding& f : report.findings.list()) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

// security.ima, version 2, over the record's digest.
Octets signature_over(const Octets& digest, const Signer& key = file_key(), std::uint8_t type = 3) {
  const auto spki = attest::crypto::PublicKey::from_spki(key.spki());
  const Digest id = Hasher(Hash::kSha1)(spki.key_bits());
  const Octets raw = key.sign_digest(digest);
  return Writer()
      .raw({type, 2, 4})
      .bytes(id.bytes().last(4))
      .be(static_cast<std::uint16_t>(raw.size()))
      .bytes(raw)
      .out;
}

RuntimePolicy with_key(const Signer& key, const std::string& allowlist,
                       const std::string& excludes = "") {
  RuntimePolicy rules = attest::policy::parse_allowlist(allowlist, {}, excludes, {});
  auto pub = attest::crypto::PublicKey::from_spki(key.spki());
  const Digest id = Hasher(Hash::kSha1)(pub.key_bits());
  std::uint32_t number = 0;
  for (const std::uint8_t b : id.bytes().last(4)) number = number << 8U | b;
  rules.verification_keys.emplace_back(std::move(pub), number);
  return rules;
}

const std::string kNone = std::string(64, '1') + " /none\n";

}  // namespace

TEST_CASE("a list whose files are all listed is appraised", "[ima]") {
  Node node;
  node.allow_all();
  for (const bool stream : {false, true}) {
    node.as_stream = stream;
    const Report report = node.appraise();
    INFO(attest::policy::to_json(report));
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(report.claims.ima_entries == 3U);
    CHECK(report.claims.ima_unverified == 0U);
    CHECK(report.claims.pcrs.back().state == PcrState::kAppraised);
  }
}

TEST_CASE("a file with another digest than the listed ones names both", "[ima]") {
  Node node;
  node.allow_all();
  node.list.push_back(ima_test::ng("/usr/bin/a", ima_test::some_digest(32, 0x77)));
  const Report report = node.appraise();
  REQUIRE(find(report, Code::kImaDigest) != nullptr);
  CHECK(find(report, Code::kImaDigest)->index == 3U);
  CHECK(find(report, Code::kImaDigest)->expected == attest::to_hex(ima_test::some_digest(32)));
  CHECK(report.verdict == Verdict::kUntrusted);
}

TEST_CASE("the list must begin with boot_aggregate", "[ima]") {
  Node node;
  node.allow_all();
  node.list.erase(node.list.begin());
  CHECK(fails_with(node.appraise(), Code::kImaFirstEntry));
  node.list.insert(node.list.begin(), ima_test::violation("boot_aggregate"));
  CHECK(fails_with(node.appraise(), Code::kImaFirstEntry));
}

TEST_CASE("boot_aggregate is the quoted boot PCRs', every time it comes", "[ima]") {
  Node node;
  node.allow_all();
  SECTION("another value") {
    node.list[0] = ima_test::ng("boot_aggregate");
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
    // Listing it does not help where the quote says better.
    node.allow(attest::to_hex(ima_test::some_digest(32)) + " boot_aggregate\n");
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
  }
  SECTION("a second one, after kexec") {
    node.list.push_back(aggregate());
    CHECK(node.appraise().verdict == Verdict::kTrusted);
    node.list.back() = ima_test::ng("boot_aggregate");
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
  }
  SECTION("of PCR 0 to 7 only where the policy says so") {
    node.list[0] = aggregate(8);
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
    node.policy.ima->boot_aggregate_0_7 = true;
    CHECK(node.appraise().verdict == Verdict::kTrusted);
  }
  SECTION("not quoted: the policy must list it") {
    node.num_boot_pcrs = 8;
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
    std::string text = attest::to_hex(sha256(Octets(320, 7))) + " boot_aggregate\n";
    for (const char* path : {"/usr/bin/a", "/usr/bin/b"}) {
      text += attest::to_hex(ima_test::some_digest(32)) + " " + path + "\n";
    }
    node.allow(text);
    CHECK(node.appraise().verdict == Verdict::kTrusted);
  }
  SECTION("zero: only a policy that lists zero accepts it") {
    node.list[0] = ima_test::ng("boot_aggregate", Octets(32, 0));
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
    std::string text = std::string(64, '0') + " boot_aggregate\n";
    for (const char* path : {"/usr/bin/a", "/usr/bin/b"}) {
      text += attest::to_hex(ima_test::some_digest(32)) + " " + path + "\n";
    }
    node.allow(text);
    CHECK(node.appraise().verdict == Verdict::kTrusted);
    // And accepts nothing else by that line.
    node.num_boot_pcrs = 8;
    node.list[0] = ima_test::ng("boot_aggregate");
    CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
  }
}

TEST_CASE("a violation is judged by nothing but its rule", "[ima]") {
  Node node;
  node.allow_all();
  // Excluded and listed: neither is asked.
  node.allow(attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/a\n" +
                 attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/b\n" +
                 std::string(64, '0') + " /var/log/x\n",
             "/var/.*\n");
  node.list.push_back(ima_test::violation("/var/log/x"));
  CHECK(fails_with(node.appraise(), Code::kImaViolation));
  node.policy.ima->violations_fail = false;
  const Report report = node.appraise();
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(find(report, Code::kImaViolation)->severity == Severity::kWarning);
  CHECK(report.claims.ima_violations == 1U);
}

TEST_CASE("excluded files pass, and nothing but files is excluded", "[ima]") {
  Node node;
  node.allow(kNone, "/usr/bin/\n");
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.allow(kNone, "/usr/bin/a\n");
  CHECK(fails_with(node.appraise(), Code::kImaNotListed));

  node.allow(kNone, "/usr/bin/\n(boot|kernel|[.]ima)\n");
  node.list.push_back(ima_test::buffer("kernel_version", {'6', '.', '1'}));
  CHECK(fails_with(node.appraise(), Code::kImaBuffer));
  node.list.back() = ima_test::buffer(".ima", {1, 2, 3});
  CHECK(fails_with(node.appraise(), Code::kImaKeyring));
  node.list.pop_back();
  node.list[0] = ima_test::ng("boot_aggregate");
  CHECK(fails_with(node.appraise(), Code::kImaBootAggregate));
}

TEST_CASE("a buffer must hash to its digest and be listed", "[ima]") {
  Node node;
  node.list.push_back(ima_test::buffer("kernel_version", {'6', '.', '1'}));
  node.allow_all();
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.list.back().fields[2] = ima_test::hex({'6', '.', '2'});
  CHECK(fails_with(node.appraise(), Code::kImaBuffer));
}

TEST_CASE("a key that the policy lists may verify later files, and no earlier ones", "[ima]") {
  Node node;
  const Octets file = ima_test::some_digest(32, 0x33);
  const Octets spki = file_key().spki();
  node.list.push_back(ima_test::buffer(".ima", spki));
  node.list.push_back(ima_test::sig("/usr/bin/signed", file, signature_over(file)));
  RuntimePolicy rules = attest::policy::parse_allowlist(
      attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/a\n" +
          attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/b\n",
      {}, {}, {});
  rules.keyrings[".ima"] = {{"sha256", Hasher(Hash::kSha256)(spki)}};
  node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
  {
    const Report report = node.appraise();
    INFO(attest::policy::to_json(report));
    CHECK(report.verdict == Verdict::kTrusted);
  }
  SECTION("before it was loaded") {
    std::swap(node.list[3], node.list[4]);
    CHECK(fails_with(node.appraise(), Code::kImaNotListed));
  }
  SECTION("a key that is not listed") {
    rules.keyrings[".ima"].front().value = Digest::filled(32, 1);
    node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
    CHECK(fails_with(node.appraise(), Code::kImaKeyring));
  }
  SECTION("an ignored keyring teaches nothing") {
    rules.ignored_keyrings = {"*"};
    node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
    const Report report = node.appraise();
    CHECK_FALSE(fails_with(report, Code::kImaKeyring));
    CHECK(fails_with(report, Code::kImaNotListed));
  }
  SECTION("what is listed and is no key is said") {
    const Octets junk{1, 2, 3};
    node.list[3] = ima_test::buffer(".ima", junk);
    rules.keyrings[".ima"] = {{"sha256", Hasher(Hash::kSha256)(junk)}};
    node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
    const Report report = node.appraise();
    REQUIRE(find(report, Code::kImaKeyring) != nullptr);
    CHECK(find(report, Code::kImaKeyring)->severity == Severity::kWarning);
  }
}

TEST_CASE("signatures count as the policy says", "[ima]") {
  const Octets file = ima_test::some_digest(32, 0x33);
  const std::string listed = attest::to_hex(file) + " /usr/bin/s\n";
  const Signer other = Signer::rsa();
  const auto judge = [&](const Octets& signature, const std::string& allowlist, ImaSignatures mode,
                         const std::string& excludes = "") {
    Node node;
    node.list = {aggregate(), ima_test::sig("/usr/bin/s", file, signature)};
    node.policy.ima->signatures = mode;
    node.policy.ima->rules =
        std::make_shared<const RuntimePolicy>(with_key(file_key(), allowlist, excludes));
    return node.appraise();
  };
  const Octets good = signature_over(file);
  const Octets unknown = signature_over(file, other);
  Octets bad = good;
  bad.back() ^= 1U;
  using enum ImaSignatures;

  CHECK(judge(good, kNone, kOptional).verdict == Verdict::kTrusted);
  CHECK(judge({}, listed, kOptional).verdict == Verdict::kTrusted);
  CHECK(judge(unknown, listed, kOptional).verdict == Verdict::kTrusted);
  CHECK(fails_with(judge(unknown, kNone, kOptional), Code::kImaNotListed));

  // A bad signature by a known key fails whatever else would let the file pass.
  for (const ImaSignatures mode : {kOptional, kRequired, kBoth}) {
    CHECK(fails_with(judge(bad, listed, mode), Code::kImaSignature));
    CHECK(fails_with(judge(bad, listed, mode, "/usr/\n"), Code::kImaSignature));
    CHECK(fails_with(judge({3, 2, 4, 0, 0}, listed, mode), Code::kImaSignature));
  }

  CHECK(judge(good, kNone, kRequired).verdict == Verdict::kTrusted);
  CHECK(fails_with(judge({}, listed, kRequired), Code::kImaUnsigned));
  CHECK(fails_with(judge(unknown, listed, kRequired), Code::kImaUnsigned));
  CHECK(judge({}, kNone, kRequired, "/usr/\n").verdict == Verdict::kTrusted);

  CHECK(judge(good, listed, kBoth).verdict == Verdict::kTrusted);
  CHECK(judge({}, listed, kBoth).verdict == Verdict::kTrusted);
  CHECK(fails_with(judge(good, kNone, kBoth), Code::kImaNotListed));
  CHECK(fails_with(judge(unknown, listed, kBoth), Code::kImaUnsigned));
}

TEST_CASE("a signature over a SHA-1 digest needs the policy's word", "[ima]") {
  const Octets file = ima_test::some_digest(20, 0x33);
  Signer& key = file_key();
  key.hash = 0x0004;
  Octets signature = signature_over(file);
  key.hash = 0x000b;
  signature[2] = 2;  // enum hash_algo: sha1
  Node node;
  node.list = {aggregate(), ima_test::sig("/usr/bin/s", file, signature, "sha1")};
  node.policy.ima->rules = std::make_shared<const RuntimePolicy>(with_key(file_key(), kNone));
  CHECK(fails_with(node.appraise(), Code::kImaNotListed));
  node.policy.allow_sha1 = true;
  CHECK(node.appraise().verdict == Verdict::kTrusted);
}

TEST_CASE("a runtime policy for another list is not for this one", "[ima]") {
  Node node;
  node.allow_all();
  RuntimePolicy rules = *node.policy.ima->rules;
  rules.log_hash = Hash::kSha1;
  node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  rules.log_hash = Hash::kSha256;
  node.policy.ima->rules = std::make_shared<const RuntimePolicy>(rules);
  CHECK(fails_with(node.appraise(), Code::kImaListBank));
}

TEST_CASE("an fs-verity digest is listed only where the policy says so", "[ima]") {
  Node node;
  node.list.push_back(
      {10,
       "ima-ngv2",
       {ima_test::digest("verity:sha256", ima_test::some_digest(32)), ima_test::name("/usr/bin/v")},
       false});
  node.allow_all();
  CHECK(fails_with(node.appraise(), Code::kImaNotListed));
  node.policy.ima->verity = true;
  CHECK(node.appraise().verdict == Verdict::kTrusted);
}

TEST_CASE("what is wrong with the list itself fails without any rule", "[ima]") {
  Node node;
  node.allow_all();
  SECTION("a template that is not known") {
    node.list[2].template_name = "ima-xy";
    CHECK(fails_with(node.appraise(), Code::kImaTemplate));
  }
  SECTION("another PCR") {
    node.list[2].pcr = 11;
    const Report report = node.appraise();
    CHECK(report.verdict == Verdict::kUntrusted);
  }
}

TEST_CASE("a name that no policy can list is said where nothing is learned for it", "[ima]") {
  Node node;
  node.list.push_back(ima_test::ng("/\xff"));
  attest::verify::Evidence e = node.evidence();
  const auto learned = attest::verify::learn_policy(e, {kNonce, 0});
  CHECK_FALSE(learned.policy.has_value());
  REQUIRE(find(learned.report, Code::kPolicyPath) != nullptr);
  CHECK(find(learned.report, Code::kPolicyPath)->index == 3U);
}

TEST_CASE("the list is of PCR 10 unless the policy names another", "[ima]") {
  Node node;
  node.allow_all();
  for (Record& r : node.list) r.pcr = 12;
  node.ima_pcr = 12;
  CHECK(fails_with(node.appraise(), Code::kPcrMissing));
  node.policy.ima->pcr = 12;
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.list[1].pcr = 10;
  CHECK(fails_with(node.appraise(), Code::kImaPcr));
}

// Nothing covers a template's name, and root decides what is in an extended attribute.
TEST_CASE("no other template name lets a field stand for the digest", "[ima]") {
  const Octets listed = ima_test::some_digest(32, 0x33);
  Node node;
  node.list = {aggregate(), ima_test::ng("/usr/bin/a", listed)};
  node.allow_all();
  REQUIRE(node.appraise().verdict == Verdict::kTrusted);
  node.list[1] = ima_test::evm_sig("/usr/bin/a");
  SECTION("an extended attribute's") {
    node.list[1].fields[5] = ima_test::digest("sha256", listed);
    node.list[1].fields[4] = ima_test::hex(
        Writer().le(static_cast<std::uint32_t>(node.list[1].fields[5].bytes.size())).out);
    node.list[1].fields[3] = ima_test::name("security.selinux");
    REQUIRE(fails_with(node.appraise(), Code::kImaDigest));
    node.list[1].template_name =
        "d-modsig|n-ng|evmsig|xattrnames|xattrlengths|d-ng|iuid|igid|imode";
  }
  SECTION("that of the file without its appended signature") {
    node.list[1].fields = {ima_test::digest("sha256", ima_test::some_digest(32)),
                           ima_test::name("/usr/bin/a"), ima_test::nothing(),
                           ima_test::digest("sha256", listed), ima_test::hex({1})};
    node.list[1].template_name = "ima-modsig";
    REQUIRE(fails_with(node.appraise(), Code::kImaDigest));
    node.list[1].template_name = "d-modsig|n-ng|sig|d-ng|modsig";
  }
  CHECK(fails_with(node.appraise(), Code::kImaTemplate));
}

TEST_CASE("no other template name lets a buffer pass for a file", "[ima]") {
  Node node;
  node.list.push_back(ima_test::buffer(".ima", {1, 2, 3}));
  node.allow(attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/a\n" +
                 attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/b\n",
             "[.]ima\n");
  REQUIRE(fails_with(node.appraise(), Code::kImaKeyring));
  node.list.back().template_name = "d-ng|n-ng|evmsig";
  CHECK(fails_with(node.appraise(), Code::kImaTemplate));
  node.list.back().template_name = "ima-sig";
  CHECK(fails_with(node.appraise(), Code::kImaSignature));
}

TEST_CASE("a tail is counted and not judged, up to what the policy tolerates", "[ima]") {
  Node node;
  node.allow_all();
  node.list.push_back(ima_test::ng("/opt/evil"));
  node.covered = 3;
  const Report report = node.appraise();
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(report.claims.ima_unverified == 1U);
  CHECK(find(report, Code::kImaTail)->severity == Severity::kInfo);
  node.policy.ima->max_unverified_tail = 0;
  CHECK(fails_with(node.appraise(), Code::kImaTailLong));
}

TEST_CASE("a quote that covers no entry passes only an empty list, when the policy says so",
          "[ima]") {
  Node node;
  node.allow_all();
  node.covered = 0;
  CHECK(fails_with(node.appraise(), Code::kImaEmpty));
  node.policy.ima->allow_empty = true;
  CHECK(fails_with(node.appraise(), Code::kImaEmpty));
  node.list.clear();
  CHECK(node.appraise().verdict == Verdict::kTrusted);
  node.policy.ima->allow_empty = false;
  CHECK(fails_with(node.appraise(), Code::kImaEmpty));
}

TEST_CASE("kernels that pad SHA-1 are understood when the policy names that", "[ima]") {
  Node node;
  node.allow_all();
  node.list.push_back(ima_test::violation("/x"));
  node.policy.ima->violations_fail = false;
  for (const auto& [kernel, digest, name] :
       {std::tuple{Kernel::kPadded, ImaDigest::kPadded, "padded"},
        std::tuple{Kernel::kPaddedOld, ImaDigest::kPaddedOld, "padded-old"}}) {
    CAPTURE(name);
    node.kernel = kernel;
    node.policy.ima->digest = ImaDigest::kNative;
    const Report refused = node.appraise();
    REQUIRE(find(refused, Code::kImaReplay) != nullptr);
    CHECK_THAT(find(refused, Code::kImaReplay)->message,
               Catch::Contains(std::string("only with ") + name + " digests"));
    node.policy.ima->digest = digest;
    const Report report = node.appraise();
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(find(report, Code::kImaDigestMode)->severity == Severity::kWarning);
  }
  // From a stream it can not be found out afterwards.
  node.policy.ima->digest = ImaDigest::kNative;
  node.as_stream = true;
  CHECK_THAT(find(node.appraise(), Code::kImaReplay)->message, Catch::Contains("does not replay"));
}

TEST_CASE("every quoted bank must replay, a foreign one may be padded", "[ima]") {
  Node node;
  node.allow_all();
  node.banks = {Hash::kSha1, Hash::kSha256, Hash::kSha384};
  const Report report = node.appraise();
  INFO(attest::policy::to_json(report));
  CHECK(report.verdict == Verdict::kTrusted);
  for (const auto& pcr : report.claims.pcrs) {
    if (pcr.index != 10) continue;
    CHECK(pcr.state == (pcr.bank == Hash::kSha256 ? PcrState::kAppraised : PcrState::kReplayed));
  }
}

TEST_CASE("rules that are missing are said", "[ima]") {
  Node node;
  CHECK(fails_with(node.appraise(), Code::kImaNoRules));
  node.policy.ima->required = false;
  const Report report = node.appraise();
  CHECK(find(report, Code::kImaNoRules)->severity == Severity::kWarning);
  CHECK(report.verdict != Verdict::kTrusted);
  CHECK(node.appraise(false).verdict == Verdict::kUnknown);
}
