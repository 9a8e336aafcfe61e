// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/pcr.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <utility>

#include "libattest/base/hex.h"
#include "tests/support/bytes.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::Reader;
using attest::tpm::ClaimedPcrs;
using attest::tpm::parse_pcr_selections;
using attest::tpm::parse_pcrs;
using attest::tpm::parse_pcrs_serialized;
using attest::tpm::parse_pcrs_values;
using attest::tpm::PcrSelection;

namespace {

constexpr std::uint16_t kSha1 = 0x0004;
constexpr std::uint16_t kSha256 = 0x000b;
constexpr std::uint16_t kUnknown = 0x7fff;

std::vector<PcrSelection> selections_of(Bytes in) {
  Reader r(in, "TPML_PCR_SELECTION");
  auto selections = parse_pcr_selections(r);
  r.expect_end("TPML_PCR_SELECTION");
  return selections;
}

std::string selections_error(Bytes in) {
  return parse_error_of([&] { return selections_of(in); });
}

std::string image_error(Bytes in) {
  return parse_error_of([&] { return parse_pcrs_serialized(in); });
}

std::string values_error(Bytes in, const std::vector<PcrSelection>& selections) {
  return parse_error_of([&] { return parse_pcrs_values(in, selections); });
}

// A valid image: sha1:0,10 and sha256:0-7, that is ten values in two lists.
constexpr std::size_t kImageSize = 136 + 2 * 532;
std::vector<std::uint8_t> image() {
  Writer w;
  w.le<std::uint32_t>(2);
  w.le(kSha1).raw({3, 0x01, 0x04, 0, 0, 0});
  w.le(kSha256).raw({3, 0xff, 0, 0, 0, 0});
  w.fill(14 * 8, 0);
  w.le<std::uint32_t>(2);
  const auto digest = [&](std::uint16_t size, std::uint8_t value) {
    w.le(size).fill(size, value).fill(64U - size, 0);
  };
  w.le<std::uint32_t>(8);
  digest(20, 0xa0);
  digest(20, 0xaa);
  for (std::uint8_t i = 0; i < 6; ++i) digest(32, i);
  w.le<std::uint32_t>(2);
  digest(32, 6);
  digest(32, 7);
  w.fill(6 * 66, 0);
  return w.out;
}

std::vector<std::uint8_t> with(std::size_t offset, std::uint8_t value) {
  auto bytes = image();
  bytes.at(offset) = value;
  return bytes;
}

}  // namespace

TEST_CASE("a selection list is read as it stands, whatever it selects") {
  const auto list =
      selections_of(*attest::from_hex("00000004"
                                      "0004"
                                      "03010400"
                                      "000b"
                                      "00"
                                      "000b"
                                      "0400000080"
                                      "7fff"
                                      "01ff"));
  REQUIRE(list.size() == 4);
  CHECK(list[0].alg == kSha1);
  CHECK(list[0].size_of_select == 3);
  CHECK(list[0].mask == 0x000401);
  CHECK(list[1].size_of_select == 0);
  CHECK(list[1].mask == 0);
  CHECK(list[2].mask == 0x80000000);
  CHECK(list[3].alg == kUnknown);
  CHECK(list[3].mask == 0xff);
  CHECK(selections_of(*attest::from_hex("00000000")).empty());
}

TEST_CASE("a selection list beyond its type's bounds is malformed") {
  CHECK(selections_error(Writer().be<std::uint32_t>(17).fill(17 * 3, 0).out) ==
        "TPML_PCR_SELECTION: byte 4: pcrSelect.count: more than 16 selections");
  CHECK(selections_error(Writer().be<std::uint32_t>(0xffffffff).out) ==
        "TPML_PCR_SELECTION: byte 4: pcrSelect.count: more than 16 selections");
  CHECK(selections_error(Writer().be<std::uint32_t>(16).fill(16 * 3, 0).out) == "accepted");
  CHECK(selections_error(Writer().be<std::uint32_t>(1).be(kSha1).raw({5, 1, 2, 3, 4, 5}).out) ==
        "TPML_PCR_SELECTION: byte 7: pcrSelect.sizeofSelect: more than 32 PCRs");
  CHECK(selections_error(Writer().be<std::uint32_t>(2).be(kSha1).raw({0}).out) ==
        "TPML_PCR_SELECTION: byte 7: pcrSelect.hash: input ends inside this field");
}

TEST_CASE("selections are described as tpm2-tools take them") {
  using attest::tpm::describe;
  CHECK(describe({{kSha256, 3, 0x7}, {kSha1, 3, 0x400}}) == "sha256:0,1,2+sha1:10");
  CHECK(describe({{kUnknown, 4, 0x80000001}}) == "0x7fff:0,31");
  CHECK(describe({{kSha256, 3, 0}}) == "sha256:none");
  CHECK(describe({}) == "none");
}

