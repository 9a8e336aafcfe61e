// SPDX-License-Identifier: Apache-2.0

#include "libattest/quote.h"

#include <cstring>

#include "tests/abi/api/calls.h"

namespace {

void parse_good(Quote& quote) {
  const GoodNode& n = good_node();
  REQUIRE(attest_quote_parse(quote.place(), n.attest.data(), n.attest.size(), n.signature.data(),
                             n.signature.size(), n.pcrs.data(), n.pcrs.size()) == ATTEST_OK);
}

void load_good_key(Key& key) {
  REQUIRE(attest_key_load(key.place(), good_node().ak.data(), good_node().ak.size()) == ATTEST_OK);
}

attest_quote_options good_quote_options() {
  attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
  options.nonce = good_node().nonce.data();
  options.nonce_len = good_node().nonce.size();
  return options;
}

}  // namespace

TEST_CASE("a quote says what it claims") {
  Quote quote;
  parse_good(quote);
  attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
  REQUIRE(attest_quote_get_info(&info, quote.get()) == ATTEST_OK);
  CHECK(info.size == sizeof info);
  CHECK(info.format == ATTEST_QUOTE_FORMAT_ATTEST);
  CHECK(info.magic == 0xff544347);
  CHECK(info.type == 0x8018);
  CHECK(std::vector(info.nonce, info.nonce + info.nonce_len) == good_node().nonce);
  CHECK(info.signer_len == 34);
  CHECK(info.clock > 0);
  CHECK((info.clock_safe == 0 || info.clock_safe == 1));
  CHECK(info.firmware_version != 0);

  Pcrs pcrs;
  REQUIRE(attest_quote_pcrs(pcrs.place(), quote.get()) == ATTEST_OK);
  CHECK(attest_pcrs_find(pcrs.get(), ATTEST_HASH_SHA256, 10, nullptr) != nullptr);
}

TEST_CASE("a good quote verifies, and is still not trusted") {
  Quote quote;
  Key key;
  Report report;
  parse_good(quote);
  load_good_key(key);
  attest_quote_options options = good_quote_options();
  REQUIRE(attest_quote_verify(report.place(), quote.get(), key.get(), &options) == ATTEST_OK);
  CHECK(attest_report_quote_verified(report.get()) == 1);
  CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNKNOWN);
  CHECK(attest_report_num_pcrs(report.get()) > 10);
}

TEST_CASE("a quote for another nonce, or without one, does not verify") {
  Quote quote;
  Key key;
  parse_good(quote);
  load_good_key(key);
  std::vector<std::uint8_t> nonce = good_node().nonce;
  nonce[0] ^= 1U;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, nonce.size()}) {
    attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
    options.nonce = size == 0 ? nullptr : nonce.data();
    options.nonce_len = size;
    Report report;
    REQUIRE(attest_quote_verify(report.place(), quote.get(), key.get(), &options) == ATTEST_OK);
    CHECK(attest_report_quote_verified(report.get()) == 0);
    CHECK(attest_report_verdict(report.get()) == ATTEST_VERDICT_UNTRUSTED);
    CHECK(attest_report_num_pcrs(report.get()) == 0);
  }
}

TEST_CASE("a quote string of Keylime is the same quote") {
  Quote quote;
  Key key;
  Report report;
  load_good_key(key);
  const std::string text = keylime_quote();
  REQUIRE(attest_quote_parse_keylime(quote.place(), text.data(), text.size()) == ATTEST_OK);
  attest_quote_options options = good_quote_options();
  REQUIRE(attest_quote_verify(report.place(), quote.get(), key.get(), &options) == ATTEST_OK);
  CHECK(attest_report_quote_verified(report.get()) == 1);
}

TEST_CASE("what is no quote string of Keylime is malformed") {
  for (const std::string text : {"", "r", "x", "rAAAA:AAAA", "r::", "rAAAA:AAAA:AAAA:AAAA"}) {
    auto* quote = rubbish<attest_quote>();
    check_failed(attest_quote_parse_keylime(&quote, text.data(), text.size()), ATTEST_E_MALFORMED,
                 "");
    CHECK(quote == nullptr);
  }
  auto* quote = rubbish<attest_quote>();
  check_failed(attest_quote_parse_keylime(&quote, nullptr, 5), ATTEST_E_ARGUMENT, "NULL");
  CHECK(quote == nullptr);
  check_failed(attest_quote_parse_keylime(nullptr, "r", 1), ATTEST_E_ARGUMENT, "out is NULL");
}

TEST_CASE("each part of a quote must be exactly of its format") {
  const GoodNode& n = good_node();
  const auto parse = [&](std::size_t attest_len, std::size_t signature_len, std::size_t pcrs_len) {
    auto* quote = rubbish<attest_quote>();
    const attest_status status =
        attest_quote_parse(&quote, n.attest.data(), attest_len, n.signature.data(), signature_len,
                           n.pcrs.data(), pcrs_len);
    CHECK(quote == nullptr);
    return status;
  };
  check_failed(parse(n.attest.size() - 1, n.signature.size(), n.pcrs.size()), ATTEST_E_MALFORMED,
               "TPMS_ATTEST");
  check_failed(parse(n.attest.size(), n.signature.size() - 1, n.pcrs.size()), ATTEST_E_MALFORMED,
               "SIGNATURE");
  check_failed(parse(n.attest.size(), n.signature.size(), n.pcrs.size() - 1), ATTEST_E_MALFORMED,
               "PCR");
  check_failed(parse(n.attest.size(), 0, n.pcrs.size()), ATTEST_E_MALFORMED, "SIGNATURE");
}

