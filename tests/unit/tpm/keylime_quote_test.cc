// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/keylime_quote.h"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <stdexcept>
#include <utility>

#include "libattest/base/base64.h"
#include "libattest/base/text.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::Bytes;
using attest::to_base64;
using attest::tpm::KeylimeQuote;
using attest::tpm::parse_keylime_quote;

namespace {

using Part = std::vector<std::uint8_t>;

Part deflated(Bytes in, int level = Z_DEFAULT_COMPRESSION) {
  uLongf size = compressBound(static_cast<uLong>(in.size()));
  Part out(size);
  if (compress2(out.data(), &size, in.data(), static_cast<uLong>(in.size()), level) != Z_OK) {
    throw std::runtime_error("zlib can not compress");
  }
  out.resize(size);
  return out;
}

std::string joined(const Part& attest, const Part& signature, const Part& pcrs) {
  return "r" + to_base64(attest) + ":" + to_base64(signature) + ":" + to_base64(pcrs);
}

Part sample(const std::string& name) {
  return read_vector("tpm2/ak_rsassa_sha256/quote_sha1_sha256/" + name);
}

std::string error_of(std::string_view text) {
  return parse_error_of([&] { return parse_keylime_quote(text); });
}

const Part kPart{0xff, 0x01};

}  // namespace

TEST_CASE("a quote string holds the three files of tpm2_quote, compressed or not") {
  const bool compressed = GENERATE(false, true);
  const Part attest = sample("quote.msg");
  const Part signature = sample("quote.sig");
  const Part pcrs = sample("quote.pcrs");
  const KeylimeQuote q =
      parse_keylime_quote(compressed ? joined(deflated(attest), deflated(signature), deflated(pcrs))
                                     : joined(attest, signature, pcrs));
  CHECK(q.attest == attest);
  CHECK(q.signature == signature);
  CHECK(q.pcrs == pcrs);
  CHECK(q.compressed == compressed);
}

TEST_CASE("every deflate level inflates again") {
  const int level = GENERATE(0, 1, 9);
  const Part z = deflated(sample("quote.pcrs"), level);
  CHECK(parse_keylime_quote(joined(z, z, z)).pcrs == sample("quote.pcrs"));
}

TEST_CASE("a quote string with one thing wrong is malformed") {
  const std::string b = to_base64(kPart);
  const auto [text, words] = GENERATE_REF(table<std::string, std::string>({
      {"", "text: does not begin with \"r\""},
      {b + ":" + b + ":" + b, "text: does not begin with \"r\""},
      {"d" + b + ":" + b + ":" + b, "text: does not begin with \"r\""},
      {" r" + b + ":" + b + ":" + b, "text: does not begin with \"r\""},
      {"r" + b, "text: fewer than three parts"},
      {"r" + b + ":" + b, "text: fewer than three parts"},
      {"r" + b + ":" + b + ":" + b + ":", "text: more than three parts"},
      {"r" + b + ":" + b + ":" + b + ":" + b, "text: more than three parts"},
      {"r:" + b + ":" + b, "TPMS_ATTEST: empty"},
      {"r" + b + "::" + b, "TPMT_SIGNATURE: empty"},
      {"r" + b + ":" + b + ":", "PCR values: empty"},
      {"r" + b + "\n:" + b + ":" + b, "TPMS_ATTEST: not base64"},
      {"r" + b + ":_w==:" + b, "TPMT_SIGNATURE: not base64"},
      {"r" + b + ":" + b + ":" + b + "\n", "PCR values: not base64"},
      {"r" + b + ":" + b + ":" + b.substr(0, b.size() - 1), "PCR values: not base64"},
      {"r" + std::string(65536, 'A'), "text: larger than 64 KiB"},
  }));
  CHECK(error_of(text) == "Keylime quote: " + words);
}

TEST_CASE("either all parts are compressed or none is") {
  const Part z = deflated(kPart);
  CHECK(error_of(joined(z, z, z)) == "accepted");
  const std::string words = ": not compressed as the other parts are";
  CHECK(error_of(joined(z, kPart, z)) == "Keylime quote: TPMT_SIGNATURE" + words);
  CHECK(error_of(joined(z, z, kPart)) == "Keylime quote: PCR values" + words);
  CHECK(error_of(joined(kPart, z, z)) == "Keylime quote: TPMT_SIGNATURE" + words);
  CHECK(error_of(joined(kPart, kPart, z)) == "Keylime quote: PCR values" + words);
}

TEST_CASE("a part inflates to at most 4 KiB") {
  const auto of = [](std::size_t size) { return deflated(Part(size, 0x41)); };
  const Part z = deflated(kPart);
  CHECK(parse_keylime_quote(joined(z, z, of(4096))).pcrs.size() == 4096);
  const std::string words = "Keylime quote: PCR values: inflates to more than 4 KiB";
  CHECK(error_of(joined(z, z, of(4097))) == words);
  CHECK(error_of(joined(z, z, of(16 * 1024 * 1024))) == words);
}

TEST_CASE("a part that inflates to nothing is malformed") {
  const Part z = deflated(kPart);
  CHECK(error_of(joined(z, deflated({}), z)) == "Keylime quote: TPMT_SIGNATURE: empty");
}

TEST_CASE("a zlib stream cut short anywhere is malformed") {
  const Part z = deflated(sample("quote.pcrs"));
  for (std::size_t n = 1; n < z.size(); ++n) {
    CAPTURE(n);
    CHECK(error_of(joined(z, z, Part(z.begin(), z.begin() + static_cast<std::ptrdiff_t>(n)))) ==
          "Keylime quote: PCR values: zlib stream is cut short");
  }
}

TEST_CASE("bytes after a zlib stream are malformed") {
  const Part z = deflated(kPart);
  Part more = z;
  more.push_back(0);
  CHECK(error_of(joined(z, z, more)) == "Keylime quote: PCR values: bytes after the zlib stream");
  Part twice = z;
  twice.insert(twice.end(), z.begin(), z.end());
  CHECK(error_of(joined(twice, z, z)) == "Keylime quote: TPMS_ATTEST: bytes after the zlib stream");
}

TEST_CASE("a damaged zlib stream is malformed") {
  const Part z = deflated(sample("quote.msg"));
  const std::string words = "Keylime quote: TPMS_ATTEST: zlib stream is damaged";
  Part bad = z;
  bad.back() = static_cast<std::uint8_t>(bad.back() ^ 1U);  // Adler-32
  CHECK(error_of(joined(bad, z, z)) == words);
  bad = z;
  bad[1] = static_cast<std::uint8_t>(bad[1] ^ 1U);  // FCHECK
  CHECK(error_of(joined(bad, z, z)) == words);
  const Part dictionary{0x78, 0xbb, 0, 0, 0, 1};  // FDICT: wants a dictionary that nobody has
  CHECK(error_of(joined(dictionary, z, z)) == words);
}
