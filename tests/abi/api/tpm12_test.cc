// SPDX-License-Identifier: Apache-2.0

// Evidence of TPMs 1.2 through the calls of every header that takes it.

#include <string>

#include "libattest/attest.h"
#include "tests/abi/api/calls.h"

namespace {

struct Node12 {
  std::vector<std::uint8_t> ak = read_vector("tpm12/aik.tpm_key");
  std::vector<std::uint8_t> quote = read_vector("tpm12/quote2.info");
  std::vector<std::uint8_t> signature = read_vector("tpm12/quote2.sig");
  std::vector<std::uint8_t> pcrs = read_vector("tpm12/quote2.pcrs");
  std::vector<std::uint8_t> nonce = good_node_detail::unhex(read_text_vector("tpm12/nonce.hex"));

  attest_status parse(Quote& out) const {
    return attest_quote_parse(out.place(), quote.data(), quote.size(), signature.data(),
                              signature.size(), pcrs.data(), pcrs.size());
  }
  void make(Evidence& evidence) const {
    REQUIRE(attest_evidence_new(evidence.place()) == ATTEST_OK);
    REQUIRE(attest_evidence_set_ak(evidence.get(), ak.data(), ak.size()) == ATTEST_OK);
    REQUIRE(attest_evidence_set_quote(evidence.get(), quote.data(), quote.size(), signature.data(),
                                      signature.size(), pcrs.data(), pcrs.size()) == ATTEST_OK);
  }
  attest_appraise_options options(int allow_sha1) const {
    attest_appraise_options o = ATTEST_APPRAISE_OPTIONS_INIT;
    o.nonce = nonce.data();
    o.nonce_len = nonce.size();
    o.allow_sha1 = allow_sha1;
    return o;
  }
};

}  // namespace

TEST_CASE("a TPM 1.2's quote has a format and a nonce, and no clock") {
  const Node12 n;
  Quote quote;
  REQUIRE(n.parse(quote) == ATTEST_OK);
  attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
  info.clock = 5;
  REQUIRE(attest_quote_get_info(&info, quote.get()) == ATTEST_OK);
  CHECK(info.format == ATTEST_QUOTE_FORMAT_QUOTE_INFO2);
  CHECK(std::vector(info.nonce, info.nonce + info.nonce_len) == n.nonce);
  CHECK(info.magic == 0);
  CHECK(info.type == 0);
  CHECK(info.signer == nullptr);
  CHECK(info.clock == 0);
  CHECK(info.reset_count == 0);
  CHECK(info.clock_safe == 0);
  CHECK(info.firmware_version == 0);
  Pcrs pcrs;
  REQUIRE(attest_quote_pcrs(pcrs.place(), quote.get()) == ATTEST_OK);
  CHECK(attest_pcrs_count(pcrs.get()) == 11);
  std::size_t size = 0;
  CHECK(attest_pcrs_find(pcrs.get(), ATTEST_HASH_SHA1, 10, &size) != nullptr);
  CHECK(size == 20);
}

TEST_CASE("a caller of the first release sees the structure that it knows") {
  const Node12 n;
  Quote quote;
  REQUIRE(n.parse(quote) == ATTEST_OK);
  attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
  info.size = offsetof(attest_quote_info, format);
  REQUIRE(attest_quote_get_info(&info, quote.get()) == ATTEST_OK);
  CHECK(info.format == ATTEST_QUOTE_FORMAT_NONE);
  CHECK(info.nonce_len == 20);
}

TEST_CASE("a TPM 1.2's keys say which they are, and have no Name") {
  const struct {
    const char* name;
    attest_key_format format;
  } keys[] = {{"tpm12/aik.tpm_key", ATTEST_KEY_FORMAT_TPM_KEY},
              {"tpm12/aik.tpm_pubkey", ATTEST_KEY_FORMAT_TPM_PUBKEY},
              {"tpm12/aik.pem", ATTEST_KEY_FORMAT_PEM}};
  for (const auto& k : keys) {
    const auto bytes = read_vector(k.name);
    Key key;
    REQUIRE(attest_key_load(key.place(), bytes.data(), bytes.size()) == ATTEST_OK);
    CHECK(attest_key_get_format(key.get()) == k.format);
    CHECK(std::string(attest_key_describe(key.get())) == "RSA-2048");
    std::size_t size = 7;
    CHECK(attest_key_name(key.get(), &size) == nullptr);
    CHECK(size == 0);
    CHECK(attest_key_attributes(key.get()) == 0);
    auto* challenge = rubbish<attest_credential>();
    Ek ek;
    REQUIRE(attest_ek_load(ek.place(), good_node().ek.data(), good_node().ek.size(), nullptr, 0) ==
            ATTEST_OK);
    check_failed(attest_credential_new(&challenge, ek.get(), key.get()), ATTEST_E_REFUSED,
                 k.format == ATTEST_KEY_FORMAT_PEM ? "public area" : "is a TPM 1.2's");
    CHECK(challenge == nullptr);
  }
}

