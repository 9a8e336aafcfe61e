// SPDX-License-Identifier: Apache-2.0

// The times of OpenAttestation's answers, in the forms that its servers were seen to write.

#ifndef LIBATTEST_NET_OAT_TIME_H_
#define LIBATTEST_NET_OAT_TIME_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace attest::net {

// Seconds since 1970-01-01 UTC, fractions cut off; nothing for what is not of one of these forms,
// not a date of the calendar, or before 1970:
//   ISO 8601: 2016-02-29T22:29:26.365+0000. The fraction may be missing, the "T" be a space, and
//   the offset be Z, +hh, +hhmm, +hh:mm, or missing, which is UTC. C's asctime() in English, UTC:
//   Tue Feb 14 09:02:48 2012. Whatever the process's locale is.
std::optional<std::int64_t> parse_oat_time(std::string_view text) noexcept;

}  // namespace attest::net

#endif  // LIBATTEST_NET_OAT_TIME_H_
