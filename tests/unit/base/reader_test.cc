// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/reader.h"

#include <array>
#include <catch2/catch.hpp>

#include "tests/support/parse_error.h"

using attest::Bytes;
using attest::ParseError;
using attest::Reader;

namespace {

constexpr std::array<std::uint8_t, 8> kBytes{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

}  // namespace

TEST_CASE("integers are read in both byte orders") {
  CHECK(Reader(kBytes, "T").u8("f") == 0x01);
  CHECK(Reader(kBytes, "T").u16be("f") == 0x0123);
  CHECK(Reader(kBytes, "T").u32be("f") == 0x01234567);
  CHECK(Reader(kBytes, "T").u64be("f") == 0x0123456789abcdefULL);
  CHECK(Reader(kBytes, "T").u16le("f") == 0x2301);
  CHECK(Reader(kBytes, "T").u32le("f") == 0x67452301);
  CHECK(Reader(kBytes, "T").u64le("f") == 0xefcdab8967452301ULL);
}

TEST_CASE("fields follow one another") {
  Reader r(kBytes, "T");
  CHECK(r.u16be("a") == 0x0123);
  CHECK(r.offset() == 2);
  CHECK(r.remaining() == 6);
  CHECK(r.take(3, "b")[0] == 0x45);
  CHECK(r.rest().size() == 3);
  CHECK(r.done());
  CHECK(r.rest().empty());
  CHECK_NOTHROW(r.expect_end("T"));
}

TEST_CASE("a field that the input ends in is malformed, and nothing of it is read") {
  Reader r(kBytes, "T");
  (void)r.take(5, "head");
  CHECK(parse_error_of([&] { return r.u32be("tail"); }) ==
        "T: byte 5: tail: input ends inside this field");
  CHECK(r.remaining() == 3);
  CHECK(parse_error_of([&] { return r.take(static_cast<std::size_t>(-1), "huge"); }) ==
        "T: byte 5: huge: input ends inside this field");
  CHECK(parse_error_of([] { return Reader({}, "T").u8("f"); }) ==
        "T: byte 0: f: input ends inside this field");
}

TEST_CASE("a child reader ends with its record and counts offsets from the outermost input") {
  Reader r(kBytes, "T");
  (void)r.u8("head");
  Reader child = r.sub(3, "record");
  CHECK(r.offset() == 4);
  CHECK(child.offset() == 1);
  CHECK(child.u16be("a") == 0x2345);
  CHECK(parse_error_of([&] { return child.u16be("b"); }) ==
        "T: byte 3: b: input ends inside this field");
  CHECK(parse_error_of([&] { return r.sub(5, "record"); }) ==
        "T: byte 4: record: input ends inside this field");
}

TEST_CASE("bytes that nobody read are malformed") {
  Reader r(kBytes, "T");
  (void)r.take(7, "most");
  CHECK(parse_error_of([&] {
          r.expect_end("T");
          return 0;
        }) == "T: byte 7: T: has bytes after its end");
}

TEST_CASE("an error carries its offset, and none for a text format") {
  CHECK(ParseError("F", 12, "field", "why").offset() == 12);
  const ParseError text("policy", "/pcrs/0", "not a string");
  CHECK(text.offset() == 0);
  CHECK(std::string(text.what()) == "policy: /pcrs/0: not a string");
}
