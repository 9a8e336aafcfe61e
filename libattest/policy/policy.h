// SPDX-License-Identifier: Apache-2.0

// The appraisal policy: what is expected of a node. Nothing that it does not say is trusted.

#ifndef LIBATTEST_POLICY_POLICY_H_
#define LIBATTEST_POLICY_POLICY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/policy/runtime_policy.h"

namespace attest::policy {

// The attestation key ("ak").
struct KeyPolicy {
  // TPM Names. The key must be one of these or of `keys`. Both empty: the caller vouches for the
  // key it gives.
  std::vector<std::vector<std::uint8_t>> names;
  // SHA-256 digests of SubjectPublicKeyInfos, for keys without a Name: a TPM 1.2's, PEM and DER. A
  // Name covers the attributes, too; this is of the key alone.
  std::vector<crypto::Digest> keys;
  // "attributes": "required" fails a key without the attributes of a TPM's restricted signing key,
  // a PEM key among them; "reported" (the default) warns where they are unknown. Wrong ones fail
  // either way.
  bool attributes_required = false;
  // "binding": "required" fails a key that nothing binds to a TPM's EK (a pinned Name does);
  // "vouched" (the default) warns.
  bool binding_required = false;
};

// An event of a machine that was known to be good.
struct KnownEvent {
  std::string type;  // as its log names it: "EV_IPL"
  crypto::Digest digest;
  std::string description;  // for people: "/initrd.gz"
};

// The boot event log and the launch log ("event_log").
struct EventLogPolicy {
  bool required = false;            // the boot event log, also without rules for it
  std::vector<std::uint32_t> pcrs;  // that the log must explain, strictly
  // Digests that the events of a PCR may have, in the policy's bank, sorted: an event with any
  // other fails. PCRs listed here are appraised by that.
  std::map<std::uint32_t, std::vector<crypto::Digest>> events;
  // Events that PCRs had, in their order. They let no PCR pass: they say which event is the reason
  // when a PCR does not, and that an event has another type than it had.
  std::map<std::uint32_t, std::vector<KnownEvent>> known_events;

  // The PCRs that must have a log, a bit map: no rule is kept by a log that is not there.
  std::uint32_t pcrs_with_rules() const noexcept;
};

// A dynamic launch: Intel TXT with tboot ("launch").
struct LaunchPolicy {
  bool required = false;      // PCR 17 shows that there was one
  bool log_required = false;  // its log is there, also without rules for it
};

// What the kernel extends ("ima": {"digest": …}); numbered as ima::DigestMode.
enum class ImaDigest : std::uint8_t { kNative = 1, kPadded = 2, kPaddedOld = 3 };
std::optional<ImaDigest> ima_digest_from_name(std::string_view name) noexcept;
std::string_view name_of(ImaDigest digest) noexcept;

// What a signature in the list does ("ima": {"signatures": …}).
enum class ImaSignatures : std::uint8_t {
  kOptional,  // "optional": a good signature or a listed digest (Keylime 6.2 and newer)
  kRequired,  // "required": a good signature
  kBoth,      // "both": a listed digest, and a good signature where the list has one (Keylime 6.1)
};

// The IMA measurement list ("ima").
struct ImaPolicy {
  bool required = true;
  std::uint32_t pcr = 10;
  ImaDigest digest = ImaDigest::kNative;
  ImaSignatures signatures = ImaSignatures::kOptional;
  std::uint64_t max_unverified_tail = 1000;  // entries
  bool violations_fail = true;               // "violations": "fail" (the default) or "report"
  // "boot_aggregate": "0-9" (the default) or "0-7": older kernels leave PCRs 8 and 9 out of it for
  // SHA-256, too.
  bool boot_aggregate_0_7 = false;
  bool verity = false;                         // listed digests may be fs-verity digests
  bool allow_empty = false;                    // a list without entries, when its PCR is zero
  std::shared_ptr<const RuntimePolicy> rules;  // null: the entries are replayed, not judged
};

struct ClockPolicy {
  bool require_safe = false;
};

// Immutable once loaded; shared by any number of appraisals.
struct Policy {
  crypto::Hash bank = crypto::Hash::kSha256;
  bool allow_sha1 = false;  // SHA-1 signatures, bank and file digests
  KeyPolicy ak;
  // Reference values: a quoted PCR must have one of its list.
  std::map<std::uint32_t, std::vector<crypto::Digest>> pcrs;
  EventLogPolicy event_log;
  LaunchPolicy launch;
  std::optional<ImaPolicy> ima;
  ClockPolicy clock;

  // PCRs that the policy judges, as a bit map: all of them must be quoted.
  std::uint32_t judged_pcrs() const noexcept;
};

// The native policy, a JSON document of version 1. Unknown keys are refused with their path, and so
// is a policy that contradicts itself: a PCR under event_log.pcrs that has neither reference values
// nor events, a launch that is required without either for PCR 17, events to know a PCR by that
// nothing judges, the sha1 bank without allow_sha1, an IMA PCR with reference values, any rule
// about PCR 16 or 23, which software resets at will. "ima": {"allow_match_all": true} lets an
// exclude pattern of the runtime policy match every path.
Policy parse_policy(std::string_view json);

// Adds to `policy` what other formats say. Each throws ParseError, also when `policy` has rules of
// that kind already: two sources of truth are refused rather than merged.
void add_runtime_policy(Policy& policy, RuntimePolicy rules);
// Keylime's TPM policy: {"22": ["hex"], "mask": "0x400000"}, values in the policy's bank.
void add_keylime_tpm_policy(Policy& policy, std::string_view json);
// OpenAttestation's whitelist of one host: an MLE record {"Name", "Version", "OemName" or "OsName"
// and "OsVersion", "Attestation_Type": "PCR", "MLE_Type": "BIOS" or "VMM", "MLE_Manifests"}, an
// array of them, of whitelist entries {"pcrName", "pcrDigest", "mleName", …} and at most one host
// record, or OAT's answer {"mleBean": …}. The policy then judges bank sha1: it must allow that. A
// host has one BIOS MLE (PCRs 0 to 7) and one VMM MLE (17 to 19), each with one value a PCR; of
// several the host record names its own, and without one they are refused: mixed values would let a
// machine pass that is none of them.
void add_oat_whitelist(Policy& policy, std::string_view json);
// Why the policy takes no such whitelist; empty where it does.
std::string_view why_no_oat_whitelist(const Policy& policy) noexcept;

// The native JSON of a policy, indented, as parse_policy reads it. `rules` is written as a Keylime
// runtime policy under /ima/runtime_policy. Sorted: policies that mean the same are written the
// same. Throws std::invalid_argument where a path or pattern is not UTF-8: JSON can not hold it.
std::string to_json(const Policy& policy);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_POLICY_H_
