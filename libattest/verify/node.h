// SPDX-License-Identifier: Apache-2.0

// What is remembered of a node between appraisals.

#ifndef LIBATTEST_VERIFY_NODE_H_
#define LIBATTEST_VERIFY_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"
#include "libattest/tpm/key.h"
#include "libattest/tpm/quote.h"
#include "libattest/verify/challenge.h"

namespace attest::verify {

struct NodeState {
  struct Seen {
    crypto::Digest key;  // SHA-256 of the AK's SubjectPublicKeyInfo
    std::uint64_t clock = 0;
    std::uint32_t reset_count = 0;
    std::uint32_t restart_count = 0;
    std::uint64_t firmware_version = 0;

    friend bool operator==(const Seen&, const Seen&) = default;
  };
  std::optional<Seen> seen;           // nothing: never appraised as trusted
  std::optional<KeyBinding> binding;  // of the key, by a challenge
};

// JSON text, version 1, without secrets and without authentication.
std::string to_json(const NodeState& node);
NodeState parse_node(std::string_view text);  // throws ParseError

NodeState::Seen seen_now(const tpm::AttestationKey& key, const tpm::ClaimedQuote& verified);

// Compares a verified quote with what was seen before (Part 2, section 10.11.1 TPMS_CLOCK_INFO).
void check_node(const NodeState& node, const NodeState::Seen& now, policy::Findings& findings);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_NODE_H_
