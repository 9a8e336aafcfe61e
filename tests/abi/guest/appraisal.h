// SPDX-License-Identifier: Apache-2.0

// What a service does with libattest, from its first call to its last: used by the tests that watch
// the process around it.
#ifndef LIBATTEST_TESTS_ABI_GUEST_APPRAISAL_H_
#define LIBATTEST_TESTS_ABI_GUEST_APPRAISAL_H_

#include "libattest/attest.h"
#include "tests/abi/good_node.h"

struct Appraisal {
  attest_verdict verdict = ATTEST_VERDICT_UNKNOWN;
  std::size_t num_findings = 0;
  std::size_t text_size = 0;  // of all that was rendered
};

// Calls everything that an appraisal has use for, through the C ABI, and stops at the first call
// that fails. It allocates nothing itself, and nothing is left when it returns.
attest_status appraise_all(const GoodNode& node, Appraisal& out);

// Gives each parser the node's data with a piece of it missing, and says how many calls did not
// answer ATTEST_E_MALFORMED or ATTEST_OK.
std::size_t feed_rubbish(const GoodNode& node);

#endif  // LIBATTEST_TESTS_ABI_GUEST_APPRAISAL_H_
