// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/runtime_policy.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "libattest/base/base64.h"
#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/json/writer.h"
#include "tests/support/vectors.h"

using namespace attest::policy;
using attest::ParseError;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

// A valid policy, of which a test replaces one member's JSON text.
struct Builder {
  std::string meta = R"({"version":1,"generator":0})";
  std::string release = "0";
  std::string digests = R"({"/a":[")" + std::string(64, 'a') + R"("]})";
  std::string excludes = "[]";
  std::string keyrings = "{}";
  std::string ima = R"({"ignored_keyrings":[],"log_hash_alg":"sha256","dm_policy":null})";
  std::string ima_buf = "{}";
  std::string verification_keys = R"("")";
  std::string more;

  std::string text() const {
    return R"({"meta":)" + meta + R"(,"release":)" + release + R"(,"digests":)" + digests +
           R"(,"excludes":)" + excludes + R"(,"keyrings":)" + keyrings + R"(,"ima":)" + ima +
           R"(,"ima-buf":)" + ima_buf + R"(,"verification-keys":)" + verification_keys + more + "}";
  }
};

std::string why_not(std::string_view text, const RuntimePolicyOptions& options = {}) {
  try {
    parse_keylime_runtime_policy(text, options);
  } catch (const ParseError& e) {
    return e.what();
  }
  return "accepted";
}

std::string quoted(std::string_view text) {
  attest::json::Writer w;
  w.value(text);
  return w.take();
}

std::string why_not_keys(std::string_view keys) {
  Builder b;
  b.verification_keys = quoted(keys);
  return why_not(b.text());
}

std::string key(const std::string& name) { return attest::to_base64(read_vector("keys/" + name)); }

}  // namespace

TEST_CASE("a Keylime runtime policy is read") {
  const auto policy =
      parse_keylime_runtime_policy(read_text_vector("policy/runtime_policy.json"), {});
  CHECK(policy.files.num_paths() == 3);
  CHECK(policy.files.num_digests() == 4);
  CHECK(policy.files.has_algorithm("sm3"));
  CHECK(policy.files.first_digest("boot_aggregate").size() == 32);
  CHECK(policy.excludes.match("/tmp/x"));
  CHECK(policy.keyrings.at(".ima").size() == 1);
  CHECK(policy.buffers.at("kernel_version").size() == 1);
  CHECK(policy.ignored_keyrings.contains("*"));
  CHECK(policy.log_hash == attest::crypto::Hash::kSha1);
  REQUIRE(policy.verification_keys.size() == 2);
  CHECK(policy.verification_keys[0].first.describe() == "P-256");
  CHECK(policy.verification_keys[0].second == 0x0c17f0b5);
  CHECK(policy.verification_keys[1].first.describe() == "RSA-2048");
  CHECK(policy.verification_keys[1].second == 0x12345678);
}

TEST_CASE("the builder's policy is valid") {
  CHECK(why_not(Builder().text()) == "accepted");
  Builder b;
  b.ima = R"({"ignored_keyrings":[".evm"]})";
  const auto policy = parse_keylime_runtime_policy(b.text(), {});
  CHECK_FALSE(policy.log_hash);
  CHECK(policy.ignored_keyrings.size() == 1);
}

TEST_CASE("all eight keys of a runtime policy are there, and no others") {
  const std::string text = Builder().text();
  for (const std::string name : {"meta", "release", "digests", "excludes", "keyrings", "ima",
                                 "ima-buf", "verification-keys"}) {
    std::string renamed = text;
    renamed.replace(renamed.find("\"" + name + "\":"), name.size() + 3, "\"x\":");
    CHECK(why_not(renamed) == "runtime policy: /x: unknown key");
  }
  Builder b;
  b.more = R"(,"hashes":{})";
  CHECK(why_not(b.text()) == "runtime policy: /hashes: unknown key");
  CHECK(why_not("{}") == "runtime policy: top level: has no \"meta\"");
  CHECK(why_not("[]") == "runtime policy: top level: is not an object");
  CHECK(
      why_not(
          R"({"meta":{"version":1},"release":0,"digests":{},"excludes":[],"keyrings":{},"ima":{"ignored_keyrings":[]},"ima-buf":{}})") ==
      "runtime policy: top level: has no \"verification-keys\"");
}

