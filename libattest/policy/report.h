// SPDX-License-Identifier: Apache-2.0

// The result of an appraisal (RFC 9334: attestation result).

#ifndef LIBATTEST_POLICY_REPORT_H_
#define LIBATTEST_POLICY_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"

namespace attest::json {
class Writer;
}

namespace attest::policy {

// Numbers are part of the C ABI (attest_verdict). Zero is what a forgotten value says.
enum class Verdict : std::uint8_t { kUnknown = 0, kTrusted = 1, kUntrusted = 2 };
std::string_view name_of(Verdict verdict) noexcept;  // "trusted"

// How a quoted PCR ended. Numbers are part of the C ABI (attest_pcr_state).
enum class PcrState : std::uint8_t {
  kUnexplained = 0,  // nothing says how it came to its value
  kReplayed = 1,     // a log replays to it, and no rule judged what is in the log
  kInitial = 2,      // as the platform starts it: nothing was extended
  kAppraised = 3,    // it has a reference value, or rules judged every event or entry
  kMismatch = 4,     // it has another value than its reference or its log
};
std::string_view name_of(PcrState state) noexcept;

struct PcrClaim {
  crypto::Hash bank{};
  std::uint32_t index = 0;
  crypto::Digest value;  // as signed
  PcrState state = PcrState::kUnexplained;
};

// What the evidence says of the node, as far as it was verified. Absent where it was not.
struct Claims {
  std::optional<std::uint64_t> time;   // of the appraisal: seconds since 1970-01-01 UTC
  bool quote_verified = false;         // signature, nonce, selection and digest
  std::string key;                     // "RSA-2048"
  std::string key_name;                // hexadecimal TPM Name; empty for a key without one
  std::string key_ek;                  // SHA-256 of the EK that a challenge has bound the key to
  std::string scheme;                  // "RSASSA with sha256"
  std::optional<std::uint64_t> clock;  // milliseconds
  std::optional<std::uint32_t> reset_count;
  std::optional<std::uint32_t> restart_count;
  std::optional<bool> clock_safe;
  std::optional<std::uint64_t> firmware_version;
  std::vector<PcrClaim> pcrs;
  std::optional<std::uint64_t> num_events;
  std::optional<std::string> secure_boot;  // "enabled", "disabled"; absent: not known
  // Whether a dynamic launch has put PCR 17 to its value. True: the launch log replays to it from
  // the zero that only a launch gives it, or it is a reference value of a policy that demands a
  // launch. False: it is all ones or zeros. Absent: neither is proven.
  std::optional<bool> measured_launch;
  std::optional<std::uint64_t> num_launch_events;
  std::string launch_mapping;  // "legacy", as types claim that no digest covers; empty: not known
  std::optional<std::uint64_t> ima_entries;     // that the quote covers
  std::optional<std::uint64_t> ima_verified;    // among them, by earlier appraisals
  std::optional<std::uint64_t> ima_unverified;  // that follow them
  std::optional<std::uint64_t> ima_violations;  // among the covered
};

struct Report {
  Verdict verdict = Verdict::kUnknown;
  Findings findings;
  Claims claims;
};

// {"verdict", "findings": […], "findings_dropped", "claims": {…}}; absent values are null.
std::string to_json(const Report& report);
// One finding, as it stands in a report.
void write_finding(json::Writer& w, const Finding& finding);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_REPORT_H_
