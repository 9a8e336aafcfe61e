// SPDX-License-Identifier: Apache-2.0

// The part that the boot event log and the launch log have in an appraisal.

#ifndef LIBATTEST_VERIFY_EVENTLOG_H_
#define LIBATTEST_VERIFY_EVENTLOG_H_

#include <cstdint>
#include <string>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// Replays the log against those of the quoted PCRs that it is to explain (`pcrs`, a bit map), then
// judges its events by their digests in `bank`. `policy` may be null.
void judge_eventlog(const eventlog::Log& log, const policy::Policy* policy,
                    const QuotedPcrs& quoted, crypto::Hash bank, std::uint32_t pcrs,
                    PcrTable& table, policy::Findings& findings, policy::Claims& claims);

// An issue of eventlog::check as a finding.
policy::Finding finding_of(const eventlog::Issue& issue, const eventlog::Log& log,
                           policy::Severity severity);
policy::Component component_of(const eventlog::Log& log) noexcept;
// "event 12 (EV_IPL, /initrd.gz)"
std::string words_for(const eventlog::Log& log, const eventlog::Event& event);
// kQuirk is information wherever it is found.
bool is_information(const eventlog::Issue& issue) noexcept;

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_EVENTLOG_H_