TEST_CASE("a serialized image holds selections and values in their order") {
  const ClaimedPcrs pcrs = parse_pcrs_serialized(image());
  REQUIRE(pcrs.selections.size() == 2);
  CHECK(pcrs.selections[0].alg == kSha1);
  CHECK(pcrs.selections[0].mask == 0x401);
  CHECK(pcrs.selections[1].alg == kSha256);
  CHECK(pcrs.selections[1].mask == 0xff);
  REQUIRE(pcrs.values.size() == 10);
  CHECK(pcrs.values[0].size() == 20);
  CHECK(pcrs.values[1].all(0xaa));
  CHECK(pcrs.values[9].size() == 32);
  CHECK(pcrs.values[9].all(7));
}

TEST_CASE("real tpm2-tools images hold the values that tpm2-tools also wrote bare") {
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(vectors_dir() / "tpm2")) {
    if (entry.path().filename() != "quote.pcrs") continue;
    CAPTURE(entry.path());
    const auto bytes = read_file(entry.path());
    const ClaimedPcrs pcrs = parse_pcrs_serialized(bytes);
    CHECK(attest::tpm::describe(pcrs.selections) + "\n" ==
          read_text_vector(entry.path().parent_path() / "selection"));
    const auto plain = read_file(entry.path().parent_path() / "plain.pcrs");
    const ClaimedPcrs bare = parse_pcrs_values(plain, pcrs.selections);
    CHECK(bare.values == pcrs.values);
    CHECK(parse_pcrs(plain, pcrs.selections).values == pcrs.values);
    CHECK(parse_pcrs(bytes, pcrs.selections).values == pcrs.values);
    ++seen;
  }
  CHECK(seen >= 12);
}

TEST_CASE("an image cut short anywhere or with a byte more is malformed") {
  auto bytes = image();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(image_error(Bytes(bytes).first(n)).ends_with("input ends inside this field"));
  }
  bytes.push_back(0);
  CHECK(image_error(bytes) ==
        "PCR values (serialized): byte 1200: PCR values (serialized): has bytes after its end");
}

TEST_CASE("an image with one field wrong is malformed") {
  const auto [offset, value, words] = GENERATE(table<std::size_t, int, std::string>({
      {0, 17, "byte 4: pcrSelections.count: more than 16 selections"},
      {3, 1, "byte 4: pcrSelections.count: more than 16 selections"},
      {0, 1, "byte 132: pcrSelections: unused bytes are not zero"},
      {0, 3, "byte 23: pcrSelections.sizeofSelect: not 3"},
      {6, 1, "byte 7: pcrSelections.sizeofSelect: not 3"},
      {6, 2, "byte 7: pcrSelections.sizeofSelect: not 3"},
      {6, 4, "byte 7: pcrSelections.sizeofSelect: not 3"},
      {6, 0, "byte 7: pcrSelections.sizeofSelect: not 3"},
      {10, 1, "byte 12: pcrSelections.pcrSelect: unused bytes are not zero"},
      {11, 1, "byte 12: pcrSelections.pcrSelect: unused bytes are not zero"},
      {20, 1, "byte 132: pcrSelections: unused bytes are not zero"},
      {131, 1, "byte 132: pcrSelections: unused bytes are not zero"},
      {132, 1, "byte 136: number of digest lists: not what the selected PCRs need"},
      {132, 3, "byte 136: number of digest lists: not what the selected PCRs need"},
      {135, 1, "byte 136: number of digest lists: not what the selected PCRs need"},
      {136, 7, "byte 140: digests.count: not one for each selected PCR"},
      {136, 9, "byte 140: digests.count: not one for each selected PCR"},
      {668, 1, "byte 672: digests.count: not one for each selected PCR"},
      {668, 3, "byte 672: digests.count: not one for each selected PCR"},
      {7, 0x03, "byte 672: digests.count: not one for each selected PCR"},
      {7, 0x00, "byte 672: digests.count: not one for each selected PCR"},
      {140, 65, "byte 142: digests.size: larger than its type allows"},
      {141, 1, "byte 142: digests.size: larger than its type allows"},
      {140, 19, "byte 206: digests.buffer: unused bytes are not zero"},
      {162, 1, "byte 206: digests.buffer: unused bytes are not zero"},
      {205, 1, "byte 206: digests.buffer: unused bytes are not zero"},
      {804, 1, "byte 1200: digests: unused bytes are not zero"},
      {1199, 1, "byte 1200: digests: unused bytes are not zero"},
  }));
  CAPTURE(offset, value);
  CHECK(image_error(with(offset, static_cast<std::uint8_t>(value))) ==
        "PCR values (serialized): " + words);
}

