// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_policy.h"

#include <catch2/catch.hpp>

#include "libattest/json/value.h"
#include "tests/support/parse_error.h"

using namespace attest::net;

namespace {

const std::string kA(64, 'a');
const std::string kB(40, 'b');

std::string refusal_of_list(const std::string& allowlist) {
  return parse_error_of([&] { return runtime_policy_of_lists(allowlist, std::nullopt); });
}

std::string refusal_of_tpm_policy(const std::string& json) {
  return parse_error_of([&] { return tpm_policy_with_mask(json, 0); });
}

}  // namespace

TEST_CASE("an allowlist and an excludelist become a runtime policy") {
  std::string upper = kA;
  upper[0] = 'A';
  const std::string policy =
      runtime_policy_of_lists(upper + "  /usr/bin/a file\n" + kB + "\t/usr/bin/b\r\n\n" + kB +
                                  " /usr/bin/a file\n" + kA + " %keyring:.ima\n",
                              "# no\n\n /tmp/.* \n(a|b)\"\n");
  CHECK(policy ==
        R"({"meta":{"version":1,"generator":3},"release":0,"digests":{"/usr/bin/a file":[")" + kA +
            R"(",")" + kB + R"("],"/usr/bin/b":[")" + kB +
            R"("]},"excludes":["/tmp/.*","(a|b)\""],"keyrings":{".ima":[")" + kA +
            R"("]},"ima":{"ignored_keyrings":[],"log_hash_alg":"sha1","dm_policy":null},)"
            R"("ima-buf":{},"verification-keys":""})");
  CHECK_NOTHROW(check_runtime_policy(policy));
}

TEST_CASE("a line that is no digest and path is refused with its number") {
  CHECK(refusal_of_list(kA + " /a\n" + kA).find("line 2: a digest without a path") !=
        std::string::npos);
  CHECK(refusal_of_list(kA.substr(1) + " /a").find("line 1: does not begin with a digest") !=
        std::string::npos);
  CHECK(refusal_of_list("x" + kA.substr(1) + " /a") != "accepted");
  CHECK(refusal_of_list("/a " + kA) != "accepted");
  CHECK(refusal_of_list(kA + " /\xff") != "accepted");
  CHECK(refusal_of_list(kA + std::string(" /a\0b", 5)) != "accepted");
  CHECK(refusal_of_list("{}") != "accepted");
  CHECK(parse_error_of([&] { return runtime_policy_of_lists("", "\xff"); }) != "accepted");
}

TEST_CASE("a runtime policy becomes what verifiers before 6.6 take") {
  const std::string policy =
      R"({"meta":{"version":1},"digests":{"/a":["00"]},"excludes":["x"],"keyrings":{".ima":["11"]},)"
      R"("ima":{"ignored_keyrings":["*"],"log_hash_alg":"sha256","dm_policy":null},)"
      R"("ima-buf":{"b":["22"]},"verification-keys":"[\"k\"]"})";
  CHECK(
      legacy_allowlist(policy) ==
      R"({"allowlist":{"meta":{"version":5},"release":0,"hashes":{"/a":["00"]},)"
      R"("keyrings":{".ima":["11"]},"ima-buf":{"b":["22"]},)"
      R"("ima":{"ignored_keyrings":["*"],"log_hash_alg":"sha256","dm_policy":null}},"exclude":["x"]})");
  CHECK(legacy_verification_keys(policy) == R"(["k"])");
  CHECK(legacy_allowlist(R"({"digests":{}})") ==
        R"({"allowlist":{"meta":{"version":5},"release":0,"hashes":{},"keyrings":{},"ima-buf":{},)"
        R"("ima":{"ignored_keyrings":[],"log_hash_alg":"sha1","dm_policy":null}},"exclude":[]})");
  CHECK(legacy_verification_keys(R"({"digests":{}})") == "[]");
}

TEST_CASE("what an old verifier can not judge is refused, not left out") {
  CHECK(parse_error_of([] {
          return legacy_allowlist(R"({"digests":{},"ima":{"dm_policy":{"version":1}}})");
        }).find("/ima/dm_policy") != std::string::npos);
  CHECK(parse_error_of([] { return legacy_allowlist(R"({"digests":{},"excludes":"x"})"); }) !=
        "accepted");
  CHECK(parse_error_of([] { return legacy_allowlist(R"({"digests":{},"keyrings":[]})"); }) !=
        "accepted");
}

TEST_CASE("what is no runtime policy is refused") {
  for (const char* json : {"", "x", "[]", "{}", R"({"digests":[]})", R"({"hashes":{}})",
                           R"({"digests":{}} )"
                           "x"}) {
    CHECK(parse_error_of([&] {
            check_runtime_policy(json);
            return 0;
          }) != "accepted");
  }
}

TEST_CASE("a TPM policy gets the mask of its PCRs") {
  CHECK(tpm_policy_with_mask("", 0x400) == R"({"mask":"0x400"})");
  CHECK(tpm_policy_with_mask("{}", 0) == R"({"mask":"0x0"})");
  CHECK(
      tpm_policy_with_mask(R"({"22":[")" + kA + R"("],"0":")" + kB + R"(","mask":"0x8"})", 0x400) ==
      R"({"22":[")" + kA + R"("],"0":[")" + kB + R"("],"mask":"0x400409"})");
  CHECK(tpm_policy_with_mask("", kMeasuredBootMask) == R"({"mask":"0xfbff"})");
}

TEST_CASE("a TPM policy that does not say what it means is refused") {
  for (const std::string key : {"10", "16", "24", "-1", "01", "1 ", "x", ""}) {
    CHECK(refusal_of_tpm_policy(R"({")" + key + R"(":[")" + kA + R"("]})") != "accepted");
  }
  for (const std::string value :
       {"[]", "7", "null", R"("")", R"("xx")", R"(["aa"])", R"([7])", R"({"a":"b"})"}) {
    CHECK(refusal_of_tpm_policy(R"({"1":)" + value + "}") != "accepted");
  }
  for (const std::string mask :
       {"7", R"("7")", R"("0x")", R"("0x1000000")", R"("0xg")", R"("0x-1")", R"("0x1 ")", "null"}) {
    CHECK(refusal_of_tpm_policy(R"({"mask":)" + mask + "}") != "accepted");
  }
  const std::string one = R"("1":[")" + kA + R"("])";
  CHECK(refusal_of_tpm_policy("{" + one + "," + one + "}") != "accepted");
  CHECK(refusal_of_tpm_policy("[]") != "accepted");
}
