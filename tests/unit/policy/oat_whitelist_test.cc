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

const std::string kA = '"' + std::string(40, 'a') + '"';
const std::string kB = '"' + std::string(40, 'b') + '"';

Policy willing() {
  Policy policy;
  policy.allow_sha1 = true;
  return policy;
}

std::string why_not(const std::string& json, const Policy& start = willing()) {
  Policy policy = start;
  try {
    add_oat_whitelist(policy, json);
  } catch (const ParseError& e) {
    CHECK(to_json(policy) == to_json(start));  // nothing is added by halves
    return e.what();
  }
  return "accepted";
}

Policy policy_of(const std::string& json) {
  Policy policy = willing();
  add_oat_whitelist(policy, json);
  return policy;
}

std::string manifest(const std::string& pcr, const std::string& value = kA) {
  return R"({"Name":")" + pcr + R"(","Value":)" + value + "}";
}

std::string bios(const std::string& manifests, const std::string& name = "B") {
  return R"({"Name":")" + name +
         R"(","Version":"1","OemName":"O","Attestation_Type":"PCR","MLE_Type":"BIOS",)"
         R"("MLE_Manifests":[)" +
         manifests + "]}";
}

std::string vmm(const std::string& manifests, const std::string& name = "V") {
  return R"({"Name":")" + name +
         R"(","Version":"1","OsName":"L","OsVersion":"2","Attestation_Type":"PCR",)"
         R"("MLE_Type":"VMM","MLE_Manifests":[)" +
         manifests + "]}";
}

std::string entry(const std::string& pcr, const std::string& value, const std::string& owner,
                  const std::string& name) {
  return R"({"pcrName":")" + pcr + R"(","pcrDigest":)" + value + R"(,"mleName":")" + name +
         R"(","mleVersion":"1",)" + owner + "}";
}
const std::string kOem = R"("oemName":"O")";
const std::string kOs = R"("osName":"L","osVersion":"2")";

std::string host(const std::string& bios_name, const std::string& vmm_name) {
  return R"({"HostName":"h","BIOS_Name":")" + bios_name +
         R"(","BIOS_Version":"1","BIOS_Oem":"O","VMM_Name":")" + vmm_name +
         R"(","VMM_Version":"1","VMM_OSName":"L","VMM_OSVersion":"2"})";
}

std::string list(std::initializer_list<std::string> records) {
  std::string out = "[";
  for (const std::string& record : records) out += (out.size() > 1 ? "," : "") + record;
  return out + "]";
}

// `text` with the first `from` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

}  // namespace

TEST_CASE("a host's whitelist becomes exact values of bank sha1") {
  const Policy policy = policy_of(read_text_vector("policy/oat_whitelist.json"));
  CHECK(policy.bank == Hash::kSha1);
  CHECK(policy.allow_sha1);
  CHECK(policy.judged_pcrs() == 0x60081);
  for (const auto& [pcr, values] : policy.pcrs) CHECK(values.size() == 1);
  CHECK(policy.launch.required);
  CHECK(to_json(parse_policy(to_json(policy))) == to_json(policy));
}

TEST_CASE("one MLE alone judges its own PCRs") {
  CHECK(policy_of(bios(manifest("0") + "," + manifest("7"))).judged_pcrs() == 0x81);
  const Policy launched = policy_of(list({vmm(manifest("18") + "," + manifest("19"))}));
  CHECK(launched.judged_pcrs() == 0xc0000);
  CHECK_FALSE(launched.launch.required);  // PCR 17 would have to be judged
  CHECK(policy_of(vmm(manifest("17"))).launch.required);
}

TEST_CASE("whitelist entries are an MLE's, whether or not it has a record") {
  const std::string pcr_0 = entry("0", kA, kOem, "B");
  const std::string pcr_1 = entry("1", kB, kOem + R"(,"osName":"","osVersion":"")", "B");
  CHECK(policy_of(pcr_0).judged_pcrs() == 1);
  CHECK(policy_of(list({pcr_0, pcr_1})).judged_pcrs() == 3);
  CHECK(policy_of(list({pcr_1, bios(manifest("0"))})).judged_pcrs() == 3);
  CHECK(policy_of(list({entry("18", kA, kOs, "V"), pcr_0})).judged_pcrs() == 0x40001);
}

