// SPDX-License-Identifier: Apache-2.0

#include <catch2/catch.hpp>
#include <string>

#include "libattest/base/error.h"
#include "libattest/policy/policy.h"
#include "tests/support/vectors.h"

using namespace attest::policy;
using attest::ParseError;
using attest::crypto::Digest;
using attest::crypto::Hash;
using Catch::Matchers::Contains;

namespace {

const std::string kValue = '"' + std::string(64, 'a') + '"';

std::string why_not(std::string_view text) {
  try {
    parse_policy(text);
  } catch (const ParseError& e) {
    return e.what();
  }
  return "accepted";
}

// A version 1 policy with this member.
std::string with(const std::string& member) { return R"({"version":1,)" + member + "}"; }

}  // namespace

TEST_CASE("a native policy is read") {
  const Policy policy = parse_policy(read_text_vector("policy/native.json"));
  CHECK(policy.bank == Hash::kSha256);
  CHECK_FALSE(policy.allow_sha1);
  REQUIRE(policy.ak.names.size() == 1);
  CHECK(policy.ak.names[0].size() == 34);
  CHECK(policy.ak.keys.size() == 1);
  CHECK(policy.ak.attributes_required);
  CHECK(policy.ak.binding_required);
  CHECK(policy.pcrs.at(0).size() == 2);
  CHECK(policy.pcrs.at(17).size() == 1);
  CHECK(policy.event_log.required);
  CHECK(policy.event_log.pcrs == std::vector<std::uint32_t>{0, 4});
  CHECK(policy.event_log.events.at(4).size() == 2);
  CHECK(policy.event_log.known_events.at(4).at(0).description == "/EFI/BOOT/BOOTX64.EFI");
  CHECK(policy.launch.required);
  CHECK(policy.launch.log_required);
  REQUIRE(policy.ima);
  CHECK(policy.ima->pcr == 10);
  REQUIRE(policy.ima->rules);
  CHECK(policy.ima->rules->files.num_paths() == 3);
  CHECK(policy.ima->rules->excludes.match("/tmp/x"));
  CHECK(policy.ima->rules->verification_keys.size() == 2);
  CHECK(policy.clock.require_safe);
  CHECK(policy.judged_pcrs() == 0x20411);
}

TEST_CASE("what a native policy does not say has its default") {
  const Policy policy =
      parse_policy(R"({"version":1,"ima":{},"ak":{},"event_log":{},"launch":{},"clock":{}})");
  CHECK(policy.bank == Hash::kSha256);
  CHECK_FALSE(policy.allow_sha1);
  CHECK(policy.ak.names.empty());
  CHECK(policy.ak.keys.empty());
  CHECK_FALSE(policy.ak.attributes_required);
  CHECK_FALSE(policy.ak.binding_required);
  CHECK(policy.pcrs.empty());
  CHECK_FALSE(policy.event_log.required);
  CHECK_FALSE(policy.launch.required);
  CHECK_FALSE(policy.launch.log_required);
  REQUIRE(policy.ima);
  CHECK(policy.ima->required);
  CHECK(policy.ima->pcr == 10);
  CHECK(policy.ima->digest == ImaDigest::kNative);
  CHECK(policy.ima->signatures == ImaSignatures::kOptional);
  CHECK(policy.ima->max_unverified_tail == 1000);
  CHECK(policy.ima->violations_fail);
  CHECK_FALSE(policy.ima->boot_aggregate_0_7);
  CHECK_FALSE(policy.ima->verity);
  CHECK_FALSE(policy.ima->allow_empty);
  CHECK_FALSE(policy.ima->rules);
  CHECK_FALSE(policy.clock.require_safe);
  CHECK_FALSE(parse_policy(R"({"version":1})").ima);
}

