// SPDX-License-Identifier: Apache-2.0

// Learning a policy from the evidence of a node that is known to be good.

#include <algorithm>
#include <string>
#include <utility>

#include "libattest/base/text.h"
#include "libattest/eventlog/check.h"
#include "libattest/eventlog/describe.h"
#include "libattest/ima/boot_aggregate.h"
#include "libattest/json/writer.h"
#include "libattest/policy/runtime_policy_json.h"
#include "libattest/verify/appraise.h"
#include "libattest/verify/eventlog.h"
#include "libattest/verify/ima.h"
#include "libattest/verify/ima_rules.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {
namespace {

using crypto::Digest;
using crypto::Hash;
using policy::Code;
using policy::Component;
using policy::PcrState;
using policy::Severity;

constexpr std::size_t kMaxList = std::size_t{1} << 30U;  // bytes of a list read from a stream

// PCRs that software can reset at any time: their values say nothing of the boot.
constexpr bool is_resettable(std::uint32_t pcr) noexcept { return pcr == 16 || pcr == 23; }

// The PCRs that a profile is about; whatever it names and the quote lacks is said.
constexpr std::uint32_t kLoaderPcrs = 0x300;
constexpr std::uint32_t pcrs_of(Profile profile) noexcept {
  switch (profile) {
    case Profile::kEverything:
      break;
    case Profile::kTrustedBoot:
      return kBiosPcrs | kVmmPcrs;
    case Profile::kMeasuredBoot:
      return kBiosPcrs | kLoaderPcrs;
  }
  return ~std::uint32_t{0};
}

// Collects what the covered entries name.
class Collector final : public EntryJudge {
 public:
  explicit Collector(const QuotedPcrs& quoted) : quoted_(quoted) {}

  void prepare(const ima::Entry& /*entry*/) override {}
  void midway() override {}
  void judge(const ima::Entry& entry, policy::Findings& findings) override {
    if (entry.violation || !entry.known) return;
    if (entry.name.empty() || !is_utf8(entry.name)) {
      findings.add({Code::kPolicyPath,
                    Severity::kWarning,
                    Component::kPolicy,
                    {},
                    entry.index,
                    entry.offset,
                    {},
                    {},
                    "IMA entry " + std::to_string(entry.index) + ": " + describe_name(entry) +
                        " is no UTF-8 name and can not be listed in a policy"});
      return;
    }
    if (ima::is_boot_aggregate(entry) && computable(entry)) return;
    sha1_ = sha1_ || entry.digest.algorithm == "sha1";
    verity_ = verity_ || entry.digest.kind == ima::DigestKind::kVerity;
    if (entry.has_buffer_field && !entry.buffer.empty()) {
      add_buffer(entry);
    } else {
      rules_.files.add(entry.name, entry.digest.algorithm, entry.digest.value);
    }
  }

  bool sha1() const noexcept { return sha1_; }
  bool verity() const noexcept { return verity_; }
  policy::RuntimePolicy take() {
    rules_.files.seal();
    json::Writer w;
    policy::write_runtime_policy(w, rules_);
    rules_.identity = policy::identity_of({"learned", w.take()});
    return std::move(rules_);
  }

 private:
  // Then every appraisal computes it, and a list of values would only allow other boots.
  bool computable(const ima::Entry& entry) const {
    const auto alg = crypto::hash_from_name(entry.digest.algorithm);
    return alg && expected_boot_aggregate(quoted_, *alg, false).has_value();
  }

  void add_buffer(const ima::Entry& entry) {
    const bool keyring = entry.name.front() == '.' || entry.name.front() == '_';
    auto& list = (keyring ? rules_.keyrings : rules_.buffers)[std::string(entry.name)];
    const policy::AllowedDigest digest{std::string(entry.digest.algorithm),
                                       Digest(entry.digest.value)};
    if (std::ranges::find(list, digest) == list.end()) list.push_back(digest);
  }

  const QuotedPcrs& quoted_;
  policy::RuntimePolicy rules_;
  bool sha1_ = false;
  bool verity_ = false;
};

// A stream can be read once, and learning looks more than once.
void read_into_memory(ImaEvidence& ima) {
  if (!ima.read) return;
  std::vector<std::uint8_t> chunk(std::size_t{64} << 10U);
  while (const std::size_t size = ima.read(chunk)) {
    if (ima.bytes.size() + size > kMaxList) {
      throw ParseError("IMA list", ima.bytes.size(), "list", "larger than 1 GiB");
    }
    const Bytes more = Bytes(chunk).first(size);
    ima.bytes.insert(ima.bytes.end(), more.begin(), more.end());
  }
  ima.read = nullptr;
}

class Learner {
 public:
  Learner(const Evidence& evidence, Profile profile, bool allow_sha1, policy::Report& report)
      : evidence_(evidence), profile_(profile), report_(report) {
    policy_.allow_sha1 = allow_sha1;
  }

