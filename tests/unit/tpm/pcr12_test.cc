// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/pcr12.h"

#include <catch2/catch.hpp>

#include "tests/support/parse_error.h"
#include "tests/support/tpm12.h"

using attest::Bytes;
using attest::tpm::ClaimedPcrs;
using attest::tpm::ClaimedQuote;
using attest::tpm::parse_pcr_composite;
using attest::tpm::parse_pcrs12;

namespace {

Composite composite() { return {{{0, Octets(20, 1)}, {7, Octets(20, 2)}, {23, Octets(20, 3)}}}; }

std::string line(const std::string& pcr, const std::string& value = std::string(40, 'A')) {
  return pcr + "=" + value + "\n";
}

Octets octets(const std::string& text) { return {text.begin(), text.end()}; }

std::string error_of(const Octets& in, std::uint8_t size_of_select = 3) {
  ClaimedQuote quote;
  quote.selections = {{0x0004, size_of_select, 0xffffff}};
  return parse_error_of([&] { return parse_pcrs12(in, quote); });
}

}  // namespace

TEST_CASE("a composite is a selection and its values") {
  for (const std::uint16_t size : std::initializer_list<std::uint16_t>{1, 2, 3}) {
    Composite c;
    c.size_of_select = size;
    for (std::uint8_t pcr = 0; pcr < 8 * size; pcr += 3) c.pcrs[pcr] = Octets(20, pcr);
    const ClaimedPcrs pcrs = parse_pcr_composite(c.bytes());
    REQUIRE(pcrs.selections.size() == 1);
    CHECK(pcrs.selections[0].alg == 0x0004);
    CHECK(pcrs.selections[0].size_of_select == size);
    CHECK(pcrs.values.size() == c.pcrs.size());
    auto value = pcrs.values.begin();
    for (const auto& [pcr, expected] : c.pcrs) {
      CHECK((pcrs.selections[0].mask >> pcr & 1U) == 1U);
      CHECK(Octets(value->bytes().begin(), value->bytes().end()) == expected);
      ++value;
    }
    Octets again = attest::tpm::composite_header(pcrs.selections[0]);
    for (const auto& v : pcrs.values) again.insert(again.end(), v.bytes().begin(), v.bytes().end());
    CHECK(again == c.bytes());
  }
}

TEST_CASE("a composite cut short anywhere, or with a byte more, is malformed") {
  Octets bytes = composite().bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    const Octets cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    CHECK_THAT(error_of(cut), Catch::EndsWith("input ends inside this field"));
  }
  bytes.push_back(0);
  CHECK(error_of(bytes) ==
        "TPM_PCR_COMPOSITE: byte 69: TPM_PCR_COMPOSITE: has bytes after its end");
}

TEST_CASE("a composite whose sizes do not fit is malformed") {
  const auto [offset, value, words] = GENERATE(table<std::size_t, std::uint8_t, std::string>({
      {1, 4, "sizeOfSelect: more than 24 PCRs"},
      {1, 0xff, "sizeOfSelect: more than 24 PCRs"},
      {2, 0x01, "valueSize: not 20 bytes for each selected PCR"},
      {3, 0x01, "valueSize: not 20 bytes for each selected PCR"},
      {5, 0x80, "valueSize: not 20 bytes for each selected PCR"},
      {8, 61, "valueSize: not 20 bytes for each selected PCR"},
      {8, 0, "valueSize: not 20 bytes for each selected PCR"},
  }));
  Octets bytes = composite().bytes();
  bytes[offset] = value;
  CHECK_THAT(error_of(bytes), Catch::Contains(words));
}

TEST_CASE("the text of tpm_getquote is read as it writes it") {
  const std::string text = line("0", std::string(40, '0')) + line("10") + line("23");
  ClaimedQuote quote;
  quote.selections = {{0x0004, 2, 0x0401}};
  const ClaimedPcrs pcrs = parse_pcrs12(octets(text), quote);
  REQUIRE(pcrs.selections.size() == 1);
  CHECK(attest::tpm::describe(pcrs.selections) == "sha1:0,10,23");
  CHECK(pcrs.selections[0].size_of_select == 2);  // the quote's
  REQUIRE(pcrs.values.size() == 3);
  CHECK(pcrs.values[0].all(0));
  CHECK(pcrs.values[2].all(0xaa));
}

TEST_CASE("any other text is malformed, by its line") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {line("00"), "line 1: does not begin with a PCR's number and ="},
      {line("24"), "line 1: does not begin with a PCR's number and ="},
      {line("1 "), "line 1: does not begin with a PCR's number and ="},
      {line("0x1"), "line 1: does not begin with a PCR's number and ="},
      {"1\n", "line 1: does not begin with a PCR's number and ="},
      {line("1") + "\n", "line 2: does not begin with a PCR's number and ="},
      {line("1") + line("1"), "line 2: its PCR's number is not above the one before"},
      {line("9") + line("10") + line("2"), "line 3: its PCR's number is not above the one before"},
      {line("1", std::string(39, 'A')), "line 1: its value is not 40"},
      {line("1", std::string(41, 'A')), "line 1: its value is not 40"},
      {line("1", std::string(64, 'A')), "line 1: its value is not 40"},
      {line("1", std::string(40, 'a')), "line 1: its value is not 40"},
      {line("1", std::string(39, 'A') + "G"), "line 1: its value is not 40"},
      {line("1", std::string(40, 'A') + "\r"), "line 1: its value is not 40"},
      {line("1", ""), "line 1: its value is not 40"},
      {line("1").substr(0, 42), "line 1: its line is not ended"},
  }));
  CAPTURE(text);
  CHECK_THAT(error_of(octets(text)), Catch::Contains("PCR values (text): " + words));
}

TEST_CASE("the text cut anywhere but at a line's end is malformed") {
  const std::string text = line("1") + line("2");
  for (std::size_t n = 1; n < text.size(); ++n) {
    if (n == line("1").size()) continue;
    CAPTURE(n);
    CHECK(error_of(octets(text.substr(0, n))) != "accepted");
  }
}

TEST_CASE("a TPM_QUOTE_INFO needs its composite: a text does not say how long the bit map was") {
  const ClaimedQuote quote;
  CHECK(parse_error_of([&] { return parse_pcrs12(octets(line("1")), quote); }) ==
        "TPM_PCR_COMPOSITE: byte 0: pcrSelection.sizeOfSelect: not a size: a TPM_QUOTE_INFO needs "
        "its TPM_PCR_COMPOSITE");
  CHECK(parse_error_of([&] { return parse_pcrs12({}, quote); }) != "accepted");
  CHECK(parse_pcrs12(composite().bytes(), quote).values.size() == 3);
}

TEST_CASE("PCR values of a TPM 2.0 are none of a TPM 1.2") {
  for (const char* name : {"quote.pcrs", "plain.pcrs"}) {
    CHECK(error_of(read_vector(std::string("tpm2/ak_rsassa_sha1/quote_sha1/") + name)) !=
          "accepted");
  }
}