TEST_CASE("values of two MLEs are never mixed") {
  const std::string two = "values of two MLEs are not mixed";
  CHECK_THAT(why_not(list({bios(manifest("0")), bios(manifest("0", kB), "C")})), Contains(two));
  CHECK_THAT(why_not(list({bios(manifest("0")), bios(manifest("1", kB), "C")})), Contains(two));
  CHECK_THAT(why_not(list({vmm(manifest("18")), vmm(manifest("18", kB), "C")})), Contains(two));
  CHECK_THAT(why_not(list({bios(manifest("0")), entry("1", kB, kOem, "C")})), Contains(two));
  // Another version, OEM or operating system makes another MLE of the same name.
  CHECK_THAT(why_not(list({bios(manifest("0")),
                           with(bios(manifest("1")), R"("Version":"1")", R"("Version":"2")")})),
             Contains(two));
  CHECK_THAT(why_not(list({bios(manifest("0")), entry("1", kA, R"("oemName":"P")", "B")})),
             Contains(two));
  CHECK_THAT(
      why_not(list({vmm(manifest("18")), entry("19", kA, R"("osName":"L","osVersion":"3")", "V")})),
      Contains(two));
}

TEST_CASE("a host's record says which MLEs are its own") {
  const std::string all = bios(manifest("0")) + "," + bios(manifest("0", kB), "C") + "," +
                          vmm(manifest("18")) + "," + vmm(manifest("18", kB), "W");
  const Policy first = policy_of(list({host("B", "W"), all}));
  CHECK(first.pcrs.at(0) == std::vector{Digest::filled(20, 0xaa)});
  CHECK(first.pcrs.at(18) == std::vector{Digest::filled(20, 0xbb)});
  const Policy last = policy_of(list({all, host("C", "V")}));
  CHECK(last.pcrs.at(0) == std::vector{Digest::filled(20, 0xbb)});
  CHECK(last.pcrs.at(18) == std::vector{Digest::filled(20, 0xaa)});
  CHECK(why_not(list({all, host("D", "V")})) ==
        "OAT whitelist: top level: has not the BIOS MLE that the host names");
  CHECK(why_not(list({all, host("B", "X")})) ==
        "OAT whitelist: top level: has not the VMM MLE that the host names");
  CHECK_THAT(why_not(list({bios(manifest("0")), host("B", "V")})), Contains("not the VMM MLE"));
  CHECK_THAT(why_not(host("B", "V")), Contains("not the BIOS MLE"));
  CHECK(why_not(list({all, host("B", "V"), host("B", "V")})) ==
        "OAT whitelist: /5: a second host: a policy is of one");
  CHECK(why_not(list({all, with(host("B", "V"), R"("h")", R"("")")})) ==
        "OAT whitelist: /4/HostName: is empty");
  CHECK_THAT(why_not(list({all, with(host("B", "V"), R"("BIOS_Oem":"O",)", "")})),
             Contains("BIOS_Oem"));
  CHECK_THAT(why_not(list({all, with(host("B", "V"), R"("VMM_Name")", R"("vmm_name")")})),
             Contains("/4/vmm_name"));
}

TEST_CASE("an MLE or a PCR that is there twice is refused") {
  CHECK(why_not(list({bios(manifest("0")), bios(manifest("1"))})) ==
        "OAT whitelist: /1: this MLE is there twice");
  CHECK(why_not(bios(manifest("0") + "," + manifest("0"))) ==
        "OAT whitelist: /MLE_Manifests/1/Name: this MLE has the PCR twice");
  CHECK(why_not(bios(manifest("0") + "," + manifest("0", kB))) ==
        "OAT whitelist: /MLE_Manifests/1/Name: this MLE has the PCR twice");
  CHECK(why_not(list({bios(manifest("0")), entry("0", kB, kOem, "B")})) ==
        "OAT whitelist: /1/pcrName: this MLE has the PCR twice");
  CHECK(why_not(list({entry("0", kB, kOem, "B"), bios(manifest("0"))})) ==
        "OAT whitelist: /1/MLE_Manifests/0/Name: this MLE has the PCR twice");
}

