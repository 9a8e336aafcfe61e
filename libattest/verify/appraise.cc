// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/appraise.h"

#include <string>
#include <utility>

#include "libattest/verify/eventlog.h"
#include "libattest/verify/ima.h"
#include "libattest/verify/pcr_table.h"

namespace attest::verify {
namespace {

using policy::Code;
using policy::Component;
using policy::Report;
using policy::Severity;
using policy::Verdict;

void missing(policy::Findings& findings, Code code, Component component, std::string message) {
  findings.add({code, Severity::kFailure, component, {}, {}, {}, {}, {}, std::move(message)});
}

void check_clock(const policy::Policy* policy, const policy::Claims& claims,
                 policy::Findings& findings) {
  // Part 2, 10.11.1 TPMS_CLOCK_INFO.safe: NO when a value that is not lower may have been reported.
  if (*claims.clock_safe) return;
  const bool fails = policy != nullptr && policy->clock.require_safe;
  findings.add({Code::kClockUnsafe,
                fails ? Severity::kFailure : Severity::kInfo,
                Component::kQuote,
                {},
                {},
                {},
                {},
                {},
                "the TPM's clock may have gone back: it was not shut down in order"});
}

// The bank whose values are judged: the policy's; without a policy SHA-256, else the first quoted.
crypto::Hash judged_bank(const policy::Policy* policy, const QuotedPcrs& quoted) {
  if (policy != nullptr) return policy->bank;
  if (quoted.find(crypto::Hash::kSha256) != nullptr) return crypto::Hash::kSha256;
  return quoted.banks().front().hash;
}

Verdict verdict_of(const policy::Policy* policy, policy::Findings& findings) {
  if (policy == nullptr) {
    findings.add({Code::kPolicyMissing,
                  Severity::kInfo,
                  Component::kPolicy,
                  {},
                  {},
                  {},
                  {},
                  {},
                  "no policy was given: nothing says what this node should be"});
  } else if (policy->judged_pcrs() == 0) {
    findings.add({Code::kPolicyEmpty,
                  Severity::kWarning,
                  Component::kPolicy,
                  {},
                  {},
                  {},
                  {},
                  {},
                  "the policy judges no PCR: nothing says what this node should be"});
  }
  if (findings.any_failure()) return Verdict::kUntrusted;
  return policy != nullptr && policy->judged_pcrs() != 0 ? Verdict::kTrusted : Verdict::kUnknown;
}

std::optional<ImaPosition> judge_logs(const Evidence& evidence, const policy::Policy* policy,
                                      const QuotedPcrs& quoted, const ImaContext& context,
                                      Report& report) {
  std::optional<ImaPosition> position;
  const crypto::Hash bank = judged_bank(policy, quoted);
  PcrTable table(quoted);
  if (policy != nullptr) {
    check_quoted(*policy, quoted, report.findings);
    check_reference_values(*policy, quoted, table, report.findings);
  }
  const bool with_ima = policy != nullptr && policy->ima.has_value();
  const std::uint32_t ima_pcr = with_ima ? policy->ima->pcr : kDefaultImaPcr;
  if (evidence.event_log) {
    judge_eventlog(evidence.event_log->log, policy, quoted, bank, ima_pcr, table, report.findings,
                   report.claims);
  } else if (policy != nullptr && policy->event_log.needs_log()) {
    missing(report.findings, Code::kEventLogMissing, Component::kEventLog,
            "the policy asks for the boot event log, and the evidence has none");
  }
  if (evidence.ima) {
    position = judge_ima(*evidence.ima, policy, quoted, bank, context, table, report.findings,
                         report.claims);
  } else if (with_ima && policy->ima->required) {
    missing(report.findings, Code::kImaMissing, Component::kIma,
            "the policy asks for the IMA measurement list, and the evidence has none");
  }
  check_explained(policy, evidence.event_log.has_value(), ima_pcr, table, report.findings);
  report.claims.pcrs = table.take();
  return position;
}

// A challenge of the evidence's own, or one that the node's state remembers.
const std::optional<KeyBinding>& binding_of(const Evidence& evidence, const NodeState* node) {
  return evidence.binding || node == nullptr ? evidence.binding : node->binding;
}

std::optional<KeyBinding> of(const tpm::AttestationKey& key,
                             const std::optional<KeyBinding>& binding) {
  return binding && binding->binds(key) ? binding : std::nullopt;
}

}  // namespace

Report appraise(const Evidence& evidence, const policy::Policy* policy, NodeState* node,
                const Options& options) {
  Report report;
  const bool allow_sha1 = policy != nullptr && policy->allow_sha1;
  if (options.now > 0) report.claims.time = static_cast<std::uint64_t>(options.now);
  if (!evidence.quote) {
    missing(report.findings, Code::kQuoteMissing, Component::kQuote, "the evidence has no quote");
  }
  if (!evidence.key) {
    missing(report.findings, Code::kKeyMissing, Component::kKey,
            "the evidence has no attestation key to verify the quote with");
  }
  std::optional<Trusted> after;
  if (evidence.quote && evidence.key) {
    const auto quoted = verify_quote(*evidence.quote, *evidence.key, options.nonce, allow_sha1,
                                     report.findings, report.claims);
    const std::optional<KeyBinding>& binding = binding_of(evidence, node);
    verify_key(*evidence.key, policy, binding ? &*binding : nullptr, allow_sha1, report.findings,
               report.claims);
    if (quoted) {
      check_clock(policy, report.claims, report.findings);
      const NodeState::Seen now = seen_now(*evidence.key, evidence.quote->quote());
      if (node != nullptr) check_node(*node, now, report.findings);
      auto position = judge_logs(evidence, policy, *quoted, {node, now}, report);
      after =
          Trusted{now, of(*evidence.key, binding), evidence.ima.has_value(), std::move(position)};
    }
  }
  report.verdict = verdict_of(policy, report.findings);
  if (report.verdict == Verdict::kTrusted && node != nullptr) advance(*node, std::move(*after));
  return report;
}

Report appraise_quote(const QuoteEvidence& quote, const tpm::AttestationKey& key, Bytes nonce,
                      bool allow_sha1) {
  Report report;
  const auto quoted = verify_quote(quote, key, nonce, allow_sha1, report.findings, report.claims);
  verify_key(key, nullptr, nullptr, allow_sha1, report.findings, report.claims);
  if (quoted) {
    check_clock(nullptr, report.claims, report.findings);
    report.claims.pcrs = PcrTable(*quoted).take();
  }
  report.verdict = report.findings.any_failure() ? Verdict::kUntrusted : Verdict::kUnknown;
  return report;
}

}  // namespace attest::verify