  // The bank that was judged, but SHA-1 only where it is allowed.
  bool choose_bank() {
    policy_.bank = best_bank(report_.claims.pcrs);
    if (policy_.bank != Hash::kSha1) return true;
    if (policy_.allow_sha1) {
      warn_of_sha1("the quote has no bank that is better than SHA-1, so the policy judges that");
      return true;
    }
    report_.findings.add({Code::kBankMissing,
                          Severity::kFailure,
                          Component::kQuote,
                          {},
                          {},
                          {},
                          {},
                          {},
                          "the quote has no bank that is better than SHA-1"});
    return false;
  }

  void learn_key() {
    const Bytes name = evidence_.key->name();
    if (name.empty()) {
      policy_.ak.keys.push_back(evidence_.key->spki_sha256());
    } else {
      policy_.ak.names.emplace_back(name.begin(), name.end());
    }
  }

  void learn_pcrs() {
    policy_.event_log.required = is_usable(evidence_.event_log);
    policy_.launch.log_required =
        profile_ != Profile::kMeasuredBoot && is_usable(evidence_.launch_log);
    for (const policy::PcrClaim& pcr : report_.claims.pcrs) {
      if (pcr.bank == policy_.bank) learn_pcr(pcr);
    }
    policy_.launch.required = profile_ == Profile::kTrustedBoot;
    if (profile_ != Profile::kEverything) say_missing();
    if (profile_ == Profile::kTrustedBoot && !policy_.launch.log_required) {
      say(Code::kPolicyPcr, {},
          "the evidence has no launch log of this bank: PCRs 17 to 19 are learned by their values, "
          "and no event will explain a change");
    }
    if (is_usable(evidence_.event_log)) learn_events(*evidence_.event_log);
    if (is_usable(evidence_.launch_log)) learn_events(*evidence_.launch_log);
  }

  // A launch that the profile demands and the evidence does not have.
  bool check_launch() {
    if (profile_ != Profile::kTrustedBoot) return true;
    const auto& pcrs = report_.claims.pcrs;
    const auto at = std::ranges::find_if(pcrs, [&](const policy::PcrClaim& c) {
      return c.bank == policy_.bank && c.index == tpm::kLaunchPcr;
    });
    if (at != pcrs.end() && !tpm::shows_no_launch(tpm::kLaunchPcr, at->value)) return true;
    report_.findings.add({at == pcrs.end() ? Code::kPcrMissing : Code::kNoMeasuredLaunch,
                          Severity::kFailure,
                          Component::kPcr,
                          tpm::kLaunchPcr,
                          {},
                          {},
                          {},
                          {},
                          at == pcrs.end() ? "VMM (PCR 17-19): PCR 17 is not in the quote"
                                           : "VMM (PCR 17-19): PCR 17 shows that there was no "
                                             "measured launch"});
    return false;
  }

  void learn_list(const QuotedPcrs& quoted) {
    if (!report_.claims.ima_entries) return;
    Collector collector(quoted);
    ImaWalk walk(collector, quoted, policy_.bank, kDefaultImaPcr, ima::DigestMode::kNative);
    walk_all(*evidence_.ima, walk);
    report_.findings.append(std::move(walk.findings()));
    policy::ImaPolicy& rules = policy_.ima.emplace();
    rules.verity = collector.verity();
    if (collector.sha1()) {
      policy_.allow_sha1 = true;
      warn_of_sha1(
          "the list has SHA-1 file digests, so the policy allows SHA-1: boot the kernel with "
          "ima_hash=sha256 for a better one");
    }
    rules.rules = std::make_shared<const policy::RuntimePolicy>(collector.take());
  }

  policy::Policy take() { return std::move(policy_); }

 private:
  void warn_of_sha1(std::string message) {
    report_.findings.add({Code::kPolicySha1,
                          Severity::kWarning,
                          Component::kPolicy,
                          {},
                          {},
                          {},
                          {},
                          {},
                          std::move(message)});
  }

  // PCR 10 is the list's: a value of it would hold until the next program runs.
  void learn_pcr(const policy::PcrClaim& pcr) {
    if (pcr.index == kDefaultImaPcr || is_resettable(pcr.index)) return;
    if ((pcrs_of(profile_) >> pcr.index & 1U) == 0) return;
    policy_.pcrs[pcr.index].push_back(pcr.value);
    const bool explained = pcr.state == PcrState::kReplayed || pcr.state == PcrState::kInitial;
    const bool logged = tpm::is_launch_pcr(pcr.index) && evidence_.launch_log
                            ? policy_.launch.log_required
                            : policy_.event_log.required;
    if (logged && explained && !disputed(pcr.index)) policy_.event_log.pcrs.push_back(pcr.index);
  }

  bool is_usable(const std::optional<EventLogEvidence>& log) const {
    return log && !log->log.events().empty() && log->log.find(policy_.bank).has_value();
  }

