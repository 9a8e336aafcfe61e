// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/text.h"

#include <catch2/catch.hpp>
#include <limits>

using attest::Lines;
using attest::parse_decimal;
using attest::printable;
using attest::strip;

TEST_CASE("ordinary text is printed as it is") {
  CHECK(printable("").empty());
  CHECK(printable("/usr/bin/ncat -e 'x' \"y\" ~") == "/usr/bin/ncat -e 'x' \"y\" ~");
  CHECK(printable("/home/j\xc3\xbcrgen/\xe6\x97\xa5\xe6\x9c\xac/\xf0\x9f\x98\x80") ==
        "/home/j\xc3\xbcrgen/\xe6\x97\xa5\xe6\x9c\xac/\xf0\x9f\x98\x80");
}

TEST_CASE("what could forge a log line or change how it is shown is escaped") {
  const auto [text, shown] = GENERATE(table<std::string, std::string>({
      {"a\nb", "a\\x0ab"},
      {"a\r\tb", "a\\x0d\\x09b"},
      {"\x1b[31m", "\\x1b[31m"},
      {std::string("a\0b", 3), "a\\x00b"},
      {"\x7f", "\\x7f"},
      {"\\n", "\\\\n"},
      {"\xc2\x85", "\\xc2\\x85"},  // next line
      {"\xc2\xa0", "\\xc2\\xa0"},  // no-break space
      {"\xc2\xad", "\\xc2\\xad"},  // soft hyphen
      {"\xe2\x80\xae"
       "cba",
       "\\xe2\\x80\\xaecba"},                        // right-to-left override
      {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},           // left-to-right isolate
      {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},           // zero-width space
      {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},           // line separator
      {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},           // byte order mark
      {"\xee\x80\x80", "\\xee\\x80\\x80"},           // private use
      {"\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81"},  // tag character
  }));
  CHECK(printable(text) == shown);
}

TEST_CASE("broken UTF-8 is escaped byte by byte and what follows is still read") {
  const auto [text, shown] = GENERATE(table<std::string, std::string>({
      {"\x80z", "\\x80z"},                  // a continuation alone
      {"\xc3z", "\\xc3z"},                  // a lead alone
      {"\xc3", "\\xc3"},                    // cut short
      {"\xe2\x82", "\\xe2\\x82"},           // cut short
      {"\xc0\xaf", "\\xc0\\xaf"},           // overlong, two bytes
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},  // overlong, three bytes
      {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
  }));
  CHECK(printable(text) == shown);
}

TEST_CASE("long text is cut at its limit and says so") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef...");
  CHECK(printable(std::string(1000, '\n'), 8) == "\\x0a\\x0a...");
  CHECK(printable(std::string(1000, 'x')).size() == 259);
  CHECK(printable("abc", 0) == "...");
}

TEST_CASE("UTF-8 is told from what only looks like it") {
  using attest::is_utf8;
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string_view("a\0b", 3)));
  CHECK(is_utf8("\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80\xe2\x80\xae"));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("abc\xc3"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));
  CHECK_FALSE(
      is_utf8("abc\xff"
              "def"));
}

TEST_CASE("decimal numbers are read up to a limit") {
  CHECK(parse_decimal("0", 10) == 0U);
  CHECK(parse_decimal("10", 10) == 10U);
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  CHECK(parse_decimal("18446744073709551615", kMax) == kMax);
  CHECK_FALSE(parse_decimal("18446744073709551616", kMax));
  CHECK_FALSE(parse_decimal("99999999999999999999", kMax));
  CHECK_FALSE(parse_decimal("11", 10));
  CHECK_FALSE(parse_decimal("9", 8));
  CHECK_FALSE(parse_decimal("1", 0));
  CHECK(parse_decimal("0", 0) == 0U);
}

TEST_CASE("a decimal number has nothing but its digits") {
  const std::string text =
      GENERATE("", " 1", "1 ", "+1", "-1", "01", "00", "1a", "0x1", "1.0", "1e3", "\xd9\xa1");
  CAPTURE(text);
  CHECK_FALSE(parse_decimal(text, 1000));
}

TEST_CASE("white space is stripped from both ends only") {
  CHECK(strip(" \t\r\n\v\f a b \n") == "a b");
  CHECK(strip(" \n").empty());
  CHECK(strip("").empty());
  CHECK(strip("\xc2\xa0x") == "\xc2\xa0x");
}

TEST_CASE("lines are counted, and the last may lack its newline") {
  Lines lines("one\n\nthree");
  CHECK(lines.number() == 0);
  CHECK(lines.next() == "one");
  CHECK(lines.next() == "");
  CHECK(lines.number() == 2);
  CHECK(lines.next() == "three");
  CHECK(lines.number() == 3);
  CHECK_FALSE(lines.next());
  CHECK(lines.number() == 3);
  Lines ended("one\n");
  CHECK(ended.next() == "one");
  CHECK_FALSE(ended.next());
  CHECK_FALSE(Lines("").next());
}
