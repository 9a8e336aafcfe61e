// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_request.h"

#include <array>
#include <catch2/catch.hpp>
#include <stdexcept>

using namespace attest::net;

TEST_CASE("what is asked has a count and a list, of one host, too") {
  const std::array<std::string_view, 3> names{"n0", "node-1.example", "a\\b"};
  CHECK(poll_body(std::span(names).first(1)) == R"({"count":1,"hosts":["n0"]})");
  CHECK(poll_body(names) == R"({"count":3,"hosts":["n0","node-1.example","a\\b"]})");
}

TEST_CASE("the API's URL is a path below which PollHosts is") {
  CHECK(poll_path(kOatDefaultUrl) == "/OpenAttestationWebServices/V1.0/PollHosts");
  CHECK(poll_path("/AttestationService/resources/") == "/AttestationService/resources/PollHosts");
  CHECK(poll_path("/a/b%20c//") == "/a/b%20c/PollHosts");
  CHECK(poll_path("/") == "/PollHosts");
}

TEST_CASE("what is no path never becomes part of a URL") {
  const std::string too_long = "/" + std::string(1024, 'a');
  for (const std::string& url :
       {std::string(), std::string("a"), std::string("https://elsewhere.example/a"),
        std::string("@elsewhere.example/a"), std::string(":1@elsewhere.example"),
        std::string("/a?b"), std::string("/a#b"), std::string("/a b"), std::string("/a\tb"),
        std::string("/a\r\nX-Other: 1"), std::string("/a\0b", 4), std::string("/a%"),
        std::string("/a%2"), std::string("/a%2g"), std::string("/a\\b"), std::string("/\"a\""),
        std::string("/\xc3\xa4"), too_long}) {
    INFO(url);
    CHECK_THROWS_AS(poll_path(url), std::invalid_argument);
  }
}

TEST_CASE("a dialect is said by the path where nobody says it") {
  CHECK(dialect_of(kOatDefaultUrl) == OatDialect::kV1_0);
  CHECK(dialect_of("/OpenAttestationWebServices/V1.0/") == OatDialect::kV1_0);
  // v2.x has the same path; the stricter of the two is the one that fails no request.
  CHECK(dialect_of("/AttestationService/resources") == OatDialect::kV1_5);
  CHECK(dialect_of("/elsewhere") == OatDialect::kV1_5);
  CHECK(dialect_from_name("1.0") == OatDialect::kV1_0);
  CHECK(dialect_from_name("1.5") == OatDialect::kV1_5);
  CHECK(dialect_from_name("2") == OatDialect::kV2);
  CHECK_FALSE(dialect_from_name("1.7").has_value());
  CHECK_FALSE(dialect_from_name("").has_value());
}

TEST_CASE("names that a server refuses are not asked for") {
  for (const OatDialect dialect : {OatDialect::kV1_0, OatDialect::kV1_5, OatDialect::kV2}) {
    for (const char* name : {"n0", "compute-1.example.org", "7d1f5a3e-0000-4000-8000-00000000000a",
                             "192.0.2.1", "UPPER_case", "a"}) {
      CHECK(may_ask(name, dialect));
    }
    for (const char c : std::string("#&+:\"' \t\n\r\x01\x1b\x7f")) {
      INFO(static_cast<int>(c));
      CHECK_FALSE(may_ask(std::string("a") + c + "b", dialect));
      CHECK_FALSE(may_ask(std::string(1, c), dialect));
    }
    CHECK_FALSE(may_ask("", dialect));
    CHECK_FALSE(may_ask(std::string_view("a\0b", 3), dialect));
    CHECK_FALSE(
        may_ask("n\xc3\xb6"
                "de",
                dialect));
    CHECK_FALSE(may_ask("\xff", dialect));
    CHECK(may_ask(std::string(50, 'a'), dialect));
    CHECK(may_ask(std::string(51, 'a'), dialect) == (dialect != OatDialect::kV1_5));
    CHECK(may_ask(std::string(253, 'a'), dialect) == (dialect != OatDialect::kV1_5));
    CHECK_FALSE(may_ask(std::string(254, 'a'), dialect));
  }
}
