// SPDX-License-Identifier: Apache-2.0

// The IMA list's part of an appraisal.

#ifndef LIBATTEST_VERIFY_IMA_H_
#define LIBATTEST_VERIFY_IMA_H_

#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/verify/appraise.h"
#include "libattest/verify/ima_walk.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

inline constexpr std::uint32_t kDefaultImaPcr = 10;

// What is known of the node: `state` from before, which may be null, and the quote's own.
struct ImaContext {
  const NodeState* state;
  const NodeState::Seen& now;
};

// Replays the list against the quoted PCR in `bank` and judges the entries that the quote covers.
// `policy` may be null. Returns the position from which the next list may begin, which counts only
// if the verdict is kTrusted; nothing where the next one must be whole. Throws ParseError for a
// list that is not of its format.
std::optional<ImaPosition> judge_ima(const ImaEvidence& ima, const policy::Policy* policy,
                                     const QuotedPcrs& quoted, crypto::Hash bank,
                                     const ImaContext& context, PcrTable& table,
                                     policy::Findings& findings, policy::Claims& claims);

// Feeds the whole list to the walk.
void walk_all(const ImaEvidence& ima, ImaWalk& walk);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_IMA_H_
