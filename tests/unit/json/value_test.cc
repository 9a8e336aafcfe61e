// SPDX-License-Identifier: Apache-2.0

#include "libattest/json/value.h"

#include <catch2/catch.hpp>
#include <string>

#include "libattest/base/error.h"

using attest::ParseError;
using attest::json::Document;
using attest::json::Value;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

Document parse(std::string_view text) { return Document::parse(text, "some policy"); }

std::string why_not(std::string_view text) {
  try {
    parse(text);
  } catch (const ParseError& e) {
    return e.what();
  }
  return "accepted";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

constexpr std::string_view kExample =
    R"({"a": [1, "two", true, null, {"b": -3}], "": {"x/y~z": false}, "n": 18446744073709551615})";

}  // namespace

TEST_CASE("a document's values are read by key and by index") {
  const Document document = parse(kExample);
  const Value root = document.root();
  REQUIRE(root.is_object());
  const Value a = root.at("a");
  REQUIRE(a.is_array());
  REQUIRE(a.size() == 5);
  CHECK(a.at(std::size_t{0}).number(1) == 1);
  CHECK(a.at(1).string() == "two");
  CHECK(a.at(1).is_string());
  CHECK(a.at(2).boolean());
  CHECK(a.at(3).is_null());
  CHECK_FALSE(a.is_null());
  CHECK_FALSE(root.at("").at("x/y~z").boolean());
  CHECK(root.at("n").number(~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK_FALSE(root.find("b"));
  REQUIRE(root.find("n"));
}

TEST_CASE("members come in the text's order") {
  const Document document = parse(R"({"z": 1, "a": 2, "m": 3})");
  const auto members = document.root().members();
  REQUIRE(members.size() == 3);
  CHECK(members[0].first == "z");
  CHECK(members[1].first == "a");
  CHECK(members[2].first == "m");
  CHECK(members[2].second.number(3) == 3);
}

TEST_CASE("a value's path is an RFC 6901 pointer") {
  const Document document = parse(kExample);
  const Value root = document.root();
  CHECK(root.path().empty());
  CHECK(root.at("a").at(4).at("b").path() == "/a/4/b");
  CHECK(root.at("").at("x/y~z").path() == "//x~1y~0z");
  CHECK(root.at("n").path() == "/n");
}

TEST_CASE("values stay valid when their document moves") {
  Document first = parse(kExample);
  const Value two = first.root().at("a").at(1);
  Document second = std::move(first);
  CHECK(two.string() == "two");
  second = parse("[7]");
  CHECK(second.root().at(std::size_t{0}).number(7) == 7);
}

TEST_CASE("a value of another type is refused with its path") {
  const Document document = parse(kExample);
  const Value root = document.root();
  const Value a = root.at("a");
  CHECK_THROWS_WITH(a.string(), Equals("some policy: /a: is not a string"));
  CHECK_THROWS_WITH(a.boolean(), Equals("some policy: /a: is not true or false"));
  CHECK_THROWS_WITH(a.number(7), Equals("some policy: /a: is not a whole number from 0 to 7"));
  CHECK_THROWS_WITH(a.members(), Equals("some policy: /a: is not an object"));
  CHECK_THROWS_WITH(a.find("b"), Equals("some policy: /a: is not an object"));
  CHECK_THROWS_WITH(a.at(5), Equals("some policy: /a: has no element 5"));
  CHECK_THROWS_WITH(a.at(4).at("c"), Equals("some policy: /a/4: has no \"c\""));
  CHECK_THROWS_WITH(root.size(), Equals("some policy: top level: is not an array"));
  CHECK_THROWS_WITH(root.only({"a", "n"}), Equals("some policy: /: unknown key"));
  CHECK_NOTHROW(root.only({"", "a", "n"}));
  CHECK_THROWS_AS(root.fail("x"), ParseError);
}

TEST_CASE("a number is whole, not negative and not too large") {
  const auto text = GENERATE("-1", "-0", "1.0", "0.5", "1e2", "18446744073709551616", "-2147483649",
                             "-9223372036854775808", "11", "\"1\"", "true", "null");
  const Document document = parse(text);
  CHECK_THROWS_WITH(document.root().number(10), Contains("is not a whole number from 0 to 10"));
}

TEST_CASE("a key that is there twice is refused with its path") {
  CHECK(why_not(R"({"a": 1, "a": 1})") == "some policy: /a: this key is there twice");
  CHECK(why_not(R"({"x": [0, {"y": {"b": 1, "c": 2, "b": 3}}]})") ==
        "some policy: /x/1/y/b: this key is there twice");
  CHECK(why_not(R"({"a": 1, "\u0061": 1})") == "some policy: /a: this key is there twice");
  CHECK(why_not(R"({"a": {"b": 1}, "b": 1})") == "accepted");
  CHECK(why_not("{\"\\u001b\": 1, \"\\u001b\": 1}") ==
        "some policy: /\\x1b: this key is there twice");
}

TEST_CASE("text that is not JSON is refused with its offset") {
  CHECK(why_not("") == "some policy: byte 0: JSON: The document is empty");
  CHECK(why_not("{} x") ==
        "some policy: byte 3: JSON: The document root must not be followed by other values");
  CHECK_THAT(why_not("[1,]"), Contains("byte 3"));
  CHECK_THAT(why_not("{\"a\":1,}"), Contains("byte 7"));
  CHECK_THAT(why_not("[1 2]"), Contains("byte 3"));
  CHECK_THAT(why_not("// c\n{}"), Contains("byte 0"));
  CHECK_THAT(why_not("[NaN]"), Contains("byte 1"));
  CHECK_THAT(why_not("[01]"), Contains("byte 2"));
  CHECK_THAT(why_not("[1e999]"), Contains("JSON: Number too big"));
  CHECK_THAT(why_not("[\"\n\"]"), Contains("JSON"));
  CHECK_THAT(why_not("['a']"), Contains("JSON"));
  CHECK_THAT(why_not("\xef\xbb\xbf{}"), Contains("byte 0"));
}

TEST_CASE("a NUL does not end a document") {
  using namespace std::string_literals;
  CHECK(why_not("{}\0"s) == "some policy: byte 2: JSON: has bytes after its end");
  CHECK(why_not("{} \0{\"a\": 1}"s) == "some policy: byte 3: JSON: has bytes after its end");
  CHECK_THAT(why_not("\0{}"s), Contains("byte 0"));
  CHECK_THAT(why_not("[\0]"s), Contains("byte 1"));
  CHECK(parse("\"a\\u0000b\"").root().string() == "a\0b"s);
}

TEST_CASE("strings are UTF-8, escapes included") {
  CHECK(parse(R"("\u00e9\ud83d\ude00")").root().string() == "\xc3\xa9\xf0\x9f\x98\x80");
  CHECK_THAT(why_not("[\"\xff\"]"), Contains("byte 2"));
  CHECK_THAT(why_not("[\"\xc0\x80\"]"), Contains("JSON"));
  CHECK_THAT(why_not("[\"\xed\xa0\x80\"]"), Contains("JSON"));
  CHECK_THAT(why_not(R"(["\ud83d"])"), Contains("JSON"));
  CHECK_THAT(why_not(R"(["\ude00"])"), Contains("a string that is not UTF-8"));
  CHECK_THAT(why_not(R"({"\ude00": 1})"), Contains("a string that is not UTF-8"));
}

TEST_CASE("values nest 64 deep and no deeper") {
  CHECK(why_not(nested(64)) == "accepted");
  CHECK_THAT(why_not(nested(65)), Contains("nested too deeply"));
  CHECK_THAT(why_not(std::string(1'000'000, '[')), Contains("nested too deeply"));
}

TEST_CASE("a document is not longer than its reader allows") {
  CHECK_NOTHROW(Document::parse("[1]", "some policy", 3));
  CHECK_THROWS_WITH(Document::parse("[12]", "some policy", 3),
                    Equals("some policy: byte 3: JSON: longer than 3 bytes"));
}

TEST_CASE("a document has at most 2^23 values") {
  std::string text = "[0";
  for (int i = 0; i < (1 << 23); ++i) text.append(",0");
  text.push_back(']');
  CHECK_THAT(why_not(text), Contains("too many values"));
}

TEST_CASE("a document cut short anywhere is malformed") {
  for (std::size_t n = 0; n < kExample.size(); ++n) {
    INFO("first " << n << " bytes");
    CHECK_THROWS_AS(parse(kExample.substr(0, n)), ParseError);
  }
}

TEST_CASE("a document with anything after it is malformed") {
  for (const char c : {'x', '0', ',', '}', ']', '"', '\0', '\x0b'}) {
    CHECK_THROWS_AS(parse(std::string(kExample) + c), ParseError);
  }
  for (const char c : {' ', '\n', '\r', '\t'}) CHECK_NOTHROW(parse(std::string(kExample) + c));
}

TEST_CASE("a large object is read in linear time, nearly") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i)
    text.append("\"" + std::to_string(i) + "\":[" + std::to_string(i) + "],");
  text.append("\"last\":[0]}");
  const Document document = parse(text);
  const auto members = document.root().members();
  REQUIRE(members.size() == 200'001);
  CHECK(members[777].second.at(std::size_t{0}).number(1000) == 777);
  CHECK(members[777].second.at(std::size_t{0}).path() == "/777/0");
}
