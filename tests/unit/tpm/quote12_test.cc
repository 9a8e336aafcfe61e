// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/quote12.h"

#include <catch2/catch.hpp>

#include "tests/support/parse_error.h"
#include "tests/support/tpm12.h"

using attest::Bytes;
using attest::tpm::ClaimedQuote;
using attest::tpm::parse_quote;
using attest::tpm::QuoteFormat;

namespace {

const Octets kNonce(20, 0x42);

Composite composite() { return {{{0, Octets(20, 1)}, {17, Octets(20, 2)}}}; }

std::string error_of(Bytes in) {
  return parse_error_of([&] { return parse_quote(in); });
}

}  // namespace

TEST_CASE("TPM_QUOTE_INFO has a digest and a nonce, and no selection") {
  const Octets bytes = make_quote_info(composite(), kNonce);
  REQUIRE(bytes.size() == 48);
  const ClaimedQuote q = parse_quote(bytes);
  CHECK(q.format == QuoteFormat::kQuoteInfo);
  CHECK(q.is_tpm12());
  CHECK(q.is_quote());
  CHECK(q.raw.data() == bytes.data());
  CHECK(q.raw.size() == bytes.size());
  CHECK(Octets(q.extra_data.begin(), q.extra_data.end()) == kNonce);
  CHECK(Octets(q.pcr_digest.begin(), q.pcr_digest.end()) == composite().digest());
  CHECK(q.selections.empty());
  CHECK(q.magic == 0);
  CHECK(q.type == 0);
  CHECK(q.qualified_signer.empty());
}

TEST_CASE("TPM_QUOTE_INFO2 has a selection, with and without a version") {
  for (const std::size_t vendor : std::initializer_list<std::size_t>{0, 1, 8}) {
    const Octets version = vendor == 0 ? Octets() : make_version_info(vendor - 1);
    const Octets bytes = make_quote_info2(composite(), kNonce, version);
    CHECK(bytes.size() == 52 + version.size());
    const ClaimedQuote q = parse_quote(bytes);
    CHECK(q.format == QuoteFormat::kQuoteInfo2);
    CHECK(q.is_quote());
    CHECK(q.raw.size() == bytes.size());
    CHECK(Octets(q.extra_data.begin(), q.extra_data.end()) == kNonce);
    CHECK(Octets(q.pcr_digest.begin(), q.pcr_digest.end()) == composite().digest());
    REQUIRE(q.selections.size() == 1);
    CHECK(attest::tpm::describe(q.selections) == "sha1:0,17");
    CHECK(q.selections[0].size_of_select == 3);
  }
}

TEST_CASE("real quotes of a TPM 1.2 carry the nonce that they were asked for") {
  const Octets nonce = nonce_from("tpm12/nonce.hex");
  for (const char* name : {"tpm12/quote1.info", "tpm12/quote2.info"}) {
    const Octets bytes = read_vector(name);
    const ClaimedQuote q = parse_quote(bytes);
    CHECK(Octets(q.extra_data.begin(), q.extra_data.end()) == nonce);
  }
  const Octets bytes = read_vector("tpm12/quote2.info");
  CHECK(attest::tpm::describe(parse_quote(bytes).selections) == "sha1:0,1,2,3,4,5,6,7,8,9,10");
}

TEST_CASE("a TPM 1.2's quote cut short anywhere is no quote") {
  const Octets version = make_version_info(3);
  const Octets with_version = make_quote_info2(composite(), kNonce, version);
  for (const Octets& bytes : {make_quote_info(composite(), kNonce), with_version}) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      CAPTURE(n);
      const Bytes cut = Bytes(bytes).first(n);
      // The version may be left out, and two of the four letters may be a foreign magic.
      if (n == bytes.size() - version.size() && bytes.size() > 52) continue;
      const bool refused = error_of(cut) != "accepted" || !parse_quote(cut).is_quote();
      CHECK(refused);
    }
  }
}

TEST_CASE("a byte after a TPM 1.2's quote is malformed") {
  Octets bytes = make_quote_info(composite(), kNonce);
  bytes.push_back(0);
  CHECK(error_of(bytes) == "TPM_QUOTE_INFO: byte 48: TPM_QUOTE_INFO: has bytes after its end");
  bytes = make_quote_info2(composite(), kNonce);
  bytes.push_back(0);
  CHECK(error_of(bytes) ==
        "TPM_QUOTE_INFO2: byte 52: versionInfo.tag: input ends inside this field");
  bytes = make_quote_info2(composite(), kNonce, make_version_info());
  bytes.push_back(0);
  CHECK(error_of(bytes) == "TPM_QUOTE_INFO2: byte 67: TPM_QUOTE_INFO2: has bytes after its end");
}

TEST_CASE("a TPM 1.2's quote with one field beyond its bounds is malformed") {
  const auto [offset, value, words] = GENERATE(table<std::size_t, std::uint8_t, std::string>({
      {26, 1, "byte 26: pcrSelection.sizeOfSelect: more than 24 PCRs"},
      {27, 4, "byte 26: pcrSelection.sizeOfSelect: more than 24 PCRs"},
      {31, 0, "byte 31: infoShort.localityAtRelease: names no locality or one above 4"},
      {31, 0x21, "byte 31: infoShort.localityAtRelease: names no locality or one above 4"},
      {31, 0x80, "byte 31: infoShort.localityAtRelease: names no locality or one above 4"},
      {53, 0x31, "byte 52: versionInfo.tag: not TPM_TAG_CAP_VERSION_INFO"},
      {66, 1, "byte 67: versionInfo.vendorSpecific: input ends inside this field"},
      {65, 0xff, "byte 67: versionInfo.vendorSpecific: input ends inside this field"},
  }));
  Octets bytes = make_quote_info2(composite(), kNonce, make_version_info());
  bytes[offset] = value;
  const std::string error = error_of(bytes);
  CHECK_THAT(error, Catch::StartsWith("TPM_QUOTE_INFO2: byte "));
  CHECK_THAT(error, Catch::Contains(words.substr(words.find(": ") + 2)));
}

TEST_CASE("every other version, tag or letter is no quote") {
  const Octets quotes[] = {make_quote_info(composite(), kNonce),
                           make_quote_info2(composite(), kNonce)};
  const std::size_t fronts[] = {8, 6};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t bit = 0; bit < fronts[i] * 8; ++bit) {
      Octets bytes = quotes[i];
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      CHECK_FALSE(attest::tpm::is_quote12(bytes));
      CHECK_FALSE(parse_quote(bytes).is_quote());
    }
  }
}

TEST_CASE("what else an identity key signs is no quote") {
  // TPM_CERTIFY_INFO and TPM_CERTIFY_INFO2 of a signing key, as far as a quote's letters reach.
  const Octets certify = Writer().raw({1, 1, 0, 0, 0, 0x10, 0, 0, 0, 0}).fill(80, 0x33).out;
  const Octets certify2 = Writer().raw({0, 0x29, 0, 5, 0, 0x10}).fill(80, 0x33).out;
  CHECK_FALSE(parse_quote(certify).is_quote());
  CHECK_FALSE(parse_quote(certify2).is_quote());
}
