// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy.h"

#include "tests/abi/api/calls.h"

namespace {

void new_policy(Policy& policy) { REQUIRE(attest_policy_new(policy.place()) == ATTEST_OK); }

std::string json_of(const Policy& policy) {
  Buffer json;
  REQUIRE(attest_policy_to_json(json.place(), policy.get()) == ATTEST_OK);
  return text_of(json);
}

attest_status add_allowlist(const Policy& policy, const std::string& list) {
  return attest_policy_add_allowlist(policy.get(), list.data(), list.size(), nullptr, 0, nullptr,
                                     0);
}

attest_status add_runtime(const Policy& policy, const std::string& json) {
  return attest_policy_add_runtime_policy(policy.get(), json.data(), json.size());
}

attest_status add_tpm(const Policy& policy, const std::string& json) {
  return attest_policy_add_tpm_policy(policy.get(), json.data(), json.size());
}

attest_status add_oat(const Policy& policy, const std::string& json) {
  return attest_policy_add_oat_whitelist(policy.get(), json.data(), json.size());
}

const std::string kBios =
    R"({"Name": "B", "Version": "1", "OemName": "O", "Attestation_Type": "PCR", "MLE_Type": "BIOS",)"
    R"( "MLE_Manifests": [{"Name": "0", "Value": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}]})";
const std::string kSha1Line = "da39a3ee5e6b4b0d3255bfef95601890afd80709  /bin/true\n";
const std::string kSha256Line =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /bin/true\n";

}  // namespace

TEST_CASE("a policy is the same after it was written and read") {
  Policy policy, again;
  make_good_policy(policy);
  const std::string json = json_of(policy);
  REQUIRE(attest_policy_parse(again.place(), json.data(), json.size()) == ATTEST_OK);
  CHECK(json_of(again) == json);
}

TEST_CASE("a policy that is no policy is malformed, with its place in words") {
  for (const auto& [json, words] : {std::pair<std::string, const char*>("", ""),
                                    {"{", ""},
                                    {"[]", ""},
                                    {R"({"version": 2})", "version"},
                                    {R"({"version": 1, "pcrz": {}})", "pcrz"},
                                    {R"({"version": 1, "version": 1})", "version"}}) {
    auto* policy = rubbish<attest_policy>();
    check_failed(attest_policy_parse(&policy, json.data(), json.size()), ATTEST_E_MALFORMED, words);
    CHECK(policy == nullptr);
  }
}

TEST_CASE("a second list of rules for the IMA list is refused, whatever the first was") {
  for (const bool allowlist_first : {true, false}) {
    Policy policy;
    new_policy(policy);
    const std::string runtime =
        R"({"meta": {"version": 1}, "release": 0, "digests": {}, "excludes": [], "keyrings": {},)"
        R"( "ima": {"ignored_keyrings": [], "log_hash_alg": "sha1", "dm_policy": null},)"
        R"( "ima-buf": {}, "verification-keys": ""})";
    REQUIRE((allowlist_first ? add_allowlist(policy, kSha256Line) : add_runtime(policy, runtime)) ==
            ATTEST_OK);
    const std::string before = json_of(policy);
    check_failed(add_allowlist(policy, kSha256Line), ATTEST_E_STATE, "not merged");
    check_failed(add_runtime(policy, runtime), ATTEST_E_STATE, "not merged");
    CHECK(json_of(policy) == before);
  }
}

TEST_CASE("a second set of reference values is refused") {
  Policy policy;
  new_policy(policy);
  REQUIRE(add_tpm(policy, good_node().tpm_policy) == ATTEST_OK);
  check_failed(add_tpm(policy, good_node().tpm_policy), ATTEST_E_STATE, "not merged");
}