TEST_CASE("an MLE has PCRs of its own half only") {
  for (const std::string pcr : {"8", "10", "17", "18", "23", "24", "-1", "00", "01", " 0", "0 ", "",
                                "x", "0x0", "18446744073709551616"}) {
    CHECK(why_not(bios(manifest(pcr))) ==
          "OAT whitelist: /MLE_Manifests/0/Name: is not the number of a BIOS's PCR (0 to 7)");
    CHECK_THAT(why_not(entry(pcr, kA, kOem, "B")),
               Contains("/pcrName: is not the number of a BIOS"));
  }
  for (const std::string pcr : {"0", "7", "16", "20", "22", "23", "24", "017"}) {
    CHECK(why_not(vmm(manifest(pcr))) ==
          "OAT whitelist: /MLE_Manifests/0/Name: is not the number of a VMM's PCR (17 to 19)");
    CHECK_THAT(why_not(entry(pcr, kA, kOs, "V")), Contains("/pcrName: is not the number of a VMM"));
  }
  CHECK(why_not(with(bios(manifest("0")), R"("Name":"0")", R"("Name":0)")) ==
        "OAT whitelist: /MLE_Manifests/0/Name: is not a string");
}

TEST_CASE("a value is 20 bytes in hexadecimal") {
  const std::string words = "is not 40 hexadecimal digits, as bank sha1 needs";
  for (const std::string& value :
       {std::string(), std::string(39, 'a'), std::string(41, 'a'), std::string(64, 'a'),
        std::string(40, 'g'), " " + std::string(39, 'a')}) {
    CHECK(why_not(bios(manifest("0", '"' + value + '"'))) ==
          "OAT whitelist: /MLE_Manifests/0/Value: " + words);
    CHECK(why_not(entry("0", '"' + value + '"', kOem, "B")) ==
          "OAT whitelist: /pcrDigest: " + words);
  }
  CHECK_THAT(why_not(bios(manifest("0", "[" + kA + "]"))), Contains("/Value: is not a string"));
  CHECK(policy_of(bios(manifest("0", '"' + std::string(40, 'A') + '"'))).pcrs.at(0)[0] ==
        Digest::filled(20, 0xaa));
}

TEST_CASE("what any machine without a launch has is no value of a VMM") {
  const std::string ones = '"' + std::string(40, 'F') + '"';
  const std::string zeros = '"' + std::string(40, '0') + '"';
  const std::string words = "is what this PCR has without a measured launch, whatever was started";
  for (const std::string pcr : {"17", "18", "19"}) {
    CHECK(why_not(vmm(manifest(pcr, ones))) == "OAT whitelist: /MLE_Manifests/0/Value: " + words);
  }
  CHECK_THAT(why_not(vmm(manifest("17", zeros))), Contains(words));
  // A launch resets these, and need not extend them.
  CHECK(why_not(vmm(manifest("19", zeros))) == "accepted");
  CHECK(why_not(bios(manifest("0", ones))) == "accepted");
}

TEST_CASE("a BIOS is an OEM's, a VMM an operating system's") {
  const std::string either = "belongs either to an OEM (a BIOS) or to an operating system (a VMM)";
  const std::string halves =
      "names an operating system without its version, or a version without it";
  const std::string other =
      "a BIOS belongs to an OEM (OemName), a VMM to an operating system (OsName)";
  const std::string good = bios(manifest("0"));
  CHECK_THAT(why_not(with(good, R"("OemName":"O",)", "")), Contains(either));
  CHECK_THAT(why_not(with(good, R"("OemName":"O")", R"("OemName":"")")), Contains(either));
  CHECK_THAT(
      why_not(with(good, R"("OemName":"O")", R"("OemName":"O","OsName":"L","OsVersion":"2")")),
      Contains(either));
  CHECK_THAT(why_not(with(good, R"("OemName":"O")", R"("OemName":"O","OsVersion":"2")")),
             Contains(halves));
  CHECK_THAT(why_not(with(vmm(manifest("18")), R"("OsVersion":"2",)", "")), Contains(halves));
  CHECK_THAT(why_not(with(good, R"("OemName":"O")", R"("OsName":"L","OsVersion":"2")")),
             Contains(other));
  CHECK_THAT(why_not(with(vmm(manifest("18")), "VMM", "BIOS")), Contains(other));
  CHECK(why_not(with(good, R"("OemName":"O")", R"("OemName":"O","OsName":"","OsVersion":"")")) ==
        "accepted");
}

