// SPDX-License-Identifier: Apache-2.0

// Base64 (RFC 4648, section 4), strictly: standard alphabet, full padding, no white space, and the
// unused bits of the last digit zero, so that a value has exactly one spelling.

#ifndef LIBATTEST_BASE_BASE64_H_
#define LIBATTEST_BASE_BASE64_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"

namespace attest {

std::string to_base64(Bytes bytes);

// Nothing when `text` is not base64 throughout.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace attest

#endif  // LIBATTEST_BASE_BASE64_H_
