// SPDX-License-Identifier: Apache-2.0

// Every real sample gets the right verdict for the right reason.

#include <catch2/catch.hpp>

#include "libattest/verify/inspect.h"
#include "tests/support/evidence.h"

namespace {

using attest::policy::Code;
using attest::policy::PcrState;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Severity;
using attest::policy::Verdict;

const std::string kBoots[] = {"grub-ima-ng", "grub-many", "kernel-ima-legacy", "shim-sb-ima-sig"};
const std::string kQuotes[] = {"sha256", "both", "ecc"};

const attest::policy::Finding* find(const Report& report, Code code) {
  for (const auto& f : report.findings.list()) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a clean boot is trusted with a policy learned from it", "[samples]") {
  for (const std::string& name : kBoots) {
    for (const std::string& quote : kQuotes) {
      CAPTURE(name, quote);
      const Parts parts = boot(name, "1-clean", quote);
      const Policy policy = parts.learn();
      const Report report = parts.appraise(&policy);
      INFO(attest::policy::to_json(report));
      CHECK(report.verdict == Verdict::kTrusted);
      CHECK(report.claims.quote_verified);
      CHECK(report.claims.ima_entries > 40U);
      for (const auto& pcr : report.claims.pcrs) {
        CAPTURE(pcr.index);
        if (pcr.bank == policy.bank) CHECK(pcr.state == PcrState::kAppraised);
      }
    }
  }
}

TEST_CASE("the policy survives its own JSON", "[samples]") {
  for (const std::string& name : kBoots) {
    CAPTURE(name);
    const Parts parts = boot(name);
    const std::string json = attest::policy::to_json(parts.learn());
    const Policy again = attest::policy::parse_policy(json);
    CHECK(parts.appraise(&again).verdict == Verdict::kTrusted);
    CHECK(attest::policy::to_json(again) == json);
  }
}

TEST_CASE("without a policy a clean boot is unknown", "[samples]") {
  for (const std::string& name : kBoots) {
    const Report report = boot(name).appraise(nullptr);
    CHECK(report.verdict == Verdict::kUnknown);
    CHECK(find(report, Code::kPolicyMissing) != nullptr);
    CHECK_FALSE(report.findings.any_failure());
  }
}

TEST_CASE("a program that the clean boot did not run is named", "[samples]") {
  for (const std::string& name : kBoots) {
    CAPTURE(name);
    const Policy policy = boot(name).learn();
    const Report report = boot(name, "2-tampered").appraise(&policy);
    CHECK(report.verdict == Verdict::kUntrusted);
    const auto* finding = find(report, Code::kImaNotListed);
    REQUIRE(finding != nullptr);
    CHECK_THAT(finding->message, Catch::Contains("/opt/evil/echo has digest sha") &&
                                     Catch::Contains("which the allowlist does not list"));
    CHECK(finding->pcr == 10U);
  }
}

TEST_CASE("a violation fails, and a policy may report it only", "[samples]") {
  for (const std::string& name : kBoots) {
    CAPTURE(name);
    Policy policy = boot(name, "2-tampered").learn();
    const Report strict = boot(name, "3-violation").appraise(&policy);
    CHECK(strict.verdict == Verdict::kUntrusted);
    CHECK(fails_with(strict, Code::kImaViolation));
    CHECK(strict.claims.ima_violations == 1U);

    policy.ima->violations_fail = false;
    const Report lenient = boot(name, "3-violation").appraise(&policy);
    CHECK_FALSE(fails_with(lenient, Code::kImaViolation));
    CHECK(find(lenient, Code::kImaViolation)->severity == Severity::kWarning);
    // Nothing is learned from a node that had one.
    CHECK_THROWS_WITH(boot(name, "3-violation").learn(), Catch::Contains("ima-violation"));
  }
}

TEST_CASE("a list of three thousand entries is judged to its end", "[samples]") {
  const Policy policy = boot("grub-many").learn();
  const Report report = boot("grub-many", "4-many").appraise(&policy);
  CHECK(report.claims.ima_entries > 3000U);
  CHECK(report.findings.list().size() == attest::policy::Findings::kMax);
  CHECK(report.findings.dropped() > 1900);
  CHECK(report.verdict == Verdict::kUntrusted);
}

TEST_CASE("a list that ran ahead of its quote has an unverified tail", "[samples]") {
  for (const std::string& name : kBoots) {
    CAPTURE(name);
    Policy policy = boot(name).learn();
    Parts late = boot(name);
    late.ima = read_vector("boot/" + name + "/3-violation/ima.bin");
    const Report report = late.appraise(&policy);
    CHECK(report.verdict == Verdict::kTrusted);
    REQUIRE(find(report, Code::kImaTail) != nullptr);
    CHECK(report.claims.ima_unverified > 0U);

    policy.ima->max_unverified_tail = *report.claims.ima_unverified - 1;
    CHECK(fails_with(late.appraise(&policy), Code::kImaTailLong));
  }
}

TEST_CASE("a list that is behind its quote fails", "[samples]") {
  for (const std::string& name : kBoots) {
    Parts early = boot(name, "2-tampered");
    const Policy policy = early.learn();
    early.ima = read_vector("boot/" + name + "/1-clean/ima.bin");
    CHECK(fails_with(early.appraise(&policy), Code::kImaReplay));
  }
}

TEST_CASE("an ascii list gives the verdict of the binary one", "[samples]") {
  for (const std::string& name : kBoots) {
    CAPTURE(name);
    const Policy policy = boot(name).learn();
    Parts ascii = boot(name);
    ascii.ima = read_vector("boot/" + name + "/1-clean/ima.ascii");
    CHECK(ascii.appraise(&policy).verdict == Verdict::kTrusted);
    ascii = boot(name, "2-tampered");
    ascii.ima = read_vector("boot/" + name + "/2-tampered/ima.ascii");
    CHECK(fails_with(ascii.appraise(&policy), Code::kImaNotListed));
  }
}

TEST_CASE("evidence of another boot, or mixed with another's, fails with its own finding",
          "[samples]") {
  const Policy policy = boot("grub-ima-ng").learn();

  SECTION("another machine's key and quote") {
    CHECK(fails_with(boot("shim-sb-ima-sig").appraise(&policy), Code::kKeyNotPinned));
  }
  SECTION("another boot's quote under this key") {
    Parts mixed = boot("shim-sb-ima-sig");
    mixed.ak = boot("grub-ima-ng").ak;
    CHECK(fails_with(mixed.appraise(&policy), Code::kSignatureInvalid));
  }
  SECTION("another boot's event log") {
    Parts mixed = boot("grub-ima-ng");
    mixed.eventlog = boot("shim-sb-ima-sig").eventlog;
    CHECK(fails_with(mixed.appraise(&policy), Code::kPcrReplay));
  }
  SECTION("another boot's IMA list") {
    Parts mixed = boot("grub-ima-ng");
    mixed.ima = boot("shim-sb-ima-sig").ima;
    CHECK(fails_with(mixed.appraise(&policy), Code::kImaReplay));
  }
  SECTION("PCR values of another snapshot") {
    Parts mixed = boot("grub-ima-ng");
    mixed.pcrs = boot("grub-ima-ng", "2-tampered").pcrs;
    CHECK(fails_with(mixed.appraise(&policy), Code::kPcrDigestMismatch));
  }
  SECTION("a replayed quote: another nonce was asked") {
    Parts replayed = boot("grub-ima-ng");
    replayed.nonce.back() ^= 1U;
    CHECK(fails_with(replayed.appraise(&policy), Code::kNonceMismatch));
  }
  SECTION("no nonce, and a short one") {
    Parts p = boot("grub-ima-ng");
    p.nonce.clear();
    CHECK(fails_with(p.appraise(&policy), Code::kNonceMissing));
    p.nonce = Octets(15, 7);
    CHECK(fails_with(p.appraise(&policy), Code::kNonceShort));
  }
  SECTION("a quote without the bank that the policy names") {
    Policy other = policy;
    other.bank = attest::crypto::Hash::kSha384;
    CHECK(fails_with(boot("grub-ima-ng").appraise(&other), Code::kBankMissing));
  }
  SECTION("a quote without a PCR that the policy names") {
    Policy other = policy;
    other.pcrs[15].emplace_back(attest::crypto::Digest::filled(32, 0));
    CHECK(fails_with(boot("grub-ima-ng").appraise(&other), Code::kPcrMissing));
  }
  SECTION("an earlier quote of the same boot over fewer PCRs") {
    Parts p = boot("grub-ima-ng", "1-clean", "sha256");
    p.attest = read_vector("boot/grub-ima-ng/warm.msg");
    p.signature = read_vector("boot/grub-ima-ng/warm.sig");
    p.pcrs = read_vector("boot/grub-ima-ng/warm.pcrs");
    CHECK(fails_with(p.appraise(&policy), Code::kPcrMissing));
    // Judged for what it covers, it shows where the list stood then.
    Policy ten;
    ten.ima = policy.ima;
    const Report report = p.appraise(&ten);
    INFO(attest::policy::to_json(report));
    CHECK(report.claims.ima_entries > 0U);
  }
  SECTION("the log and the list that the policy asks for are not there") {
    Parts p = boot("grub-ima-ng");
    p.eventlog.clear();
    p.ima.clear();
    const Report report = p.appraise(&policy);
    CHECK(fails_with(report, Code::kEventLogMissing));
    CHECK(fails_with(report, Code::kImaMissing));
  }
}

TEST_CASE("a PEM key says nothing of its TPM, and the report says that", "[samples]") {
  Parts p = boot("grub-ima-ng");
  Policy policy = p.learn();
  p.ak = read_vector("boot/grub-ima-ng/ak.pem");
  CHECK(fails_with(p.appraise(&policy), Code::kKeyNotPinned));

  policy.ak.names.clear();
  const Report report = p.appraise(&policy);
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(find(report, Code::kKeyAttributesUnknown)->severity == Severity::kWarning);
  CHECK(find(report, Code::kKeyNotBound)->severity == Severity::kWarning);

  policy.ak.attributes_required = true;
  CHECK(fails_with(p.appraise(&policy), Code::kKeyAttributesUnknown));
  policy.ak.attributes_required = false;
  policy.ak.binding_required = true;
  CHECK(fails_with(p.appraise(&policy), Code::kKeyNotBound));
}

TEST_CASE("a dynamic launch is judged by its PCRs", "[samples]") {
  Parts p;
  p.ak = read_vector("drtm/ak.tss");
  p.attest = read_vector("drtm/quote.msg");
  p.signature = read_vector("drtm/quote.sig");
  p.pcrs = read_vector("drtm/quote.pcrs");
  p.nonce = nonce_from("drtm/nonce.hex");
  Policy policy = p.learn();
  CHECK(policy.pcrs.size() == 2);
  CHECK(p.appraise(&policy).verdict == Verdict::kTrusted);
  policy.pcrs[17] = {attest::crypto::Digest::filled(32, 0xff)};
  CHECK(fails_with(p.appraise(&policy), Code::kPcrValue));
}

TEST_CASE("every scheme of the TPM's keys verifies", "[samples]") {
  for (const std::string entry :
       {"ak_rsassa_sha256/quote_sha256", "ak_rsassa_sha256/quote_sha1_sha256",
        "ak_rsassa_sha256/quote_sha1_sha256_sha384", "ak_rsassa_sha256/quote_sparse",
        "ak_ecdsa_p256_sha256/quote_sha1_sha256"}) {
    CAPTURE(entry);
    const std::string ak = entry.substr(0, entry.find('/'));
    Parts p;
    p.nonce = nonce_from("tpm2/nonce.hex");
    for (const std::string key : {"ak.tss", "ak.pem", "ak.der"}) {
      CAPTURE(key);
      p.ak = read_vector("tpm2/" + ak + "/" + key);
      for (const std::string form : {"quote", "plain"}) {
        CAPTURE(form);
        p.attest = read_vector("tpm2/" + entry + "/" + form + ".msg");
        p.signature = read_vector("tpm2/" + entry + "/" + form + ".sig");
        p.pcrs = read_vector("tpm2/" + entry + "/" + form + ".pcrs");
        const Report report = p.appraise(nullptr);
        INFO(attest::policy::to_json(report));
        CHECK(report.claims.quote_verified);
        CHECK(report.verdict == Verdict::kUnknown);
      }
    }
  }
}

TEST_CASE("SHA-1 signatures need the policy's word", "[samples]") {
  Parts p;
  p.ak = read_vector("tpm2/ak_rsassa_sha1/ak.tss");
  p.attest = read_vector("tpm2/ak_rsassa_sha1/quote_sha1/quote.msg");
  p.signature = read_vector("tpm2/ak_rsassa_sha1/quote_sha1/quote.sig");
  p.pcrs = read_vector("tpm2/ak_rsassa_sha1/quote_sha1/quote.pcrs");
  p.nonce = nonce_from("tpm2/nonce.hex");
  CHECK(fails_with(p.appraise(nullptr), Code::kSignatureSha1));
  Policy policy;
  policy.allow_sha1 = true;
  CHECK(p.appraise(&policy).claims.quote_verified);
}

TEST_CASE("the logs of a TPM 1.2 boot replay", "[samples]") {
  const auto log = attest::verify::inspect_eventlog(
      read_vector("boot/bios12-tpm12/binary_bios_measurements"), {});
  CHECK(log.log.events().size() == 13);
  CHECK(log.bank == attest::crypto::Hash::kSha1);
  attest::verify::ImaInspection ima(attest::ima::ListFormat::kDetect, attest::crypto::Hash::kSha1,
                                    {}, attest::ima::DigestMode::kNative);
  ima.feed(read_vector("boot/bios12-tpm12/1-clean/ima.bin"));
  ima.finish();
  CHECK(ima.num_entries() > 20);
  CHECK(ima.num_violations() == 0);
  CHECK_FALSE(ima.findings().any_failure());
  // Both against the TPM's own registers, as the guest's kernel showed them.
  const std::string pcrs = read_text_vector("boot/bios12-tpm12/1-clean/pcrs.sysfs");
  const auto line = [&](std::uint32_t pcr, attest::Bytes value) {
    std::string hex = attest::to_hex(value);
    for (char& c : hex) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return "PCR-" + std::to_string(pcr) + ": " + hex;
  };
  for (std::uint32_t pcr = 0; pcr < 8; ++pcr) {
    CHECK_THAT(pcrs, Catch::Contains(line(pcr, log.replay.banks[0].pcrs[pcr].bytes())));
  }
}