TEST_CASE("every choice of a native policy is read") {
  const Policy policy = parse_policy(
      with(R"("bank":"sha1","allow_sha1":true,"ak":{"attributes":"reported","binding":"vouched"},)"
           R"("ima":{"required":false,"pcr":11,"digest":"padded-old","signatures":"both",)"
           R"("max_unverified_tail":0,"violations":"report","boot_aggregate":"0-7","verity":true,)"
           R"("allow_empty":true})"));
  CHECK(policy.bank == Hash::kSha1);
  CHECK(policy.allow_sha1);
  CHECK_FALSE(policy.ima->required);
  CHECK(policy.ima->pcr == 11);
  CHECK(policy.ima->digest == ImaDigest::kPaddedOld);
  CHECK(policy.ima->signatures == ImaSignatures::kBoth);
  CHECK(policy.ima->max_unverified_tail == 0);
  CHECK_FALSE(policy.ima->violations_fail);
  CHECK(policy.ima->boot_aggregate_0_7);
  CHECK(policy.ima->verity);
  CHECK(policy.ima->allow_empty);
  CHECK(parse_policy(with(R"("ima":{"digest":"padded","signatures":"required"})")).ima->digest ==
        ImaDigest::kPadded);
  CHECK(parse_policy(with(R"("ima":{"signatures":"required"})")).ima->signatures ==
        ImaSignatures::kRequired);
}

TEST_CASE("values are sorted and each is kept once") {
  const std::string b = '"' + std::string(64, 'b') + '"';
  const Policy policy = parse_policy(
      with(R"("pcrs":{"4":[)" + b + "," + kValue + "," + b + R"(]},"event_log":{"pcrs":[4,4]})"));
  CHECK(policy.pcrs.at(4) ==
        std::vector<Digest>{Digest::filled(32, 0xaa), Digest::filled(32, 0xbb)});
  CHECK(policy.event_log.pcrs == std::vector<std::uint32_t>{4});
}

TEST_CASE("a version that is not 1 is refused") {
  CHECK(why_not("{}") == "appraisal policy: top level: has no \"version\"");
  CHECK(why_not(R"({"version":2})") == "appraisal policy: /version: only version 1 is known");
  CHECK(why_not(R"({"version":0})") == "appraisal policy: /version: only version 1 is known");
  CHECK_THAT(why_not(R"({"version":"1"})"), Contains("/version: is not a whole number"));
  CHECK_THAT(why_not("[]"), Contains("top level: is not an object"));
}

TEST_CASE("an unknown key is refused wherever it stands") {
  CHECK(why_not(with(R"("x":1)")) == "appraisal policy: /x: unknown key");
  CHECK(why_not(with(R"("ak":{"x":1})")) == "appraisal policy: /ak/x: unknown key");
  CHECK(why_not(with(R"("event_log":{"x":1})")) == "appraisal policy: /event_log/x: unknown key");
  CHECK(why_not(with(R"("ima":{"x":1})")) == "appraisal policy: /ima/x: unknown key");
  CHECK(why_not(with(R"("clock":{"x":1})")) == "appraisal policy: /clock/x: unknown key");
  CHECK(why_not(with(R"("ima":{"runtime_policy":{"x":1}})")) ==
        "appraisal policy: /ima/runtime_policy/x: unknown key");
}