TEST_CASE("OAT's whitelist is SHA-1: it must be allowed, and becomes the policy's bank") {
  Policy policy;
  new_policy(policy);
  const std::string before = json_of(policy);
  check_failed(add_oat(policy, kBios), ATTEST_E_STATE, "SHA-1");
  CHECK(json_of(policy) == before);
  REQUIRE(attest_policy_set_allow_sha1(policy.get(), 1) == ATTEST_OK);
  check_failed(add_oat(policy, "[" + kBios + "," + kBios + "]"), ATTEST_E_MALFORMED, "twice");
  REQUIRE(add_oat(policy, kBios) == ATTEST_OK);
  CHECK(json_of(policy).find(R"("bank": "sha1")") != std::string::npos);
  check_failed(add_oat(policy, kBios), ATTEST_E_STATE, "not merged");
  check_failed(add_tpm(policy, good_node().tpm_policy), ATTEST_E_STATE, "not merged");
  check_failed(attest_policy_set_allow_sha1(policy.get(), 0), ATTEST_E_STATE, "SHA-1");
}

TEST_CASE("OAT's whitelist changes the meaning of no rule of another bank") {
  const std::string json =
      R"({"version": 1, "allow_sha1": true, "event_log": {"events": {"4": [")" +
      std::string(64, '0') + "\"]}}}";
  Policy policy;
  REQUIRE(attest_policy_parse(policy.place(), json.data(), json.size()) == ATTEST_OK);
  const std::string before = json_of(policy);
  check_failed(add_oat(policy, kBios), ATTEST_E_STATE, "bank sha1");
  CHECK(json_of(policy) == before);
}

TEST_CASE("rules that are malformed leave the policy as it was") {
  Policy policy;
  new_policy(policy);
  const std::string before = json_of(policy);
  check_failed(add_allowlist(policy, "zz /bin/true\n"), ATTEST_E_MALFORMED, "line 1");
  check_failed(add_runtime(policy, "{}"), ATTEST_E_MALFORMED, "");
  check_failed(add_tpm(policy, R"({"10": ["00"]})"), ATTEST_E_MALFORMED, "10");
  const std::string bad_exclude = "(";
  check_failed(attest_policy_add_allowlist(policy.get(), kSha256Line.data(), kSha256Line.size(),
                                           nullptr, 0, bad_exclude.data(), bad_exclude.size()),
               ATTEST_E_MALFORMED, "line 1");
  CHECK(json_of(policy) == before);
}

TEST_CASE("a checksum that is given is compared, also an empty one") {
  const std::string good = "6fae9a3dd2a4bd4e2f7bbf4cc15a8ee4ac6fbd4f8e6d6ee1fdc7cbb4b3b2dd5d";
  for (const std::string& checksum : {good, std::string()}) {
    Policy policy;
    new_policy(policy);
    const attest_status status =
        attest_policy_add_allowlist(policy.get(), kSha256Line.data(), kSha256Line.size(),
                                    checksum.data(), checksum.size(), nullptr, 0);
    check_failed(status, ATTEST_E_MALFORMED, "checksum");
  }
}

TEST_CASE("SHA-1 is refused until it is allowed, and stays allowed while it may be needed") {
  Policy policy;
  new_policy(policy);
  check_failed(add_allowlist(policy, kSha1Line), ATTEST_E_MALFORMED, "line 1");
  REQUIRE(attest_policy_set_allow_sha1(policy.get(), 1) == ATTEST_OK);
  REQUIRE(attest_policy_set_allow_sha1(policy.get(), 0) == ATTEST_OK);
  REQUIRE(attest_policy_set_allow_sha1(policy.get(), 1) == ATTEST_OK);
  REQUIRE(add_allowlist(policy, kSha1Line) == ATTEST_OK);
  check_failed(attest_policy_set_allow_sha1(policy.get(), 0), ATTEST_E_STATE, "SHA-1");
  REQUIRE(attest_policy_set_allow_sha1(policy.get(), 1) == ATTEST_OK);
  for (const int flag : {-1, 2, 256}) {
    check_failed(attest_policy_set_allow_sha1(policy.get(), flag), ATTEST_E_ARGUMENT,
                 "neither 0 nor 1");
  }
}

TEST_CASE("what the kernel extends is said before or after the rules") {
  for (const bool before : {true, false}) {
    Policy policy;
    new_policy(policy);
    if (before) {
      REQUIRE(attest_policy_set_ima_digest(policy.get(), ATTEST_IMA_PADDED) == ATTEST_OK);
    }
    REQUIRE(add_allowlist(policy, kSha256Line) == ATTEST_OK);
    if (!before) {
      REQUIRE(attest_policy_set_ima_digest(policy.get(), ATTEST_IMA_PADDED) == ATTEST_OK);
    }
    const std::string json = json_of(policy);
    INFO(json);
    CHECK(json.find(R"("digest": "padded")") != std::string::npos);
    CHECK(json.find("\"ima\": {\n    \"required\": true") != std::string::npos);
    REQUIRE(attest_policy_set_ima_digest(policy.get(), ATTEST_IMA_DIGEST_DEFAULT) == ATTEST_OK);
    CHECK(json_of(policy).find("padded") == std::string::npos);
  }
}

