// SPDX-License-Identifier: Apache-2.0

// How far a node's IMA list was verified, so that the next appraisal needs only what is new. What
// the entries before would do to a verdict is all here: an appraisal from a position says what the
// appraisal of the whole list would say.

#ifndef LIBATTEST_VERIFY_IMA_POSITION_H_
#define LIBATTEST_VERIFY_IMA_POSITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"
#include "libattest/policy/policy.h"

namespace attest::verify {

struct ImaPosition {
  struct Bank {
    crypto::Hash hash{};
    bool padded = false;  // the kernel lacks this hash; never the judged bank, which goes by policy
    crypto::Digest value;  // the PCR after the verified entries

    friend bool operator==(const Bank&, const Bank&) = default;
  };
  // A boot_aggregate among the verified entries: it must go on agreeing with the quoted PCRs.
  struct BootAggregate {
    std::uint64_t index = 0;
    std::string algorithm;  // the kernel's name
    crypto::Digest value;

    friend bool operator==(const BootAggregate&, const BootAggregate&) = default;
  };
  // A key that a verified entry loaded into a keyring, with its id there.
  using Key = std::pair<crypto::PublicKey, std::uint32_t>;

  static constexpr std::size_t kMaxBootAggregates = 4;  // one a kernel that kexec has started

  std::uint64_t entries = 0;     // verified, from the list's first; at least one
  std::uint64_t listed = 0;      // that the list had: the next quote must cover them
  std::uint64_t violations = 0;  // among the verified
  crypto::Hash list_bank{};      // of the list's own digests
  std::vector<Bank> banks;       // the judged one first, then every other that was quoted
  crypto::Digest rules;          // rules_identity() of what judged the entries
  std::vector<BootAggregate> boot_aggregates;
  std::vector<Key> keys;
};

// A digest of all that decides what becomes of an entry: with other rules, entries that were
// verified must be judged again. Nothing where that can not be told.
std::optional<crypto::Digest> rules_identity(const policy::Policy& policy);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_IMA_POSITION_H_
