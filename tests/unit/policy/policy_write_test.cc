// SPDX-License-Identifier: Apache-2.0

#include <catch2/catch.hpp>
#include <random>
#include <stdexcept>
#include <string>

#include "libattest/policy/policy.h"
#include "tests/support/vectors.h"

using namespace attest::policy;
using attest::crypto::Digest;
using attest::crypto::Hash;

namespace {

// Makes policies of which every part is there or not, by chance.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Policy policy() {
    Policy p;
    p.allow_sha1 = coin();
    p.bank = coin() ? Hash::kSha256 : Hash::kSha384;
    if (coin()) p.ak.names = {name(0x01), name(0x02)};
    if (coin()) p.ak.keys = {Digest::filled(32, 0x01), Digest::filled(32, 0x02)};
    p.ak.attributes_required = coin();
    p.ak.binding_required = coin();
    for (const std::uint32_t pcr : {0U, 7U, 17U}) {
      if (coin()) p.pcrs[pcr] = values(p.bank);
    }
    p.event_log.required = coin();
    if (coin()) p.event_log.events[4] = values(p.bank);
    for (const auto& [pcr, list] : p.pcrs) {
      if (coin()) p.event_log.pcrs.push_back(pcr);
    }
    for (const auto& [pcr, list] : p.pcrs) {
      if (coin()) p.event_log.known_events[pcr] = {{"EV_IPL", list.front(), "/vmlinuz \"\xc3\xa9"}};
    }
    if (p.pcrs.contains(17)) p.launch.required = coin();
    p.launch.log_required = coin();
    if (coin()) p.ima = ima(p.allow_sha1);
    p.clock.require_safe = coin();
    return p;
  }

 private:
  bool coin() { return (random_() & 1U) != 0; }

  static std::vector<std::uint8_t> name(std::uint8_t fill) {
    std::vector<std::uint8_t> out(34, fill);
    out[0] = 0x00;
    out[1] = 0x0b;
    return out;
  }

  std::vector<Digest> values(Hash bank) {
    std::vector<Digest> out;
    for (std::uint8_t v = 1; v < 4; ++v) {
      if (out.empty() || coin()) out.push_back(Digest::filled(attest::crypto::hash_size(bank), v));
    }
    return out;
  }

  ImaPolicy ima(bool allow_sha1) {
    ImaPolicy out;
    out.required = coin();
    out.pcr = coin() ? 10 : 11;
    out.digest = coin() ? ImaDigest::kPadded : ImaDigest::kPaddedOld;
    out.signatures = coin() ? ImaSignatures::kBoth : ImaSignatures::kRequired;
    out.max_unverified_tail = random_() % 1'000'000'001;
    out.violations_fail = coin();
    out.boot_aggregate_0_7 = coin();
    out.verity = coin();
    out.allow_empty = coin();
    if (coin()) out.rules = std::make_shared<const RuntimePolicy>(rules(allow_sha1));
    return out;
  }

  RuntimePolicy rules(bool allow_sha1) {
    RuntimePolicy out =
        parse_keylime_runtime_policy(read_text_vector("policy/runtime_policy.json"), {});
    if (coin()) out.verification_keys.clear();
    if (coin()) out.log_hash.reset();
    if (coin()) out.excludes = Excludes({{"/a", "x"}, {".*", "x"}}, "x", true);
    if (coin()) out.keyrings["\n\x01"] = {{"sm3", Digest::filled(32, 1)}};
    if (allow_sha1 && coin()) out.buffers["b"] = {{"sha1", Digest::filled(20, 1)}};
    return out;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("a policy that is written is read as the same") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::string text = to_json(Generator(seed).policy());
    INFO(text);
    REQUIRE(to_json(parse_policy(text)) == text);
  }
}

TEST_CASE("every part of a policy is written") {
  const std::string base = to_json(Policy());
  CHECK(base ==
        "{\n  \"version\": 1,\n  \"bank\": \"sha256\",\n  \"allow_sha1\": false,\n  \"ak\": {\n"
        "    \"attributes\": \"reported\",\n    \"binding\": \"vouched\"\n  },\n  \"pcrs\": {},\n"
        "  \"event_log\": {\n    \"required\": false,\n    \"pcrs\": [],\n    \"events\": {},\n"
        "    \"known_events\": {}\n  },\n"
        "  \"launch\": {\n    \"required\": false,\n    \"log_required\": false\n  },\n"
        "  \"clock\": {\n    \"require_safe\": false\n  }\n}");
  const Policy all = parse_policy(read_text_vector("policy/native.json"));
  const Policy again = parse_policy(to_json(all));
  CHECK(again.bank == all.bank);
  CHECK(again.ak.names == all.ak.names);
  CHECK(again.ak.keys == all.ak.keys);
  CHECK(again.ak.attributes_required);
  CHECK(again.ak.binding_required);
  CHECK(again.pcrs == all.pcrs);
  CHECK(again.event_log.required);
  CHECK(again.event_log.pcrs == all.event_log.pcrs);
  CHECK(again.event_log.events == all.event_log.events);
  const std::vector<KnownEvent>& known = again.event_log.known_events.at(4);
  REQUIRE(known.size() == 1);
  CHECK(known[0].type == "EV_EFI_BOOT_SERVICES_APPLICATION");
  CHECK(known[0].digest == all.event_log.events.at(4)[0]);
  CHECK(known[0].description == "/EFI/BOOT/BOOTX64.EFI");
  CHECK(again.launch.required);
  CHECK(again.launch.log_required);
  REQUIRE(again.ima);
  REQUIRE(again.ima->rules);
  const RuntimePolicy& rules = *again.ima->rules;
  CHECK(rules.files.num_digests() == all.ima->rules->files.num_digests());
  CHECK(rules.excludes.patterns() == all.ima->rules->excludes.patterns());
  CHECK(rules.keyrings == all.ima->rules->keyrings);
  CHECK(rules.buffers == all.ima->rules->buffers);
  CHECK(rules.ignored_keyrings == all.ima->rules->ignored_keyrings);
  CHECK(rules.log_hash == all.ima->rules->log_hash);
  REQUIRE(rules.verification_keys.size() == 2);
  CHECK(rules.verification_keys[0].second == all.ima->rules->verification_keys[0].second);
  CHECK(rules.verification_keys[1].second == 0x12345678);
  CHECK(again.clock.require_safe);
}

TEST_CASE("policies that mean the same are written the same") {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  Policy first, second;
  add_runtime_policy(first, parse_allowlist(a + " /a\n" + b + " /b\n" + b + " /a\n" + a +
                                                " %keyring:k\n" + b + " %keyring:k\n",
                                            std::nullopt, std::nullopt, {}));
  add_runtime_policy(second, parse_allowlist(b + " %keyring:k\n" + a + " %keyring:k\n" + b +
                                                 " /a\n" + a + " /a\n" + b + " /b\n" + b + " /b\n",
                                             std::nullopt, std::nullopt, {}));
  CHECK(to_json(first) == to_json(second));
}

TEST_CASE("a policy with a path that is not UTF-8 can not be written as JSON") {
  Policy policy;
  add_runtime_policy(
      policy, parse_allowlist(std::string(64, 'a') + " /\xff\n", std::nullopt, std::nullopt, {}));
  CHECK_THROWS_AS(to_json(policy), std::invalid_argument);
}
