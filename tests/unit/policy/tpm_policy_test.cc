// SPDX-License-Identifier: Apache-2.0

#include <catch2/catch.hpp>
#include <string>

#include "libattest/base/error.h"
#include "libattest/policy/policy.h"
#include "tests/support/vectors.h"

using namespace attest::policy;
using attest::ParseError;
using attest::crypto::Digest;
using Catch::Matchers::Contains;

namespace {

const std::string kValue = '"' + std::string(64, 'a') + '"';

std::string why_not(const std::string& json, const Policy& start = {}) {
  Policy policy = start;
  try {
    add_keylime_tpm_policy(policy, json);
  } catch (const ParseError& e) {
    CHECK(to_json(policy) == to_json(start));  // nothing is added by halves
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a Keylime TPM policy adds reference values") {
  Policy policy;
  add_keylime_tpm_policy(policy, read_text_vector("policy/tpm_policy.json"));
  REQUIRE(policy.pcrs.size() == 2);
  CHECK(policy.pcrs.at(17).size() == 1);
  CHECK(policy.pcrs.at(22).size() == 2);
  CHECK(policy.judged_pcrs() == 0x420000);
}

TEST_CASE("values are those of the policy's bank") {
  Policy policy;
  policy.bank = attest::crypto::Hash::kSha384;
  CHECK(why_not(R"({"22":)" + kValue + "}", policy) ==
        "TPM policy: /22: is not 96 hexadecimal digits, as bank sha384 needs");
  add_keylime_tpm_policy(policy, R"({"22":[")" + std::string(96, 'b') + "\"]}");
  CHECK(policy.pcrs.at(22)[0] == Digest::filled(48, 0xbb));
}

TEST_CASE("a key is the number of a PCR that a value can be known of") {
  const auto with = [](const std::string& key) {
    return why_not("{\"" + key + "\":" + kValue + "}");
  };
  CHECK(with("0") == "accepted");
  CHECK(with("22") == "accepted");
  for (const std::string key :
       {"24", "-1", "00", "01", "1 ", "", "x", "0x1", "99999999999999999999"}) {
    CHECK_THAT(with(key), Contains("the key is not the number of a PCR (0 to 23)"));
  }
  CHECK(with("10") == "TPM policy: /10: PCR 10 is IMA's, whose value no policy can know");
  CHECK_THAT(with("16"), Contains("/16: PCR 16 can be reset by software"));
  CHECK_THAT(with("23"), Contains("/23: PCR 23 can be reset by software"));
}

TEST_CASE("a value is a digest or a list of digests") {
  const auto with = [](const std::string& value) { return why_not("{\"0\":" + value + "}"); };
  CHECK(with("[" + kValue + "," + kValue + "]") == "accepted");
  CHECK(with("[]") == "TPM policy: /0: lists no value");
  CHECK(with("1") == "TPM policy: /0: is not an array");
  CHECK(with("[1]") == "TPM policy: /0/0: is not a string");
  CHECK(with("\"\"") == "TPM policy: /0: is not 64 hexadecimal digits, as bank sha256 needs");
  CHECK(with("[" + kValue + ",\"aa\"]") ==
        "TPM policy: /0/1: is not 64 hexadecimal digits, as bank sha256 needs");
  CHECK(with("\"" + std::string(64, 'g') + "\"") ==
        "TPM policy: /0: is not 64 hexadecimal digits, as bank sha256 needs");
  CHECK(why_not("[]") == "TPM policy: top level: is not an object");
  CHECK(why_not(R"({"0":)" + kValue + R"(,"0":)" + kValue + "}") ==
        "TPM policy: /0: this key is there twice");
}

TEST_CASE("a mask covers the PCRs that are named and at most Keylime's own besides") {
  const auto with = [](const std::string& mask) {
    return why_not(R"({"22":)" + kValue + R"(,"mask":)" + mask + "}");
  };
  CHECK(with(R"("0x400000")") == "accepted");
  CHECK(with(R"("0x400400")") == "accepted");
  CHECK(with(R"("0x40FfFf")") == "accepted");
  CHECK(with(R"("0x00400000")") == "accepted");
  CHECK(with(R"("0x0")") == "TPM policy: /mask: leaves out a PCR that the policy names");
  CHECK(with(R"("0xffff")") == "TPM policy: /mask: leaves out a PCR that the policy names");
  CHECK(with(R"("0xc00000")") ==
        "TPM policy: /mask: has a PCR above 15 that the policy names no value for");
  CHECK(with(R"("0x80400000")") ==
        "TPM policy: /mask: has a PCR above 15 that the policy names no value for");
  for (const std::string mask :
       {"400000", "0x", "", "0x000400000", "0x40000g", "0X400000", "-0x1"}) {
    CHECK(with("\"" + mask + "\"") ==
          "TPM policy: /mask: is not 0x and up to eight hexadecimal digits");
  }
  CHECK(with("4194304") == "TPM policy: /mask: is not a string");
  CHECK(why_not(R"({"mask":"0x408000"})") ==
        "TPM policy: /mask: has a PCR above 15 that the policy names no value for");
  CHECK(why_not(R"({"mask":"0x400"})") == "accepted");
  CHECK(why_not("{}") == "accepted");
}

TEST_CASE("reference values of two sources are not merged") {
  Policy policy;
  policy.pcrs[0] = {Digest::filled(32, 1)};
  CHECK(
      why_not(R"({"22":)" + kValue + "}", policy) ==
      "TPM policy: top level: the appraisal policy has reference values already: two sets are not "
      "merged");
  CHECK(why_not("{}", policy) == "accepted");
}

TEST_CASE("a TPM policy that contradicts the policy it is added to is refused") {
  Policy policy;
  policy.ima.emplace().pcr = 11;
  CHECK_THAT(why_not(R"({"11":)" + kValue + "}", policy),
             Contains("/pcrs/11: the IMA list judges this PCR"));
}

TEST_CASE("a TPM policy cut short anywhere, or too long, is malformed") {
  const std::string text = read_text_vector("policy/tpm_policy.json");
  for (std::size_t n = 0; n < text.size(); ++n) {
    Policy policy;
    CHECK_THROWS_AS(add_keylime_tpm_policy(policy, std::string_view(text).substr(0, n)),
                    ParseError);
  }
  CHECK_THAT(why_not("{}" + std::string(std::size_t{1} << 20U, ' ')),
             Contains("longer than 1048576 bytes"));
}
