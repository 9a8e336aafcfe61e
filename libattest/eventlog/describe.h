// SPDX-License-Identifier: Apache-2.0

// Events in words, for people. The words come from an event's data and are worth what its coverage
// is: show them as hints where is_hint() says so.

#ifndef LIBATTEST_EVENTLOG_DESCRIBE_H_
#define LIBATTEST_EVENTLOG_DESCRIBE_H_

#include <string>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

// What the event's data says, in one line: a variable's name, a command of GRUB's, a file. Text of
// the log is escaped and cut. Never empty, and never an error: data that is not of the type's
// structure is described as so many bytes.
std::string describe(const Log& log, const Event& event);

// Whether an event's data is only a hint: no part of it is covered by the digest.
bool is_hint(Coverage coverage) noexcept;

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_DESCRIBE_H_
