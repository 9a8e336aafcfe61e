// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/challenge.h"

#include <catch2/catch.hpp>

#include "libattest/base/error.h"
#include "libattest/verify/appraise.h"
#include "tests/support/ek.h"
#include "tests/support/evidence.h"
#include "tests/support/signer.h"

using attest::policy::Code;
using attest::policy::Policy;
using attest::policy::Verdict;
using attest::tpm::AttestationKey;
using attest::tpm::EndorsementKey;
using attest::verify::CredentialChallenge;
using Catch::Contains;

namespace {

std::shared_ptr<const AttestationKey> key_of(const Octets& in) {
  return std::make_shared<const AttestationKey>(AttestationKey::load(in));
}

const EndorsementKey& ek() {
  static const EndorsementKey key = EndorsementKey::load(ek_public(Signer::ec("P-256")), {});
  return key;
}

std::string refusal(const Octets& ak) {
  try {
    const CredentialChallenge challenge(ek(), key_of(ak));
  } catch (const attest::RefusedError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("no wrong answer is right, and there is one", "[challenge]") {
  const auto ak = key_of(Signer::ec("P-256").tpm2b_public());
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U}) {
    CredentialChallenge challenge(ek(), ak);
    CHECK_FALSE(challenge.checked());
    CHECK_FALSE(challenge.check(Octets(size, 0)).has_value());
    CHECK(challenge.checked());
    // The secret is gone: an empty answer is not like it.
    CHECK_FALSE(challenge.check({}).has_value());
    CHECK_FALSE(challenge.check(Octets(size, 0)).has_value());
  }
}

TEST_CASE("only a TPM's restricted signing key is challenged", "[challenge]") {
  Signer key = Signer::ec("P-256");
  CHECK(refusal(key.tpm2b_public()) == "accepted");
  for (const std::uint32_t bit : {0x2U, 0x10U, 0x20U, 0x10000U, 0x40000U}) {
    Signer without = Signer::ec("P-256");
    without.attributes &= ~bit;
    CHECK_THAT(refusal(without.tpm2b_public()), Contains("restricted signing key"));
  }
  key.attributes |= 0x20000U;
  CHECK_THAT(refusal(key.tpm2b_public()), Contains("decrypt set"));
  CHECK_THAT(refusal(key.spki()), Contains("without its TPM public area"));
  for (const char* name : {"tpm12/aik.tpm_key", "tpm12/aik.tpm_pubkey"}) {
    CHECK_THAT(refusal(read_vector(name)), Contains("has no Name"));
  }
  Signer sha1 = Signer::ec("P-256");
  sha1.name_alg = 0x0004;
  CHECK_THAT(refusal(sha1.tpm2b_public()), Contains("SHA-1"));
  CHECK_THAT(refusal(Signer::rsa(1024).tpm2b_public()), Contains("too short"));
}

// Answers that are right are in tests/system: only a TPM can give them. Here, what is remembered.
TEST_CASE("a key that a node's state says is bound is bound, and no other", "[challenge]") {
  const Parts clean = boot("grub-ima-ng");
  Policy policy = clean.learn();
  const auto names = policy.ak.names;
  policy.ak.names.clear();
  policy.ak.binding_required = true;
  CHECK(fails_with(clean.appraise(&policy), Code::kKeyNotBound));
  const auto node_with = [&](attest::Bytes name) {
    std::string front = "{\"version\":1,\"key\":\"" + std::string(64, '0') +
                        "\",\"name\":\"\",\"clock\":1,\"reset_count\":1,\"restart_count\":1,"
                        "\"firmware_version\":1,\"binding\":{\"name\":\"" +
                        attest::to_hex(name) + "\",\"ek\":\"" + std::string(64, 'a') + "\"}";
    const auto seal =
        attest::crypto::Hasher(attest::crypto::Hash::kSha256)(attest::as_bytes(front));
    auto node =
        attest::verify::parse_node(front + ",\"sha256\":\"" + attest::to_hex(seal.bytes()) + "\"}");
    node.seen.reset();
    return node;
  };
  auto node = node_with(names.at(0));
  const auto report = clean.appraise(&policy, &node);
  CHECK(report.verdict == Verdict::kTrusted);
  CHECK(report.claims.key_ek == std::string(64, 'a'));
  // It goes on being remembered.
  const auto again = attest::verify::parse_node(attest::verify::to_json(node));
  REQUIRE(again.binding.has_value());
  CHECK(again.binding == node.binding);
  Octets other = names.at(0);
  other.back() ^= 1U;
  for (const Octets& name : {other, Octets(), Octets(names.at(0).begin(), names.at(0).end() - 1)}) {
    auto not_bound = node_with(name);
    const auto refused = clean.appraise(&policy, &not_bound);
    CHECK(fails_with(refused, Code::kKeyNotBound));
    CHECK(refused.claims.key_ek.empty());
  }
}
