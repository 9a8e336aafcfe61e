// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/quote.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <utility>

#include "libattest/base/hex.h"
#include "tests/support/bytes.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::tpm::ClaimedQuote;
using attest::tpm::parse_quote;

namespace {

// A valid quote, field by field, so that a test can break one of them.
struct Quote {
  std::uint32_t magic = 0xff544347;
  std::uint16_t type = 0x8018;
  std::size_t signer = 34;
  std::size_t nonce = 20;
  std::uint8_t safe = 1;
  std::uint32_t selections = 1;
  std::uint8_t size_of_select = 3;
  std::size_t digest = 32;

  std::vector<std::uint8_t> bytes() const {
    Writer w;
    w.be(magic).be(type);
    w.be(static_cast<std::uint16_t>(signer)).fill(signer, 0x5a);
    w.be(static_cast<std::uint16_t>(nonce)).fill(nonce, 0x42);
    w.be<std::uint64_t>(0x0102030405060708).be<std::uint32_t>(9).be<std::uint32_t>(10).be(safe);
    w.be<std::uint64_t>(0x1112131415161718);
    w.be(selections);
    for (std::uint32_t i = 0; i < selections && i < 20; ++i) {
      w.be<std::uint16_t>(0x000b).be(size_of_select).fill(size_of_select, 0x81);
    }
    w.be(static_cast<std::uint16_t>(digest)).fill(digest, 0x77);
    return w.out;
  }
};

std::string error_of(Bytes in) {
  return parse_error_of([&] { return parse_quote(in); });
}

}  // namespace

TEST_CASE("a quote's fields are read") {
  const auto bytes = Quote{}.bytes();
  const ClaimedQuote q = parse_quote(bytes);
  CHECK(q.is_quote());
  CHECK(q.raw.data() == bytes.data());
  CHECK(q.raw.size() == bytes.size());
  CHECK(q.qualified_signer.size() == 34);
  CHECK(q.qualified_signer[0] == 0x5a);
  CHECK(q.extra_data.size() == 20);
  CHECK(q.extra_data[19] == 0x42);
  CHECK(q.clock == 0x0102030405060708);
  CHECK(q.reset_count == 9);
  CHECK(q.restart_count == 10);
  CHECK(q.clock_safe);
  CHECK(q.firmware_version == 0x1112131415161718);
  REQUIRE(q.selections.size() == 1);
  CHECK(q.selections[0].mask == 0x818181);
  CHECK(q.pcr_digest.size() == 32);
  CHECK(q.pcr_digest[31] == 0x77);
}

TEST_CASE("real quotes carry the nonce and the selection they were asked for") {
  const auto nonce = read_text_vector("tpm2/nonce.hex").substr(0, 64);
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(vectors_dir() / "tpm2")) {
    if (entry.path().filename() != "quote.msg") continue;
    if (entry.path().parent_path().filename() == "forged") continue;
    CAPTURE(entry.path());
    const auto bytes = read_file(entry.path());
    const ClaimedQuote q = parse_quote(bytes);
    CHECK(attest::to_hex(q.extra_data) == nonce);
    CHECK(attest::tpm::describe(q.selections) + "\n" ==
          read_text_vector(entry.path().parent_path() / "selection"));
    CHECK(q.clock_safe);
    CHECK(q.qualified_signer.size() == 34);
    ++seen;
  }
  CHECK(seen >= 12);
}

TEST_CASE("a quote cut short anywhere is malformed") {
  const auto bytes = Quote{}.bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(error_of(Bytes(bytes).first(n)).ends_with("input ends inside this field"));
  }
}

TEST_CASE("a byte after a quote is malformed") {
  auto bytes = Quote{}.bytes();
  bytes.push_back(0);
  CHECK(error_of(bytes) == "TPMS_ATTEST: byte 133: TPMS_ATTEST: has bytes after its end");
}

TEST_CASE("a quote with one field beyond its type's bounds is malformed") {
  const auto [quote, words] = GENERATE(table<Quote, std::string>({
      {Quote{.signer = 69}, "byte 8: qualifiedSigner: larger than its type allows"},
      {Quote{.nonce = 65}, "byte 44: extraData: larger than its type allows"},
      {Quote{.safe = 2}, "byte 81: clockInfo.safe: neither YES nor NO"},
      {Quote{.safe = 0xff}, "byte 81: clockInfo.safe: neither YES nor NO"},
      {Quote{.selections = 17}, "byte 93: pcrSelect.count: more than 16 selections"},
      {Quote{.selections = 0xffffffff}, "byte 93: pcrSelect.count: more than 16 selections"},
      {Quote{.size_of_select = 5}, "byte 96: pcrSelect.sizeofSelect: more than 32 PCRs"},
      {Quote{.digest = 65}, "byte 101: attested.quote.pcrDigest: larger than its type allows"},
  }));
  CHECK(error_of(quote.bytes()) == "TPMS_ATTEST: " + words);
}

TEST_CASE("a quote at its types' bounds is well formed") {
  CHECK(
      error_of(Quote{.signer = 68, .nonce = 64, .selections = 16, .size_of_select = 4, .digest = 64}
                   .bytes()) == "accepted");
  CHECK(error_of(Quote{.signer = 0, .nonce = 0, .selections = 0, .digest = 0}.bytes()) ==
        "accepted");
  CHECK_FALSE(parse_quote(Quote{.safe = 0}.bytes()).clock_safe);
}

TEST_CASE("of an attestation that is no quote, nothing but magic and type is read") {
  const auto [magic, type] = GENERATE(table<std::uint32_t, std::uint16_t>({
      {0xff544348, 0x8018},
      {0x00000000, 0x8018},
      {0x474354ff, 0x8018},
      {0xff544347, 0x8014},
      {0xff544347, 0x8017},
      {0xff544347, 0x1880},
      {0x00000000, 0x0000},
  }));
  const auto bytes = Quote{.magic = magic, .type = type, .safe = 7}.bytes();
  const ClaimedQuote q = parse_quote(bytes);
  CHECK_FALSE(q.is_quote());
  CHECK(q.magic == magic);
  CHECK(q.type == type);
  CHECK(q.raw.size() == bytes.size());
  CHECK(q.qualified_signer.empty());
  CHECK(q.extra_data.empty());
  CHECK(q.clock == 0);
  CHECK_FALSE(q.clock_safe);
  CHECK(q.selections.empty());
  CHECK(q.pcr_digest.empty());
}

TEST_CASE("a certification made by TPM2_Certify is not a quote") {
  const auto bytes = read_vector("tpm2/cred/certify.attest");
  const ClaimedQuote q = parse_quote(bytes);
  CHECK(q.magic == attest::tpm::kGeneratedValue);
  CHECK(q.type == 0x8017);
  CHECK_FALSE(q.is_quote());
  CHECK(q.extra_data.empty());
}

TEST_CASE("an attestation of more than 4 KiB is not read") {
  const std::vector<std::uint8_t> bytes(4097);
  CHECK(error_of(bytes) == "TPMS_ATTEST: byte 4096: TPMS_ATTEST: larger than 4 KiB");
  CHECK(error_of(Bytes(bytes).first(4096)) == "accepted");  // of magic 0
}