TEST_CASE("saying what the kernel extends asks for no list by itself") {
  Policy policy;
  Evidence evidence;
  Report report;
  new_policy(policy);
  REQUIRE(attest_policy_set_ima_digest(policy.get(), ATTEST_IMA_NATIVE) == ATTEST_OK);
  make_good_evidence(evidence);
  const attest_appraise_options options = good_options();
  REQUIRE(attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options) ==
          ATTEST_OK);
  CHECK(attest_report_verdict(report.get()) != ATTEST_VERDICT_TRUSTED);
  for (const int number : {-1, 4, 257}) {
    check_failed(attest_policy_set_ima_digest(policy.get(), any<attest_ima_digest>(number)),
                 ATTEST_E_ARGUMENT, "attest_ima_digest");
  }
}

TEST_CASE("a PCR that reference values judge is not the IMA list's") {
  const std::string json = R"({"version": 1, "pcrs": {"10": [")" + std::string(64, '0') + "\"]}}";
  Policy policy;
  REQUIRE(attest_policy_parse(policy.place(), json.data(), json.size()) == ATTEST_OK);
  check_failed(attest_policy_set_ima_digest(policy.get(), ATTEST_IMA_PADDED), ATTEST_E_STATE,
               "PCR 10");
}

TEST_CASE("NULLs in calls about policies are the caller's mistake") {
  Policy policy;
  new_policy(policy);
  auto* made = rubbish<attest_policy>();
  auto* json = rubbish<attest_buffer>();
  check_failed(attest_policy_new(nullptr), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_policy_parse(nullptr, "", 0), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_policy_parse(&made, nullptr, 1), ATTEST_E_ARGUMENT, "NULL");
  CHECK(made == nullptr);
  check_failed(attest_policy_to_json(&json, nullptr), ATTEST_E_ARGUMENT, "policy is NULL");
  CHECK(json == nullptr);
  check_failed(attest_policy_set_allow_sha1(nullptr, 1), ATTEST_E_ARGUMENT, "policy is NULL");
  check_failed(attest_policy_set_ima_digest(nullptr, ATTEST_IMA_NATIVE), ATTEST_E_ARGUMENT,
               "policy is NULL");
  check_failed(attest_policy_add_allowlist(nullptr, "", 0, nullptr, 0, nullptr, 0),
               ATTEST_E_ARGUMENT, "policy is NULL");
  check_failed(attest_policy_add_allowlist(policy.get(), nullptr, 0, nullptr, 0, nullptr, 0),
               ATTEST_E_ARGUMENT, "allowlist is NULL");
  check_failed(attest_policy_add_allowlist(policy.get(), "", 0, nullptr, 1, nullptr, 0),
               ATTEST_E_ARGUMENT, "NULL");
  check_failed(attest_policy_add_allowlist(policy.get(), "", 0, nullptr, 0, nullptr, 1),
               ATTEST_E_ARGUMENT, "NULL");
  check_failed(attest_policy_add_runtime_policy(nullptr, "", 0), ATTEST_E_ARGUMENT, "policy");
  check_failed(attest_policy_add_runtime_policy(policy.get(), nullptr, 1), ATTEST_E_ARGUMENT,
               "NULL");
  check_failed(attest_policy_add_tpm_policy(nullptr, "", 0), ATTEST_E_ARGUMENT, "policy");
  check_failed(attest_policy_add_tpm_policy(policy.get(), nullptr, 1), ATTEST_E_ARGUMENT, "NULL");
  check_failed(attest_policy_add_oat_whitelist(nullptr, "", 0), ATTEST_E_ARGUMENT, "policy");
  check_failed(attest_policy_add_oat_whitelist(policy.get(), nullptr, 1), ATTEST_E_ARGUMENT,
               "NULL");
}
