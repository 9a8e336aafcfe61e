// SPDX-License-Identifier: Apache-2.0

// What an appraisal found. A finding is about evidence that could be read; input that could not is
// a ParseError instead.

#ifndef LIBATTEST_POLICY_FINDING_H_
#define LIBATTEST_POLICY_FINDING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attest::policy {

// Numbers are part of the C ABI (attest_severity): never renumbered.
enum class Severity : std::uint8_t {
  kInfo = 1,     // worth knowing
  kWarning = 2,  // not proven, and the policy does not ask for it
  kFailure = 3,  // the evidence is not what the policy expects: never trusted
};

// Numbers are part of the C ABI (attest_component).
enum class Component : std::uint8_t {
  kQuote = 1,
  kKey = 2,
  kPcr = 3,
  kEventLog = 4,
  kIma = 5,
  kPolicy = 6,
  kNode = 7,
  kLaunchLog = 8,
};

// Stable numbers and ids: never renumbered, never reused. Grouped by component.
enum class Code : std::uint16_t {
  // The quote (component kQuote).
  kQuoteMagic = 101,
  kQuoteType = 102,
  kSignatureScheme = 103,
  kSignatureHash = 104,
  kSignatureSha1 = 105,
  kSignatureInvalid = 106,
  kNonceMissing = 107,
  kNonceShort = 108,
  kNonceMismatch = 109,
  kSelectionInvalid = 110,
  kSelectionMismatch = 111,
  kBankMissing = 112,
  kPcrMissing = 113,
  kPcrSize = 114,
  kPcrDigestMismatch = 115,
  kSignerInvalid = 116,
  kClockUnsafe = 117,
  kQuoteMissing = 118,
  kQuoteFamily = 119,
  kQuoteTpm12 = 120,
  // The attestation key.
  kKeyWeak = 201,
  kKeyNotPinned = 202,
  kKeyAttributes = 203,
  kKeyAttributesUnknown = 204,
  kKeyNotBound = 205,
  kKeyNameAlgorithm = 206,
  kKeyMissing = 207,
  // PCR values.
  kPcrValue = 301,
  kPcrNotAppraised = 302,
  kPcrUnexplained = 303,
  kPcrReplay = 304,
  kNoMeasuredLaunch = 305,
  // The boot event log.
  kEventLogMissing = 401,
  kEventLogEmpty = 402,
  kEventLogBank = 403,
  kEventData = 404,
  kEventNoAction = 405,
  kEventLocality = 406,
  kEventHcrtm = 407,
  kEventSeparator = 408,
  kEventFirmwareError = 409,
  kEventNotListed = 410,
  kEventType = 411,
  kEventQuirk = 412,
  kEventRetyped = 413,
  kLaunchLogMissing = 414,
  kEventUnknown = 415,
  kEventOrder = 416,
  kEventLogFull = 417,
  // The IMA measurement list.
  kImaMissing = 501,
  kImaEmpty = 502,
  kImaReplay = 503,
  kImaHeaderDigest = 504,
  kImaTemplate = 505,
  kImaPcr = 506,
  kImaViolation = 507,
  kImaFirstEntry = 508,
  kImaBootAggregate = 509,
  kImaNotListed = 510,
  kImaDigest = 511,
  kImaSignature = 512,
  kImaKeyring = 513,
  kImaBuffer = 514,
  kImaTail = 515,
  kImaTailLong = 516,
  kImaDigestMode = 517,
  kImaListBank = 518,
  kImaNoRules = 519,
  kImaUnsigned = 520,
  kImaPosition = 521,
  kImaProgress = 522,
  // The policy.
  kPolicyMissing = 601,
  kPolicyEmpty = 602,
  kPolicySha1 = 603,
  kPolicyPath = 604,
  kPolicyPcr = 605,
  // What is remembered of the node.
  kNodeClock = 701,
  kNodeResetCount = 702,
  kNodeRestartCount = 703,
  kNodeKeyChanged = 704,
  kNodeRebooted = 705,
  kNodeFirmware = 706,
  // The report itself.
  kFindingsDropped = 901,
};

// "signature-invalid": for people and programs, as stable as the number.
std::string_view id_of(Code code) noexcept;
std::string_view name_of(Severity severity) noexcept;    // "failure"
std::string_view name_of(Component component) noexcept;  // "eventlog"

struct Finding {
  Code code;
  Severity severity;
  Component component;
  std::optional<std::uint32_t> pcr;
  std::optional<std::uint64_t> index;   // of the event or list entry, from 0
  std::optional<std::uint64_t> offset;  // bytes from the start of the log or list
  std::string expected;                 // empty where nothing is to be said
  std::string found;
  std::string message;  // one line an operator can act on; untrusted text in it is escaped
};

// Findings in the order they were made, at most kMax of them and a count of the rest. What was
// dropped still decides the verdict, and the first failures are never dropped: no flood of warnings
// can keep the reasons of a verdict out of its report.
class Findings {
 public:
  static constexpr std::size_t kMax = 1000;
  static constexpr std::size_t kMaxOthers = 800;  // that are no failures

  void add(Finding finding);
  // Whether add() would still keep a failure: spares making up words that nobody will read.
  bool full() const noexcept { return list_.size() >= kMax; }
  // Counts a failure that was not worth making up when full().
  void drop(Severity severity) noexcept;

  const std::vector<Finding>& list() const noexcept { return list_; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  bool any_failure() const noexcept { return failed_; }
  void append(Findings&& other);

 private:
  std::vector<Finding> list_;
  std::size_t num_others_ = 0;
  std::uint64_t dropped_ = 0;
  bool failed_ = false;
};

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_FINDING_H_
