// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/appraise.h"

#include <string>
#include <utility>

#include "libattest/verify/eventlog.h"
#include "libattest/verify/explain.h"
#include "libattest/verify/ima.h"
#include "libattest/verify/launch.h"
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
  if (claims.clock_safe.value_or(false)) return;
  const bool fails = policy != nullptr && policy->clock.require_safe;
  if (!claims.clock_safe && !fails) return;  // quote-tpm12 says so
  findings.add({Code::kClockUnsafe,
                fails ? Severity::kFailure : Severity::kInfo,
                Component::kQuote,
                {},
                {},
                {},
                {},
                {},
                claims.clock_safe
                    ? "the TPM's clock may have gone back: it was not shut down in order"
                    : "the policy asks for a safe clock, and a TPM 1.2 has none"});
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

// The PCRs that each log is to explain: a launch log those of a launch, the boot event log all that
// nobody else does.
struct LogPcrs {
  std::uint32_t event_log = 0;
  std::uint32_t launch_log = 0;
};
// The kernel's own PCR is the business of neither, unless the policy says so.
LogPcrs pcrs_of(const Evidence& evidence, const policy::Policy* policy,
                std::uint32_t ima_pcr) noexcept {
  std::uint32_t of_logs = ~(std::uint32_t{1} << ima_pcr);
  if (policy != nullptr) of_logs |= policy->event_log.pcrs_with_rules();
  LogPcrs out;
  if (evidence.launch_log) out.launch_log = tpm::kLaunchPcrs & of_logs;
  if (evidence.event_log) out.event_log = ~out.launch_log & of_logs;
  return out;
}

// No rule is kept by a log that is not there. Without a launch log those for the PCRs of a launch
// are about the boot event log.
void check_logs_there(const Evidence& evidence, const policy::Policy& policy,
                      policy::Findings& findings) {
  const std::uint32_t rules = policy.event_log.pcrs_with_rules();
  if (!evidence.event_log && (policy.event_log.required || (rules & ~tpm::kLaunchPcrs) != 0)) {
    missing(findings, Code::kEventLogMissing, Component::kEventLog,
            "the policy asks for the boot event log, and the evidence has none");
  }
  const bool launch_rules = (rules & tpm::kLaunchPcrs) != 0 && !evidence.event_log;
  if (!evidence.launch_log && (policy.launch.log_required || launch_rules)) {
    missing(findings, Code::kLaunchLogMissing, Component::kLaunchLog,
            "the policy asks for the launch log, and the evidence has none");
  }
}

void judge_event_logs(const Evidence& evidence, const policy::Policy* policy,
                      const QuotedPcrs& quoted, crypto::Hash bank, const LogPcrs& pcrs,
                      PcrTable& table, Report& report) {
  if (evidence.event_log) {
    judge_eventlog(evidence.event_log->log, policy, quoted, bank, pcrs.event_log, table,
                   report.findings, report.claims);
  }
  if (evidence.launch_log) {
    judge_eventlog(evidence.launch_log->log, policy, quoted, bank, pcrs.launch_log, table,
                   report.findings, report.claims);
  }
  if (policy == nullptr) return;
  check_logs_there(evidence, *policy, report.findings);
  if (evidence.event_log) {
    explain_pcrs(*policy, evidence.event_log->log, pcrs.event_log, quoted, table, report.findings);
  }
  if (evidence.launch_log) {
    explain_pcrs(*policy, evidence.launch_log->log, pcrs.launch_log, quoted, table,
                 report.findings);
  }
}

std::optional<ImaPosition> judge_logs(const Evidence& evidence, const policy::Policy* policy,
                                      const QuotedPcrs& quoted, const ImaContext& context,
                                      Report& report) {
  std::optional<ImaPosition> position;
  PcrTable table(quoted);
  const crypto::Hash bank = policy != nullptr ? policy->bank : best_bank(table.claims());
  if (policy != nullptr) {
    check_quoted(*policy, quoted, report.findings);
    check_reference_values(*policy, quoted, table, report.findings);
  }
  const bool with_ima = policy != nullptr && policy->ima.has_value();
  const std::uint32_t ima_pcr = with_ima ? policy->ima->pcr : kDefaultImaPcr;
  const LogPcrs pcrs = pcrs_of(evidence, policy, ima_pcr);
  judge_event_logs(evidence, policy, quoted, bank, pcrs, table, report);
  // A value that the policy lists is no launch's where the log leads to it without one.
  check_launch(policy, bank, quoted, table, report.findings, report.claims);
  if (evidence.ima) {
    position = judge_ima(*evidence.ima, policy, quoted, bank, context, table, report.findings,
                         report.claims);
  } else if (with_ima && policy->ima->required) {
    missing(report.findings, Code::kImaMissing, Component::kIma,
            "the policy asks for the IMA measurement list, and the evidence has none");
  }
  // Launch logs are one a bank, and speak of no other. That takes nothing from what is asked of the
  // boot event log.
  const auto logged = [&](crypto::Hash of, std::uint32_t pcr) {
    if (evidence.event_log) return pcr != ima_pcr || (pcrs.event_log >> pcr & 1U) != 0;
    return evidence.launch_log && (pcrs.launch_log >> pcr & 1U) != 0 &&
           evidence.launch_log->log.find(of).has_value();
  };
  check_explained(policy, logged, table, report.findings);
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
  const bool allow_sha1 = policy != nullptr ? policy->allow_sha1 : options.allow_sha1;
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
      // Only for who remembers it: a new key's digest takes longer than the signature.
      NodeState::Seen now;
      if (node != nullptr) {
        now = seen_now(*evidence.key, evidence.quote->quote());
        check_node(*node, now, report.findings);
      }
      auto position = judge_logs(evidence, policy, *quoted, {node, now}, report);
      // Only resetCount says that a list goes on in the boot that it began in.
      if (!now.has_clock) position.reset();
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
