// SPDX-License-Identifier: Apache-2.0

// What is wrong or remarkable in a log that parses. These are facts about the log alone; what they
// mean for a verdict is verify/'s to say, which knows which PCRs are policed.

#ifndef LIBATTEST_EVENTLOG_CHECK_H_
#define LIBATTEST_EVENTLOG_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

// How far an event's data is to be believed once its digest has replayed to a quoted PCR.
// Numbers are part of the C ABI (attest_eventlog_coverage).
enum class Coverage : std::uint8_t {
  kOpaque = 1,      // the digest is over something outside the log: the data is a hint only
  kCovered = 2,     // the digest is the hash of the whole data
  kPartly = 3,      // the digest is the hash of a part of the data, which a rule or quirk names
  kMismatch = 4,    // this type's digest must cover the data and does not
  kUnextended = 5,  // EV_NO_ACTION: nothing covers it
};
std::string_view name_of(Coverage coverage) noexcept;  // "covered"

enum class Problem : std::uint8_t {
  kDataMismatch,    // Coverage::kMismatch
  kNoActionDigest,  // EV_NO_ACTION with a digest that is not zero
  kLocality,        // StartupLocality twice, late, in another PCR, or of a value that is none
  kHcrtm,           // H-CRTM event late, twice, or in another PCR
  kSeparator,       // wrong data or digest, twice, or missing where ExitBootServices passed
  kFirmwareError,   // a separator that says that the firmware failed
  kUnknownType,     // no type of PFP
  kUnusedType,      // EV_UNUSED
  // The digest of a well-known event under another type, or a type where no launch has it.
  kRetyped,
  kMalformedData,  // typed data that is not of its structure
  kQuirk,          // a named firmware quirk was allowed for
  kLogFull,        // the log's area is full: events may have been lost
  kLast = kLogFull,
};

struct Issue {
  Problem problem;
  std::uint32_t event = 0;  // index in the log
  std::uint32_t pcr = 0;    // 0 to 23, or 0xffffffff: data, never an index
  std::string what;         // one line; untrusted text in it is escaped
};

struct Checked {
  std::vector<Coverage> coverage;  // one an event
  // At most eight hundred. The first of each kind in each PCR is always there; when others were
  // left out, the last says how many.
  std::vector<Issue> issues;
};

// Checks each event's data against its digest in `bank`, which the log must carry, and the order
// rules of PFP section 10, or of a dynamic launch.
Checked check(const Log& log, crypto::Hash bank);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_CHECK_H_
