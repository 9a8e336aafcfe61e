// SPDX-License-Identifier: Apache-2.0

#include "libattest/json/writer.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "libattest/json/value.h"

using attest::json::Document;
using attest::json::Writer;

TEST_CASE("JSON is written compactly") {
  Writer w;
  w.begin_object();
  w.key("list").begin_array().value(std::uint64_t{18446744073709551615U}).value(true).null();
  w.begin_array().end_array().begin_object().end_object().end_array();
  w.member("text", "a");
  w.member("none", std::optional<std::uint32_t>());
  w.member("some", std::optional<std::uint32_t>(7));
  w.member("no", false);
  w.end_object();
  CHECK(
      w.take() ==
      R"({"list":[18446744073709551615,true,null,[],{}],"text":"a","none":null,"some":7,"no":false})");
}

TEST_CASE("JSON is written in lines, indented by two spaces a level") {
  Writer w(Writer::Style::kIndented);
  w.begin_object();
  w.key("a").begin_array().value("x").value("y").end_array();
  w.key("b").begin_object().end_object();
  w.end_object();
  CHECK(w.take() == "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": {}\n}");
}

TEST_CASE("every character that JSON reserves is escaped") {
  std::string text = "\x7f\xc3\xa9/";
  for (int c = 0; c < 0x80; ++c) text.push_back(static_cast<char>(c));
  Writer w;
  w.begin_array().value(text).end_array();
  const std::string out = w.take();
  for (const char c : out) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(out.find("\\\"") != std::string::npos);
  CHECK(out.find("\\\\") != std::string::npos);
  CHECK(out.find("\\n\\u000b\\u000c\\r") != std::string::npos);
  CHECK(Document::parse(out, "x").root().at(std::size_t{0}).string() == text);
}

TEST_CASE("characters that deceive on a terminal are escaped, and letters are not") {
  const std::string text = "/\u202eexe.\u009b31m\u00e9\u65e5\U000e0041\U0001f600\ufeff";
  Writer w;
  w.begin_object().key(text).value(text).end_object();
  const std::string out = w.take();
  const std::string shown = "\"/\\u202eexe.\\u009b31m\u00e9\u65e5\\udb40\\udc41\U0001f600\\ufeff\"";
  CHECK(out == "{" + shown + ":" + shown + "}");
  CHECK(Document::parse(out, "x").root().at(text).string() == text);
}

TEST_CASE("text that is not UTF-8 is refused") {
  const auto text =
      GENERATE(as<std::string>{}, "\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82");
  Writer w;
  w.begin_object();
  CHECK_THROWS_AS(w.key(text), std::invalid_argument);
  w.key("k");
  CHECK_THROWS_AS(w.value(text), std::invalid_argument);
  w.value("").end_object();
  CHECK(w.take() == R"({"k":""})");
}

TEST_CASE("calls that would not write JSON are the caller's error") {
  Writer w;
  CHECK_THROWS_AS(w.take(), std::logic_error);
  CHECK_THROWS_AS(w.key("a"), std::logic_error);
  CHECK_THROWS_AS(w.end_object(), std::logic_error);
  w.begin_object();
  CHECK_THROWS_AS(w.value("a"), std::logic_error);
  CHECK_THROWS_AS(w.end_array(), std::logic_error);
  w.key("a");
  CHECK_THROWS_AS(w.key("b"), std::logic_error);
  CHECK_THROWS_AS(w.end_object(), std::logic_error);
  w.begin_array();
  CHECK_THROWS_AS(w.key("b"), std::logic_error);
  w.end_array();
  CHECK_THROWS_AS(w.take(), std::logic_error);
  w.end_object();
  CHECK_THROWS_AS(w.null(), std::logic_error);
  CHECK(w.take() == R"({"a":[]})");
}
