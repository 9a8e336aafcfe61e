// SPDX-License-Identifier: Apache-2.0

// Whether there was a dynamic launch.

#ifndef LIBATTEST_VERIFY_LAUNCH_H_
#define LIBATTEST_VERIFY_LAUNCH_H_

#include <cstdint>

#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/verify/pcr_table.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// What PCR 17 in `bank` shows once the logs have been judged. `policy` may be null.
void check_launch(const policy::Policy* policy, crypto::Hash bank, const QuotedPcrs& quoted,
                  PcrTable& table, policy::Findings& findings, policy::Claims& claims);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_LAUNCH_H_