TEST_CASE("a runtime policy cut short anywhere, or continued, is malformed") {
  const std::string text = Builder().text();
  for (std::size_t n = 0; n < text.size(); ++n) {
    INFO("first " << n << " bytes");
    CHECK_THROWS_AS(parse_keylime_runtime_policy(std::string_view(text).substr(0, n), {}),
                    ParseError);
  }
  CHECK_THROWS_AS(parse_keylime_runtime_policy(text + "x", {}), ParseError);
}

TEST_CASE("meta and release are what is known") {
  Builder b;
  const auto with = [&](const std::string& meta) {
    b.meta = meta;
    return why_not(b.text());
  };
  CHECK(with(R"({"version":1})") == "accepted");
  CHECK(with(R"({"version":1,"timestamp":"now"})") == "accepted");
  CHECK(with(R"({"version":2})") == "runtime policy: /meta/version: only version 1 is known");
  CHECK_THAT(with(R"({"version":"1"})"), Contains("/meta/version: is not a whole number"));
  CHECK(with("{}") == "runtime policy: /meta: has no \"version\"");
  CHECK(with(R"({"version":1,"author":"x"})") == "runtime policy: /meta/author: unknown key");
  CHECK_THAT(with(R"({"version":1,"generator":"x"})"), Contains("/meta/generator: is not"));
  CHECK_THAT(with(R"({"version":1,"timestamp":1})"), Contains("/meta/timestamp: is not a string"));
  CHECK(with("1") == "runtime policy: /meta: is not an object");
  b = Builder();
  b.release = R"("0")";
  CHECK_THAT(why_not(b.text()), Contains("/release: is not a whole number"));
}

TEST_CASE("digests are lists of digests under paths") {
  Builder b;
  const std::string good = '"' + std::string(64, 'a') + '"';
  const auto with = [&](const std::string& digests) {
    b.digests = digests;
    return why_not(b.text());
  };
  CHECK(with("{}") == "accepted");
  CHECK(with("[]") == "runtime policy: /digests: is not an object");
  CHECK(with(R"({"/a":[]})") == "runtime policy: /digests/~1a: lists no digest");
  CHECK(with(R"({"":[)" + good + "]}") == "runtime policy: /digests/: an empty name");
  CHECK(with(R"({"a\u0000":[)" + good + "]}") ==
        "runtime policy: /digests/a\\x00: a name with a NUL in it");
  CHECK(with(R"({"/a":)" + good + "}") == "runtime policy: /digests/~1a: is not an array");
  CHECK(with(R"({"/a":[)" + good + ",1]}") == "runtime policy: /digests/~1a/1: is not a string");
  CHECK(with(R"({"/a":["aa"]})") ==
        "runtime policy: /digests/~1a/0: no digest algorithm has 1 bytes (20, 28, 32, 48 and 64 "
        "are known)");
  CHECK(with(R"({"/a":[)" + good + R"(],"/a":[)" + good + "]}") ==
        "runtime policy: /digests/~1a: this key is there twice");
}

TEST_CASE("SHA-1 digests of a runtime policy are refused with their path, unless allowed") {
  Builder b;
  b.digests = R"({"/a":[")" + std::string(40, 'a') + R"("]})";
  CHECK(why_not(b.text()) ==
        "runtime policy: /digests/~1a/0: a SHA-1 digest, which only \"allow_sha1\" allows");
  RuntimePolicyOptions options;
  options.allow_sha1 = true;
  CHECK(why_not(b.text(), options) == "accepted");
}

TEST_CASE("excludes, keyrings and buffers of a runtime policy are checked") {
  Builder b;
  SECTION("a pattern") {
    b.excludes = R"x(["/tmp","(?=a)"])x";
    CHECK_THAT(why_not(b.text()),
               Contains("runtime policy: /excludes/1: exclude pattern \"(?=a)\""));
  }
  SECTION("a pattern that is no string") {
    b.excludes = "[1]";
    CHECK(why_not(b.text()) == "runtime policy: /excludes/0: is not a string");
  }
  SECTION("a pattern for all") {
    b.excludes = R"([".*"])";
    CHECK_THAT(why_not(b.text()),
               Contains("/excludes/0: exclude pattern \".*\": matches every path"));
    RuntimePolicyOptions options;
    options.allow_match_all = true;
    CHECK(why_not(b.text(), options) == "accepted");
  }
  SECTION("a keyring") {
    b.keyrings = R"({".ima":[]})";
    CHECK(why_not(b.text()) == "runtime policy: /keyrings/.ima: lists no digest");
  }
  SECTION("a buffer") {
    b.ima_buf = R"({"kernel_version":["x"]})";
    CHECK(why_not(b.text()) ==
          "runtime policy: /ima-buf/kernel_version/0: \"x\" is not a digest in hexadecimal");
  }
}

