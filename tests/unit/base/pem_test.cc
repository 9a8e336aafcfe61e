// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/pem.h"

#include <catch2/catch.hpp>

#include "libattest/base/text.h"
#include "tests/support/parse_error.h"

using attest::looks_like_pem;
using attest::parse_pem;

namespace {

const std::string kGood = "-----BEGIN PUBLIC KEY-----\nZm9v\nYmFy\n-----END PUBLIC KEY-----\n";

std::string error_of(std::string_view text) {
  return parse_error_of([&] { return parse_pem(text); });
}

}  // namespace

TEST_CASE("a PEM block is its label and its data") {
  const attest::PemBlock block = parse_pem(kGood);
  CHECK(block.label == "PUBLIC KEY");
  CHECK(attest::as_text(block.data) == "foobar");
  CHECK(looks_like_pem(kGood));
  CHECK_FALSE(looks_like_pem(" " + kGood));
  CHECK_FALSE(looks_like_pem(""));
}

TEST_CASE("PEM may come with CR LF, space at the end of lines, and no last newline") {
  const std::string text = GENERATE("-----BEGIN X-----\r\nZm9v\r\nYmFy\r\n-----END X-----\r\n",
                                    "-----BEGIN X----- \nZm9vYmFy\t\n-----END X----- \n\n \n",
                                    "-----BEGIN X-----\nZm9vYmFy\n-----END X-----",
                                    "-----BEGIN X-----\n\nZm9v\nYm\nFy\n-----END X-----\n");
  CAPTURE(text);
  CHECK(attest::as_text(parse_pem(text).data) == "foobar");
}

TEST_CASE("PEM with one thing wrong is malformed") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"", "PEM: line 1: not a \"-----BEGIN ...-----\" line"},
      {"x\n" + kGood, "PEM: line 1: not a \"-----BEGIN ...-----\" line"},
      {"-----BEGIN -----\n", "PEM: line 1: not a \"-----BEGIN ...-----\" line"},
      {"-----BEGIN X----\nZm9v\n-----END X----\n",
       "PEM: line 1: not a \"-----BEGIN ...-----\" line"},
      {"-----BEGIN X-----\nZm9v\n", "PEM: line 2: ends before its \"-----END ...-----\" line"},
      {"-----BEGIN X-----", "PEM: line 1: ends before its \"-----END ...-----\" line"},
      {"-----BEGIN X-----\nZm9v\n-----END Y-----\n", "PEM: line 3: not the block's END line"},
      {"-----BEGIN X-----\nZm9v\n-----END X----\n", "PEM: line 3: not the block's END line"},
      {"-----BEGIN X-----\n" + kGood, "PEM: line 2: not the block's END line"},
      {"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n-----END X-----\n",
       "PEM: line 2: header line: encrypted blocks are not read"},
      {kGood + kGood, "PEM: line 5: more than one PEM block"},
      {kGood + "\nmore", "PEM: line 6: text after the PEM block"},
      {"-----BEGIN X-----\nZm9\n-----END X-----\n", "PEM: line 2: not base64"},
      {"-----BEGIN X-----\nZm 9v\n-----END X-----\n", "PEM: line 2: not base64"},
      {"-----BEGIN X-----\nZg==\nZg==\n-----END X-----\n", "PEM: line 2: not base64"},
      {"-----BEGIN X-----\n-----END X-----\n", "PEM: line 2: an empty block"},
      {std::string(65537, '-'), "PEM: line 1: larger than 64 KiB"},
  }));
  CHECK(error_of(text) == words);
}

TEST_CASE("PEM cut short anywhere before its end line is complete is malformed") {
  const std::size_t whole = kGood.size() - 1;  // the last newline may be absent
  for (std::size_t n = 0; n < whole; ++n) {
    CAPTURE(n);
    CHECK(error_of(kGood.substr(0, n)) != "accepted");
  }
  CHECK(error_of(kGood.substr(0, whole)) == "accepted");
}