  // The policy then tells which event is the reason when a PCR differs.
  void learn_events(const EventLogEvidence& evidence) {
    const eventlog::Log& log = evidence.log;
    const bool launch_apart = log.source() == eventlog::Source::kFirmware && evidence_.launch_log;
    const std::size_t algorithm = *log.find(policy_.bank);
    for (const eventlog::Event& event : log.events()) {
      if (!eventlog::is_extended(event) || !policy_.pcrs.contains(event.pcr)) continue;
      if (launch_apart && tpm::is_launch_pcr(event.pcr)) continue;
      policy_.event_log.known_events[event.pcr].push_back({eventlog::type_name(event.type),
                                                           Digest(log.digest(event, algorithm)),
                                                           eventlog::describe(log, event)});
    }
  }

  void say_missing() {
    std::string missing;
    for (std::uint32_t pcr = 0; pcr < tpm::kNumPcrs; ++pcr) {
      if ((pcrs_of(profile_) >> pcr & 1U) == 0 || policy_.pcrs.contains(pcr)) continue;
      missing.append(missing.empty() ? "" : ",").append(std::to_string(pcr));
    }
    if (missing.empty()) return;
    say(Code::kPolicyPcr, missing,
        "the quote lacks PCRs " + missing + ", of which the policy says nothing");
  }

  void say(Code code, std::string found, std::string message) {
    report_.findings.add({code,
                          Severity::kWarning,
                          Component::kPolicy,
                          {},
                          {},
                          {},
                          {},
                          std::move(found),
                          std::move(message)});
  }

  // A log that breaks rules on the good machine would break them on every other.
  bool disputed(std::uint32_t pcr) const {
    return std::ranges::any_of(report_.findings.list(), [&](const policy::Finding& f) {
      const bool about_start = f.code == Code::kEventLocality || f.code == Code::kEventHcrtm;
      const bool not_logged = f.code == Code::kEventQuirk && !f.index;  // ExitBootServices
      return (f.component == Component::kEventLog || f.component == Component::kLaunchLog) &&
             (f.severity == Severity::kWarning || not_logged) &&
             (f.pcr == pcr || (about_start && pcr == 0));
    });
  }

  const Evidence& evidence_;
  Profile profile_;
  policy::Report& report_;
  policy::Policy policy_;
};

// The values of a launch's PCRs are learned without a log where there is none, as OpenAttestation's
// whitelists are.
bool is_learned_by_value(const policy::Finding& finding, Profile profile) {
  return profile == Profile::kTrustedBoot && finding.code == Code::kPcrUnexplained && finding.pcr &&
         (kVmmPcrs >> *finding.pcr & 1U) != 0;
}

// Good enough to learn from: nothing failed, and nothing was measured that no digest stands for.
bool is_sound(const policy::Report& report, Profile profile) {
  const bool failed =
      report.findings.any_failure() &&
      (report.findings.dropped() != 0 ||
       std::ranges::any_of(report.findings.list(), [&](const policy::Finding& f) {
         return f.severity == Severity::kFailure && !is_learned_by_value(f, profile);
       }));
  const bool violated =
      profile == Profile::kEverything && report.claims.ima_violations.value_or(0) != 0;
  return report.claims.quote_verified && !failed && !violated;
}

}  // namespace

Learned learn_policy(Evidence& evidence, const Options& options, Profile profile) {
  if (evidence.ima) read_into_memory(*evidence.ima);
  Learned out;
  out.report = appraise(evidence, nullptr, nullptr, options);
  Learner learner(evidence, profile, options.allow_sha1, out.report);
  if (!is_sound(out.report, profile) || !learner.choose_bank() || !learner.check_launch()) {
    if (out.report.findings.any_failure()) out.report.verdict = policy::Verdict::kUntrusted;
    return out;
  }
  learner.learn_key();
  learner.learn_pcrs();
  if (profile == Profile::kEverything) {
    policy::Findings quiet;
    policy::Claims claims;
    learner.learn_list(*verify_quote(*evidence.quote, *evidence.key, options.nonce,
                                     options.allow_sha1, quiet, claims));
  }
  // What was learned must trust what it was learned from.
  policy::Policy policy = learner.take();
  policy::Report check = appraise(evidence, &policy, nullptr, options);
  if (check.verdict == policy::Verdict::kTrusted) {
    out.policy = std::move(policy);
    if (!out.report.findings.any_failure()) return out;
    // What failed without a policy is what was learned by value.
    for (const policy::Finding& finding : out.report.findings.list()) {
      if (finding.component == Component::kPolicy) check.findings.add(finding);
    }
    out.report = std::move(check);
  } else {
    for (const policy::Finding& f : out.report.findings.list()) {
      if (f.component == Component::kPolicy && f.severity == Severity::kWarning) {
        check.findings.add(f);  // what could not be learned is why
      }
    }
    out.report = std::move(check);
  }
  return out;
}

}  // namespace attest::verify