TEST_CASE("a TPM 1.2's quote verifies where SHA-1 is allowed") {
  const Node12 n;
  Quote quote;
  Key key;
  REQUIRE(n.parse(quote) == ATTEST_OK);
  REQUIRE(attest_key_load(key.place(), n.ak.data(), n.ak.size()) == ATTEST_OK);
  for (const int allow : {0, 1}) {
    attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
    options.nonce = n.nonce.data();
    options.nonce_len = n.nonce.size();
    options.allow_sha1 = allow;
    Report report;
    REQUIRE(attest_quote_verify(report.place(), quote.get(), key.get(), &options) == ATTEST_OK);
    CHECK(attest_report_quote_verified(report.get()) == allow);
    CHECK(attest_report_verdict(report.get()) != ATTEST_VERDICT_TRUSTED);
  }
}

TEST_CASE("a policy is learned of SHA-1 where that is asked for, and trusts what it knows") {
  const Node12 n;
  Evidence evidence;
  n.make(evidence);
  attest_appraise_options options = n.options(0);
  {
    auto* none = rubbish<attest_policy>();
    Report report;
    REQUIRE(attest_policy_learn(&none, report.place(), evidence.get(), &options) == ATTEST_OK);
    CHECK(none == nullptr);
  }
  options = n.options(1);
  Policy policy;
  Report learned;
  REQUIRE(attest_policy_learn(policy.place(), learned.place(), evidence.get(), &options) ==
          ATTEST_OK);
  REQUIRE(policy.get() != nullptr);
  Buffer json;
  REQUIRE(attest_policy_to_json(json.place(), policy.get()) == ATTEST_OK);
  CHECK(text_of(json).find("\"keys\"") != std::string::npos);
  // The policy says whether SHA-1 is allowed; an option beside it would be a second word.
  auto* report = rubbish<attest_report>();
  check_failed(attest_appraise(&report, evidence.get(), policy.get(), nullptr, &options),
               ATTEST_E_ARGUMENT, "allow_sha1 is the policy's to say");
  CHECK(report == nullptr);
  options.allow_sha1 = 2;
  check_failed(attest_appraise(&report, evidence.get(), nullptr, nullptr, &options),
               ATTEST_E_ARGUMENT, "allow_sha1 is neither 0 nor 1");
  options = n.options(0);
  Report good;
  REQUIRE(attest_appraise(good.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(good.get()) == ATTEST_VERDICT_TRUSTED);
  // Without a policy the option alone makes nothing trusted.
  options = n.options(1);
  Report unknown;
  REQUIRE(attest_appraise(unknown.place(), evidence.get(), nullptr, nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_quote_verified(unknown.get()) == 1);
  CHECK(attest_report_verdict(unknown.get()) == ATTEST_VERDICT_UNKNOWN);
}

TEST_CASE("each part of a TPM 1.2's quote must be exactly of its format") {
  const Node12 good;
  const auto refused = [](const Node12& n, const char* words) {
    auto* quote = rubbish<attest_quote>();
    check_failed(attest_quote_parse(&quote, n.quote.data(), n.quote.size(), n.signature.data(),
                                    n.signature.size(), n.pcrs.data(), n.pcrs.size()),
                 ATTEST_E_MALFORMED, words);
    CHECK(quote == nullptr);
  };
  Node12 n = good;
  n.quote.pop_back();
  refused(n, "TPM_QUOTE_INFO2");
  n = good;
  n.pcrs.pop_back();
  refused(n, "TPM_PCR_COMPOSITE");
  n = good;
  n.signature.clear();
  refused(n, "TPM 1.2 signature");
}
