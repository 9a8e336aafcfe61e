// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_version.h"

#include <catch2/catch.hpp>

#include "libattest/net/error.h"
#include "libattest/net/keylime_answer.h"
#include "tests/support/parse_error.h"

using namespace attest::net;

TEST_CASE("versions are compared as two numbers") {
  CHECK(ApiVersion::parse("2.10") > ApiVersion::parse("2.9"));
  CHECK(ApiVersion::parse("10.0") > ApiVersion::parse("9.9"));
  CHECK(ApiVersion::parse("2.1")->text() == "2.1");
  for (const char* text : {"", "2", "2.", ".1", "2.1.0", "v2.1", "2.01", "02.1", "2.1 ", "+2.1",
                           "2.-1", "2.99999", "2,1"}) {
    INFO(text);
    CHECK_FALSE(ApiVersion::parse(text));
  }
}

TEST_CASE("the newest version that both know is spoken") {
  CHECK(negotiate({"2.6", "1.0", "2.0", "2.1", "2.5", "3.0"}, "v") == ApiVersion{2, 6});
  CHECK(negotiate({"1.0"}, "v") == ApiVersion{1, 0});
  CHECK(negotiate({"2.0", "1.0"}, "v") == ApiVersion{2, 0});
  // From the future, beside one that is known.
  CHECK(negotiate({"4.0", "2.10", "2.9", "2.4", "next"}, "v") == ApiVersion{2, 4});
}

TEST_CASE("the push model and unknown versions are not spoken; both lists are named") {
  for (const auto& theirs : {std::vector<std::string>{"3.0"}, {"2.7", "3.1"}, {"x\n"}, {}}) {
    try {
      (void)negotiate(theirs, "verifier 192.0.2.1:8881");
      FAIL("accepted");
    } catch (const NetError& e) {
      CHECK(e.failure() == Failure::kAnswer);
      const std::string what = e.what();
      CHECK(what.find("verifier 192.0.2.1:8881") == 0);
      CHECK(what.find("2.6") != std::string::npos);
      CHECK(what.find('\n') == std::string::npos);
      if (!theirs.empty() && theirs[0] == "3.0")
        CHECK(what.find("it has 3.0;") != std::string::npos);
    }
  }
}

TEST_CASE("paths have the version in them, where there is one") {
  CHECK(Api{ApiVersion{2, 1}}.path("/agents/") == "/v2.1/agents/");
  CHECK(Api{}.path("/agents/") == "/agents/");
  CHECK(Api{}.text() == "none (Keylime 6.1)");
  CHECK_FALSE(Api{}.since({1, 0}));
  CHECK(Api{ApiVersion{2, 3}}.since({2, 3}));
  CHECK_FALSE(Api{ApiVersion{2, 2}}.since({2, 3}));
}

TEST_CASE("services and agents say their versions") {
  using Versions = std::vector<std::string>;
  CHECK(read_versions(R"({"code":200,"status":"Success","results":{"current_version":"2.6",)"
                      R"("supported_versions":["1.0","2.6"]}})") == Versions{"2.6", "1.0", "2.6"});
  CHECK(read_versions(R"({"code":200,"results":{"supported_version":"2.1"}})") == Versions{"2.1"});
}

TEST_CASE("an answer about versions that says none, or is of another form, is malformed") {
  for (const char* body :
       {"", "null", "[]", "{}", "2.1", R"({"results":{"current_version":"2.1"}})",
        R"({"code":"200","results":{"current_version":"2.1"}})",
        R"({"code":400,"results":{"current_version":"2.1"}})", R"({"code":200,"results":{}})",
        R"({"code":200,"results":[]})", R"({"code":200,"results":{"current_version":2.1}})",
        R"({"code":200,"results":{"current_version":"2.1","supported_versions":"2.1"}})",
        R"({"code":200,"results":{"supported_versions":[]}})",
        R"({"code":200,"results":{"current_version":"2.1"}}x)"}) {
    INFO(body);
    CHECK(parse_error_of([&] { return read_versions(body); }) != "accepted");
  }
}

TEST_CASE("why a service refused is found in either form, and only its words") {
  CHECK(refusal_words(R"({"code":404,"status":"agent id not found","results":{}})") ==
        "agent id not found");
  CHECK(refusal_words(R"({"errors":[{"status":"403","title":"Forbidden","detail":"no\nno"}]})") ==
        "no\\x0ano");
  CHECK(refusal_words(R"({"errors":[{"title":"Forbidden"}]})") == "Forbidden");
  for (const char* body : {"", "<html>", "[]", R"({"status":3})", R"({"errors":[]})",
                           R"({"errors":["x"]})", R"({"errors":{}})"}) {
    CHECK(refusal_words(body).empty());
  }
}
