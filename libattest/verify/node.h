// SPDX-License-Identifier: Apache-2.0

// What is remembered of a node between appraisals.

#ifndef LIBATTEST_VERIFY_NODE_H_
#define LIBATTEST_VERIFY_NODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"
#include "libattest/tpm/key.h"
#include "libattest/tpm/quote.h"
#include "libattest/verify/challenge.h"
#include "libattest/verify/ima_position.h"

namespace attest::verify {

struct NodeState {
  struct Seen {
    crypto::Digest key;  // SHA-256 of the AK's SubjectPublicKeyInfo
    std::uint64_t clock = 0;
    std::uint32_t reset_count = 0;
    std::uint32_t restart_count = 0;
    std::uint64_t firmware_version = 0;
    std::vector<std::uint8_t> name;  // the AK's; empty for a key that was given without one
    bool has_clock = true;           // a TPM 1.2 has none: the four numbers are then zero

    friend bool operator==(const Seen&, const Seen&) = default;
  };
  std::optional<Seen> seen;           // nothing: never appraised as trusted
  std::optional<KeyBinding> binding;  // of the key, by a challenge
  std::optional<ImaPosition> ima;     // of the boot that `seen` is of
};

// JSON text of at most kMaxNodeState bytes, version 1, without secrets. It ends in a digest of
// itself, which shows that it was damaged; it does not show who wrote it. A position that does not
// fit, because the list has loaded many keys, is left out: the next list must then be a whole one.
inline constexpr std::size_t kMaxNodeState = 4096;
std::string to_json(const NodeState& node);
NodeState parse_node(std::string_view text);  // throws ParseError

// Whether both are of one boot, which only resetCount says.
bool of_one_boot(const NodeState::Seen& a, const NodeState::Seen& b) noexcept;

NodeState::Seen seen_now(const tpm::AttestationKey& key, const tpm::ClaimedQuote& verified);

// Compares a verified quote with what was seen before (Part 2, section 10.11.1 TPMS_CLOCK_INFO). Of
// a TPM 1.2 only the key can be compared.
void check_node(const NodeState& node, const NodeState::Seen& now, policy::Findings& findings);

// After a trusted verdict: what there is to remember of it.
struct Trusted {
  NodeState::Seen seen;
  std::optional<KeyBinding> binding;
  bool had_ima = false;            // the evidence had a list,
  std::optional<ImaPosition> ima;  // which was verified to here
};
void advance(NodeState& node, Trusted&& trusted);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_NODE_H_