TEST_CASE("a value of the wrong type or word is refused with its path") {
  CHECK(why_not(with(R"("bank":"md5")")) ==
        "appraisal policy: /bank: is not the name of a PCR bank that is known");
  CHECK_THAT(why_not(with(R"("bank":4)")), Contains("/bank: is not a string"));
  CHECK_THAT(why_not(with(R"("allow_sha1":"yes")")), Contains("/allow_sha1: is not true or false"));
  CHECK_THAT(why_not(with(R"("allow_sha1":null)")), Contains("/allow_sha1: is not true or false"));
  CHECK(why_not(with(R"("ak":{"attributes":"none"})")) ==
        R"(appraisal policy: /ak/attributes: is not one of "reported" "required")");
  CHECK(why_not(with(R"("ak":{"binding":"none"})")) ==
        R"(appraisal policy: /ak/binding: is not one of "vouched" "required")");
  CHECK_THAT(why_not(with(R"("ak":[])")), Contains("/ak: is not an object"));
  CHECK_THAT(why_not(with(R"("event_log":{"required":1})")),
             Contains("/event_log/required: is not"));
  CHECK_THAT(why_not(with(R"("event_log":{"pcrs":{}})")),
             Contains("/event_log/pcrs: is not an array"));
  CHECK_THAT(why_not(with(R"("event_log":{"pcrs":["0"]})")), Contains("/event_log/pcrs/0: is not"));
  CHECK_THAT(why_not(with(R"("event_log":{"pcrs":[24]})")), Contains("/event_log/pcrs/0: is not"));
  CHECK_THAT(why_not(with(R"("event_log":{"events":[]})")), Contains("/event_log/events: is not"));
  CHECK_THAT(why_not(with(R"("ima":{"digest":"Native"})")), Contains("/ima/digest: is not one of"));
  CHECK_THAT(why_not(with(R"("ima":{"signatures":"none"})")),
             Contains("/ima/signatures: is not one"));
  CHECK_THAT(why_not(with(R"("ima":{"violations":"ignore"})")),
             Contains("/ima/violations: is not"));
  CHECK_THAT(why_not(with(R"("ima":{"boot_aggregate":"0-8"})")),
             Contains("/ima/boot_aggregate: is"));
  CHECK_THAT(why_not(with(R"("ima":{"max_unverified_tail":-1})")),
             Contains("/ima/max_unverified_tail"));
  CHECK_THAT(why_not(with(R"("ima":{"max_unverified_tail":1000000001})")),
             Contains("from 0 to 1000000000"));
  CHECK_THAT(why_not(with(R"("ima":{"verity":0})")), Contains("/ima/verity: is not true or false"));
  CHECK_THAT(why_not(with(R"("ima":{"pcr":"10"})")), Contains("/ima/pcr: is not a whole number"));
  CHECK_THAT(why_not(with(R"("ima":{"runtime_policy":null})")),
             Contains("/ima/runtime_policy: is not an object"));
  CHECK_THAT(why_not(with(R"("clock":{"require_safe":"yes"})")),
             Contains("/clock/require_safe: is"));
}

TEST_CASE("a Name is a digest algorithm and its digest") {
  const auto name = [](const std::string& text) {
    return why_not(with(R"("ak":{"names":[")" + text + "\"]}"));
  };
  CHECK(name("000b" + std::string(64, 'a')) == "accepted");
  CHECK(name("000C" + std::string(96, 'A')) == "accepted");
  CHECK_THAT(name("000b" + std::string(62, 'a')),
             Contains("/ak/names/0: is not as long as its digest algorithm, sha256, makes it"));
  CHECK_THAT(name("000b" + std::string(66, 'a')), Contains("is not as long as"));
  CHECK_THAT(name("0001" + std::string(64, 'a')), Contains("begins with no digest algorithm"));
  CHECK_THAT(name(""), Contains("is not a TPM Name in hexadecimal"));
  CHECK_THAT(name("00"), Contains("is not a TPM Name in hexadecimal"));
  CHECK_THAT(name("000g"), Contains("is not a TPM Name in hexadecimal"));
  CHECK_THAT(why_not(with(R"("ak":{"names":[]})")), Contains("/ak/names: an empty list"));
  CHECK_THAT(why_not(with(R"("ak":{"names":"000b"})")), Contains("/ak/names: is not an array"));
}

TEST_CASE("a pinned key is a SHA-256 digest") {
  const auto keys = [](const std::string& list) {
    return why_not(with(R"("ak":{"keys":)" + list + "}"));
  };
  const auto one = [](std::size_t digits, char digit) {
    return "[\"" + std::string(digits, digit) + "\"]";
  };
  CHECK(keys(one(64, 'a')) == "accepted");
  CHECK(keys(one(64, 'A')) == "accepted");
  for (const std::size_t digits : std::initializer_list<std::size_t>{0, 40, 62, 63, 65, 66, 96}) {
    CHECK_THAT(keys(one(digits, 'a')), Contains("/ak/keys/0: is not a key's SHA-256 digest"));
  }
  CHECK_THAT(keys(one(64, 'g')), Contains("/ak/keys/0: is not a key's SHA-256 digest"));
  CHECK_THAT(keys("[]"), Contains("/ak/keys: an empty list"));
  CHECK_THAT(keys("\"aa\""), Contains("/ak/keys: is not an array"));
  const std::string twice = std::string(64, 'b') + "\",\"" + std::string(64, 'a');
  const Policy policy = parse_policy(with(R"("ak":{"keys":[")" + twice + "\",\"" + twice + "\"]}"));
  CHECK(policy.ak.keys.size() == 2);
}

