// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/address.h"

#include <catch2/catch.hpp>
#include <stdexcept>

using attest::net::agent_id;
using attest::net::Endpoint;
using attest::net::is_agent_id;
using attest::net::policy_name;

TEST_CASE("an endpoint is a host and a port") {
  CHECK(Endpoint::parse("verifier.example:8881", "v").text() == "verifier.example:8881");
  CHECK(Endpoint::parse("192.0.2.1:65535", "v").port == 65535);
  CHECK(Endpoint::parse("[2001:db8::1]:1", "v").host == "2001:db8::1");
  CHECK(Endpoint::parse("[2001:db8::1]:1", "v").text() == "[2001:db8::1]:1");
  CHECK(Endpoint::make("::1", 9002, "v").text() == "[::1]:9002");
}

TEST_CASE("what is no endpoint never becomes part of a URL") {
  for (const char* text : {"",
                           ":",
                           "host",
                           "host:",
                           ":8881",
                           "host:0",
                           "host:65536",
                           "host:-1",
                           "host:+1",
                           "host:08881",
                           "host:8881/",
                           "host/path:8881",
                           "user@host:8881",
                           "host name:8881",
                           "host\n:8881",
                           "2001:db8::1:8881",
                           "[host]:8881",
                           "[::1]8881",
                           "[]:1",
                           "-host:1",
                           "host?:1",
                           "host#:1",
                           "%41:1",
                           "h\xc3\xb6st:1"}) {
    INFO(text);
    CHECK_THROWS_AS(Endpoint::parse(text, "the verifier"), std::invalid_argument);
  }
  CHECK_THROWS_AS(Endpoint::parse(std::string_view("a\0b:1", 5), "v"), std::invalid_argument);
  CHECK_THROWS_AS(Endpoint::make(std::string(254, 'a'), 1, "v"), std::invalid_argument);
}

TEST_CASE("an endpoint that is refused is quoted without its control characters") {
  try {
    (void)Endpoint::parse("a\r\nb", "the verifier");
    FAIL("accepted");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()) == "the verifier 'a\\x0d\\x0ab' is not HOST:PORT");
  }
}

TEST_CASE("agent ids are UUIDs, hashes and names") {
  for (const char* id : {"d432fbb3-d2f1-4a97-9ef7-75bd81c00000", "A", "node-1.example_2",
                         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}) {
    CHECK(agent_id(id) == id);
    CHECK(policy_name(id) == id);
  }
}

TEST_CASE("what could leave its place in a URL or a log is no agent id") {
  for (const char* id :
       {"",      ".",   "..",  "../x", ".x",    "-x",       "_x",  "a/b", "a?b", "a#b",
        "a%2fb", "a b", "a\n", "a\\b", "a\x7f", "\xc3\xa4", "a;b", "a&b", "a=b", "a:b"}) {
    INFO(id);
    CHECK_FALSE(is_agent_id(id));
    CHECK_THROWS_AS(agent_id(id), std::invalid_argument);
    CHECK_THROWS_AS(policy_name(id), std::invalid_argument);
  }
  CHECK_FALSE(is_agent_id(std::string_view("a\0", 2)));
  CHECK(is_agent_id(std::string(80, 'a')));
  CHECK_FALSE(is_agent_id(std::string(81, 'a')));
}
