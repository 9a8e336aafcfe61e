// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/policy.h"

#include <catch2/catch.hpp>
#include <string>

#include "libattest/base/error.h"

using namespace attest::policy;
using attest::ParseError;
using attest::crypto::Digest;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

RuntimePolicy rules(std::size_t digest_size = 32) {
  RuntimePolicyOptions options;
  options.allow_sha1 = true;
  return parse_allowlist(std::string(2 * digest_size, 'a') + " /a\n", std::nullopt, std::nullopt,
                         options);
}

}  // namespace

TEST_CASE("a policy that says nothing judges no PCR") {
  const Policy policy;
  CHECK(policy.judged_pcrs() == 0);
  CHECK(policy.bank == attest::crypto::Hash::kSha256);
  CHECK_FALSE(policy.allow_sha1);
}

TEST_CASE("each rule adds its PCRs to those that must be quoted") {
  Policy policy;
  policy.pcrs[0] = {Digest::filled(32, 1)};
  CHECK(policy.judged_pcrs() == 0x1);
  policy.event_log.pcrs = {4};
  CHECK(policy.judged_pcrs() == 0x11);
  policy.event_log.events[7] = {Digest::filled(32, 1)};
  CHECK(policy.judged_pcrs() == 0x91);
  policy.ima.emplace();
  CHECK(policy.judged_pcrs() == 0x491);
  policy.ima->required = false;
  CHECK(policy.judged_pcrs() == 0x91);
  policy.ima->rules = std::make_shared<const RuntimePolicy>();
  policy.ima->pcr = 11;
  CHECK(policy.judged_pcrs() == 0x891);
}

TEST_CASE("digest modes have names") {
  for (const ImaDigest digest : {ImaDigest::kNative, ImaDigest::kPadded, ImaDigest::kPaddedOld}) {
    CHECK(ima_digest_from_name(name_of(digest)) == digest);
  }
  CHECK(name_of(ImaDigest::kPaddedOld) == "padded-old");
  CHECK(name_of(static_cast<ImaDigest>(0)).empty());
  CHECK_FALSE(ima_digest_from_name("Native"));
  CHECK_FALSE(ima_digest_from_name(""));
}

TEST_CASE("a runtime policy is added once") {
  Policy policy;
  add_runtime_policy(policy, rules());
  REQUIRE(policy.ima);
  REQUIRE(policy.ima->rules);
  CHECK(policy.ima->required);
  CHECK(policy.ima->rules->files.num_paths() == 1);
  CHECK_THROWS_WITH(
      add_runtime_policy(policy, rules()),
      Equals(
          "appraisal policy: /ima/runtime_policy: the policy has one already: two are not merged"));
}

TEST_CASE("a runtime policy keeps what the policy says of IMA") {
  Policy policy;
  policy.ima.emplace().required = false;
  policy.ima->pcr = 11;
  add_runtime_policy(policy, rules());
  CHECK_FALSE(policy.ima->required);
  CHECK(policy.ima->pcr == 11);
  CHECK(policy.ima->rules);
}

TEST_CASE("a runtime policy that contradicts the policy it is added to is refused") {
  Policy policy;
  SECTION("reference values for IMA's PCR") {
    policy.pcrs[10] = {Digest::filled(32, 1)};
    CHECK_THROWS_WITH(add_runtime_policy(policy, rules()),
                      Contains("/pcrs/10: the IMA list judges this PCR"));
  }
  SECTION("events for IMA's PCR") {
    policy.event_log.events[10] = {Digest::filled(32, 1)};
    CHECK_THROWS_WITH(add_runtime_policy(policy, rules()),
                      Contains("/event_log/events/10: the IMA list judges this PCR"));
  }
  SECTION("SHA-1 file digests") {
    CHECK_THROWS_WITH(add_runtime_policy(policy, rules(20)),
                      Contains("/ima/runtime_policy: lists SHA-1 digests"));
  }
  SECTION("SHA-1 keyring digests") {
    RuntimePolicy keyring = rules();
    keyring.keyrings[".ima"] = {{"sha256", Digest::filled(32, 1)}, {"sha1", Digest::filled(20, 1)}};
    CHECK_THROWS_WITH(add_runtime_policy(policy, std::move(keyring)),
                      Contains("/ima/runtime_policy: lists SHA-1 digests"));
  }
  SECTION("SHA-1 buffer digests") {
    RuntimePolicy buffer = rules();
    buffer.buffers["kernel_version"] = {{"sha1", Digest::filled(20, 1)}};
    CHECK_THROWS_WITH(add_runtime_policy(policy, std::move(buffer)),
                      Contains("/ima/runtime_policy: lists SHA-1 digests"));
  }
  CHECK_FALSE(policy.ima);
}

TEST_CASE("SHA-1 file digests are added to a policy that allows them") {
  Policy policy;
  policy.allow_sha1 = true;
  add_runtime_policy(policy, rules(20));
  CHECK(policy.ima->rules->files.has_algorithm("sha1"));
}
