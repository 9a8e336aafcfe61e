// SPDX-License-Identifier: Apache-2.0

// What Intel TXT puts around a launch's events: the container that heap element 5 points to, and
// the descriptor that begins each log of element 7 but the SHA-1 one (Intel TXT Software
// Development Guide, appendix on the event log). For eventlog/ only; Log::parse_launch() is the
// interface.

#ifndef LIBATTEST_EVENTLOG_TXT_CONTAINER_H_
#define LIBATTEST_EVENTLOG_TXT_CONTAINER_H_

#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

struct TxtContainer {
  Reader events;      // the used part, with offsets from the start of the container
  bool full = false;  // no event fits behind it any more
};
bool is_txt_container(Bytes in) noexcept;
// All of `r`: the whole area, or its used part alone. What is unused must be zero.
TxtContainer parse_txt_container(Reader r);

// TCG_LOG_DESCRIPTOR.Signature. The NUL is part of it.
inline constexpr std::string_view kLogDescriptor{"FRMT ID EVENT00\0", 16};
// The rest of `r`, behind the signature: the algorithm of the log's digests.
Algorithm parse_log_descriptor(Reader& r);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_TXT_CONTAINER_H_
