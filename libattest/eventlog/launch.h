// SPDX-License-Identifier: Apache-2.0

// The log of a dynamic launch by Intel TXT and tboot: what is extended into which of PCRs 17 to 22
// (Intel TXT Software Development Guide, appendix on the event log; tboot's README). Types, and
// with them names, are claims: no digest covers them.

#ifndef LIBATTEST_EVENTLOG_LAUNCH_H_
#define LIBATTEST_EVENTLOG_LAUNCH_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "libattest/crypto/digest.h"
#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

// How a launch spreads its measurements over PCRs 17 and 18, by the types in the log.
enum class Mapping : std::uint8_t {
  kUnknown,
  kLegacy,              // TPM 1.2: SINIT in 17, the launched environment and its module 0 in 18
  kDetailsAuthorities,  // details in 17, with all modules; their authorities in 18
};
Mapping claimed_mapping(const Log& log) noexcept;
std::string_view name_of(Mapping mapping) noexcept;  // "legacy"; empty for kUnknown

// What an event without data is, which its place alone says: "tboot policy", "module 0 (the
// kernel)". "no data" where nothing says it.
std::string name_in_launch(const Log& log, const Event& event);

// check() for a launch log. SINIT measures first and the launched environment after it; PCR 17
// begins with HASH_START, and nothing else does.
Checked check_launch(const Log& log, crypto::Hash bank);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_LAUNCH_H_