TEST_CASE("reference values are digests of the bank, under the number of a PCR") {
  const auto pcrs = [](const std::string& text) {
    return why_not(with(R"("pcrs":{)" + text + "}"));
  };
  CHECK(pcrs(R"("0":[)" + kValue + "]") == "accepted");
  CHECK_THAT(pcrs(R"("0":[])"), Contains("/pcrs/0: lists no value"));
  CHECK_THAT(pcrs(R"("0":)" + kValue), Contains("/pcrs/0: is not an array"));
  CHECK_THAT(pcrs(R"("0":["aa"])"),
             Contains("/pcrs/0/0: is not 64 hexadecimal digits, as bank sha256 needs"));
  CHECK_THAT(pcrs(R"("00":[)" + kValue + "]"),
             Contains("/pcrs/00: the key is not the number of a PCR"));
  CHECK_THAT(pcrs(R"("24":[)" + kValue + "]"),
             Contains("/pcrs/24: the key is not the number of a PCR"));
  CHECK_THAT(pcrs(R"("16":[)" + kValue + "]"),
             Contains("/pcrs/16: PCR 16 can be reset by software"));
  CHECK_THAT(pcrs(R"("23":[)" + kValue + "]"),
             Contains("/pcrs/23: PCR 23 can be reset by software"));
  CHECK_THAT(why_not(with(R"("bank":"sha384","pcrs":{"0":[)" + kValue + "]}")),
             Contains("is not 96 hexadecimal digits, as bank sha384 needs"));
  CHECK_THAT(why_not(with(R"("event_log":{"events":{"4":["aa"]}})")),
             Contains("/event_log/events/4/0: is not 64 hexadecimal digits"));
  CHECK_THAT(why_not(with(R"("event_log":{"pcrs":[23]})")),
             Contains("/event_log/pcrs/0: PCR 23 can"));
  CHECK_THAT(why_not(with(R"("ima":{"pcr":16})")), Contains("/ima/pcr: PCR 16 can be reset"));
}

TEST_CASE("known events are read as a log names them, each member there") {
  const auto known = [](const std::string& event) {
    return with(R"("pcrs":{"4":[)" + kValue + R"(]},"event_log":{"known_events":{"4":[)" + event +
                "]}}");
  };
  const std::string good = R"({"type":"EV_IPL","digest":)" + kValue + R"(,"description":"x"})";
  CHECK(why_not(known(good)) == "accepted");
  CHECK_THAT(why_not(known("")), Contains("/event_log/known_events/4: lists no event"));
  CHECK_THAT(why_not(known("1")), Contains("/event_log/known_events/4/0: is not an object"));
  CHECK_THAT(why_not(known(R"({"type":"EV_IPL","digest":)" + kValue + "}")),
             Contains("/event_log/known_events/4/0"));
  CHECK_THAT(why_not(known(R"({"type":"","digest":)" + kValue + R"(,"description":"x"})")),
             Contains("/event_log/known_events/4/0/type: is not of 1 to 4096 bytes"));
  CHECK_THAT(why_not(known(R"({"type":"EV_IPL","digest":"aa","description":"x"})")),
             Contains("/event_log/known_events/4/0/digest: is not 64 hexadecimal digits"));
  CHECK_THAT(why_not(known(R"({"type":"EV_IPL","digest":)" + kValue + R"(,"description":")" +
                           std::string(4097, 'x') + R"("})")),
             Contains("/description: is not of 1 to 4096 bytes"));
  CHECK_THAT(
      why_not(known(R"({"type":"EV_IPL","digest":)" + kValue + R"(,"description":"x","pcr":4})")),
      Contains("/event_log/known_events/4/0/pcr: unknown key"));
  CHECK_THAT(why_not(with(R"("event_log":{"known_events":{"4":[)" + good + "]}}")),
             Contains("/event_log/known_events/4: neither reference values"));
  CHECK_THAT(why_not(with(R"("ima":{},"event_log":{"known_events":{"10":[)" + good + "]}}")),
             Contains("/event_log/known_events/10: neither reference values"));
  CHECK_THAT(why_not(with(R"("event_log":{"known_events":{"23":[]}})")), Contains("PCR 23 can"));
}