TEST_CASE("what is signed and is no quote is parsed as far as its type") {
  GoodNode n = good_node();
  n.attest[5] = 0x17;  // TPM_ST_ATTEST_CERTIFY
  Quote quote;
  REQUIRE(attest_quote_parse(quote.place(), n.attest.data(), n.attest.size(), n.signature.data(),
                             n.signature.size(), n.pcrs.data(), n.pcrs.size()) == ATTEST_OK);
  attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
  info.clock = 5;
  REQUIRE(attest_quote_get_info(&info, quote.get()) == ATTEST_OK);
  CHECK(info.type == 0x8017);
  CHECK(info.nonce == nullptr);
  CHECK(info.nonce_len == 0);
  CHECK(info.signer == nullptr);
  CHECK(info.clock == 0);
}

TEST_CASE("an options structure of another size is read as far as it goes, or refused") {
  Quote quote;
  Key key;
  parse_good(quote);
  load_good_key(key);
  struct Newer {
    attest_quote_options known;
    std::uint64_t later;
  } newer{good_quote_options(), 0};
  newer.known.size = sizeof newer;
  Report report;
  const auto verify = [&] {
    return attest_quote_verify(report.place(), quote.get(), key.get(), &newer.known);
  };
  CHECK(verify() == ATTEST_OK);
  CHECK(attest_report_quote_verified(report.get()) == 1);
  newer.later = std::uint64_t{1} << 63U;
  check_failed(verify(), ATTEST_E_ARGUMENT, "does not know");
  CHECK(report.get() == nullptr);
  newer.later = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{8}, std::size_t{27}, std::size_t{4097}, ~std::size_t{0}}) {
    newer.known.size = size;
    check_failed(verify(), ATTEST_E_ARGUMENT, "options.size");
  }
  newer.known.size = sizeof newer.known;
  newer.known.allow_sha1 = 2;
  check_failed(verify(), ATTEST_E_ARGUMENT, "allow_sha1 is neither 0 nor 1");
  newer.known.allow_sha1 = 0;
  newer.known.nonce = nullptr;
  check_failed(verify(), ATTEST_E_ARGUMENT, "NULL");
}

TEST_CASE("an output structure is filled as far as the caller's goes") {
  Quote quote;
  parse_good(quote);
  struct Newer {
    attest_quote_info known;
    std::uint64_t later;
  } newer{ATTEST_QUOTE_INFO_INIT, 0x1122334455667788};
  newer.known.size = sizeof newer;
  REQUIRE(attest_quote_get_info(&newer.known, quote.get()) == ATTEST_OK);
  CHECK(newer.known.size == sizeof newer);
  CHECK(newer.known.magic == 0xff544347);
  CHECK(newer.later == 0x1122334455667788);

  attest_quote_info unset;
  std::memset(&unset, 0, sizeof unset);
  check_failed(attest_quote_get_info(&unset, quote.get()), ATTEST_E_ARGUMENT, "out.size");
  CHECK(unset.magic == 0);
}

TEST_CASE("NULLs in calls about quotes are the caller's mistake") {
  Quote quote;
  Key key;
  parse_good(quote);
  load_good_key(key);
  attest_quote_options options = good_quote_options();
  attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
  auto* report = rubbish<attest_report>();
  auto* pcrs = rubbish<attest_pcrs>();
  check_failed(attest_quote_parse(nullptr, nullptr, 0, nullptr, 0, nullptr, 0), ATTEST_E_ARGUMENT,
               "out is NULL");
  check_failed(attest_quote_get_info(&info, nullptr), ATTEST_E_ARGUMENT, "quote is NULL");
  check_failed(attest_quote_get_info(nullptr, quote.get()), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_quote_pcrs(&pcrs, nullptr), ATTEST_E_ARGUMENT, "quote is NULL");
  CHECK(pcrs == nullptr);
  check_failed(attest_quote_pcrs(nullptr, quote.get()), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_quote_verify(nullptr, quote.get(), key.get(), &options), ATTEST_E_ARGUMENT,
               "out is NULL");
  check_failed(attest_quote_verify(&report, nullptr, key.get(), &options), ATTEST_E_ARGUMENT,
               "quote is NULL");
  CHECK(report == nullptr);
  check_failed(attest_quote_verify(&report, quote.get(), nullptr, &options), ATTEST_E_ARGUMENT,
               "key is NULL");
  check_failed(attest_quote_verify(&report, quote.get(), key.get(), nullptr), ATTEST_E_ARGUMENT,
               "options is NULL");
}
