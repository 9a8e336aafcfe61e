// SPDX-License-Identifier: Apache-2.0

// Which event is the reason when a PCR is not what the policy expects.

#ifndef LIBATTEST_VERIFY_EXPLAIN_H_
#define LIBATTEST_VERIFY_EXPLAIN_H_

#include <cstdint>

#include "libattest/eventlog/log.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// Compares the log's events with those that the policy knows, in the PCRs of the bit map `pcrs`.
// For a PCR that ended as a mismatch, the first event that is not known is named, or that all are
// known. An event that is known by another type fails in any PCR.
void explain_pcrs(const policy::Policy& policy, const eventlog::Log& log, std::uint32_t pcrs,
                  const QuotedPcrs& quoted, const PcrTable& table, policy::Findings& findings);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_EXPLAIN_H_
