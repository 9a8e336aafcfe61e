// SPDX-License-Identifier: Apache-2.0

// The same in C++17.
#include <libattest/attest.hpp>

int main() {
  libattest::Evidence evidence;
  const auto report = libattest::appraise(evidence, nullptr, libattest::make_nonce());
  return report.verdict() == ATTEST_VERDICT_UNTRUSTED && !report.findings().empty() ? 0 : 1;
}