TEST_CASE("a launch that is demanded needs a value of PCR 17 that is a launch's") {
  const std::string launch = R"("launch":{"required":true})";
  CHECK_THAT(why_not(with(launch)), Contains("/launch/required: PCR 17 has neither"));
  CHECK(why_not(with(launch + R"(,"pcrs":{"17":[)" + kValue + "]}")) == "accepted");
  CHECK(why_not(with(launch + R"(,"event_log":{"events":{"17":[)" + kValue + "]}}")) == "accepted");
  for (const char digit : {'0', 'f'}) {
    const std::string value = '"' + std::string(64, digit) + '"';
    CHECK_THAT(why_not(with(launch + R"(,"pcrs":{"17":[)" + kValue + "," + value + "]}")),
               Contains("/pcrs/17: lists the value that it has without the launch"));
    // That there was none may be what is expected.
    CHECK(why_not(with(R"("pcrs":{"17":[)" + value + "]}")) == "accepted");
  }
  CHECK_THAT(why_not(with(R"("launch":{"x":1})")), Contains("/launch/x: unknown key"));
  CHECK_THAT(why_not(with(R"("launch":{"required":1})")), Contains("/launch/required: is not"));
  CHECK_THAT(why_not(with(R"("launch":{"log_required":"yes"})")),
             Contains("/launch/log_required: is not"));
}

TEST_CASE("a policy that contradicts itself is refused") {
  CHECK(why_not(with(R"("bank":"sha1")")) ==
        "appraisal policy: /bank: sha1, which only \"allow_sha1\" allows");
  CHECK_THAT(why_not(with(R"("event_log":{"pcrs":[4]})")),
             Contains("/event_log/pcrs: PCR 4 has neither reference values (/pcrs) nor events"));
  CHECK(why_not(with(R"("event_log":{"pcrs":[4],"events":{"4":[)" + kValue + "]}}")) == "accepted");
  CHECK(why_not(with(R"("event_log":{"pcrs":[4]},"pcrs":{"4":[)" + kValue + "]}")) == "accepted");
  CHECK_THAT(why_not(with(R"("ima":{},"pcrs":{"10":[)" + kValue + "]}")),
             Contains("/pcrs/10: the IMA list judges this PCR"));
  CHECK_THAT(why_not(with(R"("ima":{"pcr":9},"event_log":{"events":{"9":[)" + kValue + "]}}")),
             Contains("/event_log/events/9: the IMA list judges this PCR"));
  CHECK(why_not(with(R"("pcrs":{"10":[)" + kValue + "]}")) == "accepted");
}

TEST_CASE("allow_sha1 and allow_match_all reach the runtime policy") {
  const auto policy = [](const std::string& digest, const std::string& pattern,
                         const std::string& ima) {
    return R"("ima":{)" + ima +
           R"("runtime_policy":{"meta":{"version":1},"release":0,"digests":{"/a":[")" + digest +
           R"("]},"excludes":[")" + pattern +
           R"("],"keyrings":{},"ima":{"ignored_keyrings":[]},"ima-buf":{},"verification-keys":""}})";
  };
  const std::string sha1(40, 'a');
  const std::string sha256(64, 'a');
  CHECK_THAT(why_not(with(policy(sha1, "/tmp", ""))),
             Contains("/ima/runtime_policy/digests/~1a/0: a SHA-1"));
  CHECK(why_not(with(R"("allow_sha1":true,)" + policy(sha1, "/tmp", ""))) == "accepted");
  CHECK_THAT(
      why_not(with(policy(sha256, ".*", ""))),
      Contains("/ima/runtime_policy/excludes/0: exclude pattern \".*\": matches every path"));
  CHECK(why_not(with(policy(sha256, ".*", R"("allow_match_all":true,)"))) == "accepted");
}

TEST_CASE("a native policy cut short anywhere, or continued, is malformed") {
  const std::string text =
      with(R"("pcrs":{"0":[)" + kValue + R"(]},"clock":{"require_safe":true})");
  REQUIRE(why_not(text) == "accepted");
  for (std::size_t n = 0; n < text.size(); ++n) {
    INFO("first " << n << " bytes");
    CHECK_THROWS_AS(parse_policy(std::string_view(text).substr(0, n)), ParseError);
  }
  CHECK_THROWS_AS(parse_policy(text + "}"), ParseError);
}