TEST_CASE("of an MLE everything is understood or it is refused") {
  const std::string good = bios(manifest("0"));
  CHECK(why_not(with(good, "BIOS", "bios")) ==
        "OAT whitelist: /MLE_Type: is neither \"BIOS\" nor \"VMM\"");
  CHECK(why_not(with(good, R"("PCR")", R"("MODULE")")) ==
        "OAT whitelist: /Attestation_Type: is not \"PCR\": values of PCRs are all that is known");
  CHECK_THAT(why_not(with(good, R"("Attestation_Type":"PCR",)", "")), Contains("Attestation_Type"));
  CHECK_THAT(why_not(with(good, R"("MLE_Type":"BIOS",)", "")), Contains("MLE_Type"));
  CHECK_THAT(why_not(with(good, R"("Name":"B",)", "")), Contains("Name"));
  CHECK(why_not(bios(manifest("0"), "")) == "OAT whitelist: /Name: is empty");
  CHECK_THAT(why_not(with(good, R"("OemName")", R"("oemname")")), Contains("/oemname"));
  CHECK_THAT(why_not(with(good, R"("Value")", R"("value")")), Contains("/MLE_Manifests/0/value"));
  CHECK_THAT(why_not(with(entry("0", kA, kOem, "B"), R"("pcrDigest")", R"("pcrDigests")")),
             Contains("/pcrDigests"));
  CHECK(why_not(with(good, R"("Name":"B")", R"("Name":"B","Description":1)")) ==
        "OAT whitelist: /Description: is not a string");
  CHECK_THAT(why_not(R"({"mleBean":[],"more":1})"), Contains("/more"));
  CHECK_THAT(why_not(R"({"mleBean":[)" + entry("0", kA, kOem, "B") + "]}"),
             Contains("/mleBean/0/"));
  CHECK_THAT(why_not(with(good, R"("Name":"B")", R"("Name":"B","Name":"C")")), Contains("twice"));
}

TEST_CASE("a whitelist that lists nothing is none") {
  CHECK(why_not("[]") == "OAT whitelist: top level: has no MLE");
  CHECK(why_not(R"({"mleBean":[]})") == "OAT whitelist: top level: has no MLE");
  CHECK(why_not(bios("")) == "OAT whitelist: top level: has a BIOS MLE without a PCR");
  CHECK(why_not(list({bios(manifest("0")), vmm("")})) ==
        "OAT whitelist: top level: has a VMM MLE without a PCR");
  CHECK(why_not(with(bios(""), R"(,"MLE_Manifests":[])", "")) ==
        "OAT whitelist: top level: has a BIOS MLE without a PCR");
  for (const std::string json : {"{}", "[{}]", "[[]]", "\"\"", "1", "null", "[null]", ""}) {
    CHECK(why_not(json) != "accepted");
  }
}

TEST_CASE("a policy takes a whitelist only where it changes the meaning of nothing") {
  const std::string json = bios(manifest("0"));
  CHECK_THAT(why_not(json, Policy{}), Contains("SHA-1, which the policy does not allow"));
  Policy has_values = willing();
  has_values.pcrs[22] = {Digest::filled(32, 1)};
  CHECK_THAT(why_not(json, has_values), Contains("two sources are not merged"));
  Policy has_events = willing();
  has_events.event_log.events[4] = {Digest::filled(32, 1)};
  CHECK_THAT(why_not(json, has_events), Contains("of another"));
  Policy same_bank = willing();
  same_bank.bank = Hash::kSha1;
  same_bank.event_log.events[4] = {Digest::filled(20, 1)};
  CHECK(why_not(json, same_bank) == "accepted");
  Policy launch_asked = willing();
  launch_asked.launch.required = true;
  CHECK_THAT(why_not(json, launch_asked), Contains("/launch/required"));
  Policy ima = willing();
  ima.ima.emplace().pcr = 7;
  CHECK(why_not(json, ima) == "accepted");
  CHECK_THAT(why_not(bios(manifest("7")), ima), Contains("/pcrs/7: the IMA list judges this PCR"));
}

TEST_CASE("an OAT whitelist cut short anywhere, or too long, is malformed") {
  const std::string text = read_text_vector("policy/oat_whitelist.json");
  const std::size_t end = text.rfind(']');
  for (std::size_t n = 0; n <= end; ++n) {
    CHECK(why_not(text.substr(0, n)) != "accepted");
  }
  CHECK_THAT(why_not(bios(manifest("0")) + std::string(std::size_t{1} << 20U, ' ')),
             Contains("longer than 1048576 bytes"));
}