TEST_CASE("an image's digest sizes are not compared with its banks") {
  auto bytes = image();
  bytes[140] = 21;  // one of the zero bytes behind the SHA-1 value becomes part of it
  const ClaimedPcrs pcrs = parse_pcrs_serialized(bytes);
  CHECK(pcrs.values[0].size() == 21);
}

TEST_CASE("bare values belong to the selections in order, ascending within each") {
  const std::vector<PcrSelection> selections{
      {kSha256, 3, 0x3}, {kSha1, 3, 0}, {kSha1, 3, 0x800000}};
  const auto bytes = Writer().fill(32, 1).fill(32, 2).fill(20, 3).out;
  const ClaimedPcrs pcrs = parse_pcrs_values(bytes, selections);
  REQUIRE(pcrs.values.size() == 3);
  CHECK(pcrs.values[0].all(1));
  CHECK(pcrs.values[1].all(2));
  CHECK(pcrs.values[2].all(3));
  CHECK(pcrs.values[2].size() == 20);
  CHECK(pcrs.selections.size() == 3);
  CHECK(parse_pcrs_values({}, {}).values.empty());
}

TEST_CASE("bare values of any other size than the selections need are malformed") {
  const std::vector<PcrSelection> selections{{kSha256, 3, 0x3}};
  const std::vector<std::uint8_t> bytes(65);
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    if (n == 64) continue;
    CHECK(values_error(Bytes(bytes).first(n), selections) ==
          "PCR values: byte 0: values: not the 64 bytes that the selection needs");
  }
  CHECK(values_error(Bytes(bytes).first(64), selections) == "accepted");
}

TEST_CASE("bare values of a bank whose digest size is not known are malformed") {
  CHECK(values_error(std::vector<std::uint8_t>(32), {{kUnknown, 3, 1}}) ==
        "PCR values: byte 0: values: of a bank whose digests' size is not known");
  CHECK(values_error({}, {{kUnknown, 3, 0}}) == "accepted");
}

TEST_CASE("the size decides which form PCR values have, and only one fits") {
  const std::vector<PcrSelection> ten{{kSha1, 3, 0x401}, {kSha256, 3, 0xff}};
  CHECK(parse_pcrs(image(), ten).values.size() == 10);
  CHECK(parse_pcrs(image(), {}).values.size() == 10);
  CHECK(parse_pcrs(image(), {{kUnknown, 3, 1}}).values.size() == 10);
  const auto bare = Writer().fill(2 * 20 + 8 * 32, 9).out;
  CHECK(parse_pcrs(bare, ten).values.size() == 10);
  // 136 zero bytes: the values of five PCRs that nothing extended, not an image that selects none.
  const std::vector<PcrSelection> five{{kSha1, 3, 0x810000}, {kSha256, 3, 0x910000}};
  CHECK(parse_pcrs(std::vector<std::uint8_t>(136), five).values.size() == 5);
  CHECK(parse_pcrs(std::vector<std::uint8_t>(136), ten).values.empty());
}

TEST_CASE("PCR values of neither form are malformed, and the message says what was wanted") {
  const std::vector<PcrSelection> selections{{kSha256, 3, 0x3}};
  const std::string words =
      "values: neither of the serialized form nor as long as the values of sha256:0,1";
  const auto error = [&](std::size_t size) {
    return parse_error_of([&] { return parse_pcrs(std::vector<std::uint8_t>(size), selections); });
  };
  CHECK(error(0) == "PCR values: byte 0: " + words);
  CHECK(error(63) == "PCR values: byte 63: " + words);
  CHECK(error(135) == "PCR values: byte 135: " + words);
  CHECK(error(137) == "PCR values: byte 137: " + words);
  CHECK(error(kImageSize + 1) == "PCR values: byte 1201: " + words);
  CHECK(error(668) ==
        "PCR values (serialized): byte 136: PCR values (serialized): has bytes after its end");
}

TEST_CASE("what shows that there was no dynamic launch") {
  using attest::crypto::Digest;
  for (std::uint32_t pcr = 0; pcr < 40; ++pcr) {
    CAPTURE(pcr);
    const bool of_launch = pcr >= 17 && pcr <= 22;
    CHECK(attest::tpm::is_launch_pcr(pcr) == of_launch);
    CHECK(attest::tpm::shows_no_launch(pcr, Digest::filled(32, 0xff)) == of_launch);
    CHECK(attest::tpm::shows_no_launch(pcr, Digest::filled(32, 0)) == (pcr == 17));
    CHECK_FALSE(attest::tpm::shows_no_launch(pcr, Digest::filled(32, 1)));
  }
}
