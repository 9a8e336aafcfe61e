// SPDX-License-Identifier: Apache-2.0

// Checks logs that are a boot by the rules and one event more.
#ifndef LIBATTEST_TESTS_SUPPORT_EVENTLOG_CHECK_H_
#define LIBATTEST_TESTS_SUPPORT_EVENTLOG_CHECK_H_

#include <vector>

#include "libattest/eventlog/check.h"
#include "tests/support/eventlog_builder.h"

namespace eventlog_builder {

using attest::eventlog::Checked;
using attest::eventlog::Coverage;
using attest::eventlog::Issue;
using attest::eventlog::Problem;

inline Checked check_bytes(const Data& bytes, Hash bank = Hash::kSha256) {
  return check(attest::eventlog::Log::parse(bytes), bank);
}

// A boot without anything wrong, of two banks.
inline LogBuilder good_boot() {
  using namespace attest::eventlog;
  LogBuilder b({Hash::kSha1, Hash::kSha256});
  b.event(0, kEvSCrtmVersion, utf16("v1"));
  b.event(7, kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "SecureBoot", {0}));
  b.separators();
  b.action(4, "Calling EFI Application from Boot Option");
  b.measured(4, kEvEfiBootServicesApplication, image_load(file_path("\\a.efi")), text("PE hash"));
  return b;
}
// Index of the event that is added to good_boot() next.
inline constexpr std::uint32_t kNext = 13;

// Coverage of one event at the end of a good boot, and what is reported.
struct Outcome {
  Coverage coverage;
  std::vector<Issue> issues;
};
inline Outcome outcome(std::uint32_t pcr, std::uint32_t type, const Data& data,
                       const Data& measured) {
  const Checked c = check_bytes(good_boot().measured(pcr, type, data, measured).bytes());
  return {c.coverage.back(), c.issues};
}

}  // namespace eventlog_builder

#endif  // LIBATTEST_TESTS_SUPPORT_EVENTLOG_CHECK_H_
