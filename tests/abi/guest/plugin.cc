// SPDX-License-Identifier: Apache-2.0

// A shared object that a host loads and that uses libattest: what a Python extension is.

#include "tests/abi/guest/appraisal.h"

extern "C" __attribute__((visibility("default"))) int plugin_appraise();
extern "C" int plugin_appraise() {
  const GoodNode node = load_good_node();
  Appraisal a;
  if (appraise_all(node, a) != ATTEST_OK || feed_rubbish(node) != 0) return -1;
  return a.verdict;
}