TEST_CASE("ima of a runtime policy is what is known") {
  Builder b;
  const auto with = [&](const std::string& ima) {
    b.ima = ima;
    return why_not(b.text());
  };
  CHECK(with("{}") == "runtime policy: /ima: has no \"ignored_keyrings\"");
  CHECK(with(R"({"ignored_keyrings":"*"})") ==
        "runtime policy: /ima/ignored_keyrings: is not an array");
  CHECK(with(R"({"ignored_keyrings":[""]})") ==
        "runtime policy: /ima/ignored_keyrings/0: an empty name");
  CHECK(with(R"({"ignored_keyrings":[],"log_hash_alg":"md5"})") ==
        "runtime policy: /ima/log_hash_alg: is not sha1, sha256, sha384 or sha512");
  CHECK(
      with(R"({"ignored_keyrings":[],"dm_policy":{}})") ==
      "runtime policy: /ima/dm_policy: device-mapper policies are not supported: it must be null");
  CHECK(with(R"({"ignored_keyrings":[],"x":1})") == "runtime policy: /ima/x: unknown key");
  for (const std::string name : {"sha1", "sha256", "sha384", "sha512"}) {
    CHECK(with(R"({"ignored_keyrings":[],"log_hash_alg":")" + name + "\"}") == "accepted");
  }
}

TEST_CASE("verification keys are checked") {
  const std::string ec = '"' + key("ec_P-256.der") + '"';
  CHECK(why_not_keys("") == "accepted");
  CHECK(why_not_keys(R"({"pubkeys":[]})") == "accepted");
  CHECK(why_not_keys(R"({"pubkeys":[)" + ec + "]}") == "accepted");
  const std::string format = "verification-keys of the runtime policy: ";
  CHECK_THAT(why_not_keys("x"), Contains(format + "byte 0: JSON"));
  CHECK(why_not_keys("{}") == format + "top level: has no \"pubkeys\"");
  CHECK(why_not_keys(R"({"pubkeys":[],"x":1})") == format + "/x: unknown key");
  CHECK(why_not_keys(R"({"meta":{"version":2},"pubkeys":[]})") ==
        format + "/meta/version: only version 1 is known");
  CHECK(why_not_keys(R"({"meta":{"version":1,"x":1},"pubkeys":[]})") ==
        format + "/meta/x: unknown key");
  CHECK(why_not_keys(R"({"pubkeys":["!"]})") == format + "/pubkeys/0: is not base64");
  CHECK_THAT(why_not_keys(R"({"pubkeys":["AAAA"]})"),
             Contains(format + "/pubkeys/0: is not a public key: "));
  CHECK_THAT(why_not_keys(R"({"pubkeys":[")" + key("rsa512.der") + "\"]}"),
             Contains("/pubkeys/0: is not a public key: "));
  CHECK(why_not_keys(R"({"pubkeys":[)" + ec + R"(],"keyids":[]})") ==
        format + "/keyids: not as many as there are pubkeys");
  CHECK_THAT(why_not_keys(R"({"pubkeys":[)" + ec + R"(],"keyids":[4294967296]})"),
             Contains(format + "/keyids/0: is not a whole number from 0 to 4294967295"));
  std::string many = R"({"pubkeys":[)";
  for (int i = 0; i < 1000; ++i) many += "\"\",";
  CHECK(why_not_keys(many + "\"\"]}") == format + "/pubkeys: more than 1000 keys");
  Builder b;
  b.verification_keys = "null";
  CHECK(why_not(b.text()) == "runtime policy: /verification-keys: is not a string");
}
