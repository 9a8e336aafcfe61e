// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/finding.h"

#include <array>
#include <utility>

namespace attest::policy {
namespace {

struct Id {
  Code code;
  std::string_view id;
};

constexpr std::array kIds{
    Id{Code::kQuoteMagic, "quote-magic"},
    Id{Code::kQuoteType, "quote-type"},
    Id{Code::kSignatureScheme, "signature-scheme"},
    Id{Code::kSignatureHash, "signature-hash"},
    Id{Code::kSignatureSha1, "signature-sha1"},
    Id{Code::kSignatureInvalid, "signature-invalid"},
    Id{Code::kNonceMissing, "nonce-missing"},
    Id{Code::kNonceShort, "nonce-short"},
    Id{Code::kNonceMismatch, "nonce-mismatch"},
    Id{Code::kSelectionInvalid, "selection-invalid"},
    Id{Code::kSelectionMismatch, "selection-mismatch"},
    Id{Code::kBankMissing, "bank-missing"},
    Id{Code::kPcrMissing, "pcr-missing"},
    Id{Code::kPcrSize, "pcr-size"},
    Id{Code::kPcrDigestMismatch, "pcr-digest-mismatch"},
    Id{Code::kSignerInvalid, "signer-invalid"},
    Id{Code::kClockUnsafe, "clock-unsafe"},
    Id{Code::kQuoteMissing, "quote-missing"},
    Id{Code::kQuoteFamily, "quote-family"},
    Id{Code::kQuoteTpm12, "quote-tpm12"},
    Id{Code::kKeyWeak, "ak-weak"},
    Id{Code::kKeyNotPinned, "ak-not-pinned"},
    Id{Code::kKeyAttributes, "ak-attributes"},
    Id{Code::kKeyAttributesUnknown, "ak-attributes-unknown"},
    Id{Code::kKeyNotBound, "ak-not-bound"},
    Id{Code::kKeyNameAlgorithm, "ak-name-algorithm"},
    Id{Code::kKeyMissing, "ak-missing"},
    Id{Code::kPcrValue, "pcr-value"},
    Id{Code::kPcrNotAppraised, "pcr-not-appraised"},
    Id{Code::kPcrUnexplained, "pcr-unexplained"},
    Id{Code::kPcrReplay, "pcr-replay"},
    Id{Code::kNoMeasuredLaunch, "no-measured-launch"},
    Id{Code::kEventLogMissing, "eventlog-missing"},
    Id{Code::kEventLogEmpty, "eventlog-empty"},
    Id{Code::kEventLogBank, "eventlog-bank"},
    Id{Code::kEventData, "event-data"},
    Id{Code::kEventNoAction, "event-no-action"},
    Id{Code::kEventLocality, "event-locality"},
    Id{Code::kEventHcrtm, "event-hcrtm"},
    Id{Code::kEventSeparator, "event-separator"},
    Id{Code::kEventFirmwareError, "event-firmware-error"},
    Id{Code::kEventNotListed, "event-not-listed"},
    Id{Code::kEventType, "event-type"},
    Id{Code::kEventQuirk, "event-quirk"},
    Id{Code::kEventRetyped, "event-retyped"},
    Id{Code::kLaunchLogMissing, "launchlog-missing"},
    Id{Code::kEventUnknown, "event-unknown"},
    Id{Code::kEventOrder, "event-order"},
    Id{Code::kEventLogFull, "eventlog-full"},
    Id{Code::kImaMissing, "ima-missing"},
    Id{Code::kImaEmpty, "ima-empty"},
    Id{Code::kImaReplay, "ima-replay"},
    Id{Code::kImaHeaderDigest, "ima-header-digest"},
    Id{Code::kImaTemplate, "ima-template"},
    Id{Code::kImaPcr, "ima-pcr"},
    Id{Code::kImaViolation, "ima-violation"},
    Id{Code::kImaFirstEntry, "ima-first-entry"},
    Id{Code::kImaBootAggregate, "ima-boot-aggregate"},
    Id{Code::kImaNotListed, "ima-not-listed"},
    Id{Code::kImaDigest, "ima-digest"},
    Id{Code::kImaSignature, "ima-signature"},
    Id{Code::kImaKeyring, "ima-keyring"},
    Id{Code::kImaBuffer, "ima-buffer"},
    Id{Code::kImaTail, "ima-tail"},
    Id{Code::kImaTailLong, "ima-tail-long"},
    Id{Code::kImaDigestMode, "ima-digest-mode"},
    Id{Code::kImaListBank, "ima-list-bank"},
    Id{Code::kImaNoRules, "ima-no-rules"},
    Id{Code::kImaUnsigned, "ima-unsigned"},
    Id{Code::kImaPosition, "ima-position"},
    Id{Code::kImaProgress, "ima-progress"},
    Id{Code::kPolicyMissing, "policy-missing"},
    Id{Code::kPolicyEmpty, "policy-empty"},
    Id{Code::kPolicySha1, "policy-sha1"},
    Id{Code::kPolicyPath, "policy-path"},
    Id{Code::kPolicyPcr, "policy-pcr"},
    Id{Code::kNodeClock, "node-clock"},
    Id{Code::kNodeResetCount, "node-reset-count"},
    Id{Code::kNodeRestartCount, "node-restart-count"},
    Id{Code::kNodeKeyChanged, "node-key-changed"},
    Id{Code::kNodeRebooted, "node-rebooted"},
    Id{Code::kNodeFirmware, "node-firmware"},
    Id{Code::kFindingsDropped, "findings-dropped"},
};

}  // namespace

std::string_view id_of(Code code) noexcept {
  for (const Id& entry : kIds) {
    if (entry.code == code) return entry.id;
  }
  return {};
}

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kFailure:
      return "failure";
  }
  return {};
}

std::string_view name_of(Component component) noexcept {
  switch (component) {
    case Component::kQuote:
      return "quote";
    case Component::kKey:
      return "ak";
    case Component::kPcr:
      return "pcr";
    case Component::kEventLog:
      return "eventlog";
    case Component::kIma:
      return "ima";
    case Component::kPolicy:
      return "policy";
    case Component::kNode:
      return "node";
    case Component::kLaunchLog:
      return "launchlog";
  }
  return {};
}

void Findings::add(Finding finding) {
  const bool failure = finding.severity == Severity::kFailure;
  if (full() || (!failure && num_others_ == kMaxOthers)) {
    drop(finding.severity);
    return;
  }
  failed_ = failed_ || failure;
  if (!failure) ++num_others_;
  list_.push_back(std::move(finding));
}

void Findings::drop(Severity severity) noexcept {
  ++dropped_;
  failed_ = failed_ || severity == Severity::kFailure;
}

void Findings::append(Findings&& other) {
  for (Finding& finding : other.list_) add(std::move(finding));
  dropped_ += other.dropped_;
  failed_ = failed_ || other.failed_;
  other = Findings();
}

}  // namespace attest::policy
