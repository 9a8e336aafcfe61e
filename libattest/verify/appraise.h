// SPDX-License-Identifier: Apache-2.0

// The appraisal: evidence, policy, node state and time in, a report out. Pure: no clock, no file,
// no network, nothing global.

#ifndef LIBATTEST_VERIFY_APPRAISE_H_
#define LIBATTEST_VERIFY_APPRAISE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "libattest/eventlog/log.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/tpm/key.h"
#include "libattest/verify/challenge.h"
#include "libattest/verify/node.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// Puts up to the span's size of bytes into it and returns how many; 0 at the end.
using ReadBytes = std::function<std::size_t(std::span<std::uint8_t>)>;

// An event log and the bytes that it looks into.
struct EventLogEvidence {
  std::vector<std::uint8_t> bytes;
  eventlog::Log log;
};

// An IMA list: in memory, or to be read once.
struct ImaEvidence {
  std::vector<std::uint8_t> bytes;
  ReadBytes read;                 // empty: `bytes` are the list
  std::uint64_t first_entry = 0;  // the list's first entry in the node's list: 0 for a whole one
};

struct Evidence {
  std::shared_ptr<const tpm::AttestationKey> key;
  std::optional<KeyBinding> binding;  // of `key` by a challenge
  std::optional<QuoteEvidence> quote;
  std::optional<EventLogEvidence> event_log;
  std::optional<EventLogEvidence> launch_log;  // of Log::parse_launch
  std::optional<ImaEvidence> ima;
};

struct Options {
  Bytes nonce;
  std::int64_t now = 0;     // seconds since 1970-01-01 UTC, for the report; 0: not said
  bool allow_sha1 = false;  // where there is no policy to say so, and in one that is learned
};

// What a policy is learned of. Numbers are part of the C ABI (attest_profile).
enum class Profile : std::uint8_t {
  kEverything = 0,    // every quoted PCR that stays the same from boot to boot, and the IMA list
  kTrustedBoot = 1,   // BIOS (PCRs 0 to 7) and VMM (17 to 19) after a dynamic launch
  kMeasuredBoot = 2,  // BIOS and boot loader (PCRs 0 to 9): kernel and ramdisk, where GRUB measures
};

// `policy` may be null: the verdict is then never kTrusted. `node` may be null; it is changed only
// when the verdict is kTrusted. Throws ParseError for an IMA list that is not of its format, and
// what evidence.ima->read throws.
policy::Report appraise(const Evidence& evidence, const policy::Policy* policy, NodeState* node,
                        const Options& options);

// The quote's own checks only; the verdict is never kTrusted.
policy::Report appraise_quote(const QuoteEvidence& quote, const tpm::AttestationKey& key,
                              Bytes nonce, bool allow_sha1);

// What attest_policy_learn does. The policy is nothing when the evidence is not sound.
struct Learned {
  std::optional<policy::Policy> policy;
  policy::Report report;
};
// A list that is to be read is read into memory.
Learned learn_policy(Evidence& evidence, const Options& options,
                     Profile profile = Profile::kEverything);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_APPRAISE_H_
