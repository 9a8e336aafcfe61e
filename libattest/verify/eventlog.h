// SPDX-License-Identifier: Apache-2.0

// The boot event log's part of an appraisal.

#ifndef LIBATTEST_VERIFY_EVENTLOG_H_
#define LIBATTEST_VERIFY_EVENTLOG_H_

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// Replays the log against the quoted PCRs, then judges its events by their digests in `bank`.
// `ima_pcr` is the kernel's to extend, and no business of this log unless the policy says so.
// `policy` may be null.
void judge_eventlog(const eventlog::Log& log, const policy::Policy* policy,
                    const QuotedPcrs& quoted, crypto::Hash bank, std::uint32_t ima_pcr,
                    PcrTable& table, policy::Findings& findings, policy::Claims& claims);

// An issue of eventlog::check as a finding.
policy::Finding finding_of(const eventlog::Issue& issue, const eventlog::Log& log,
                           policy::Severity severity);
// kQuirk is information wherever it is found.
bool is_information(const eventlog::Issue& issue) noexcept;

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_EVENTLOG_H_
