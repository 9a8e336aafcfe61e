// SPDX-License-Identifier: Apache-2.0

// Hexadecimal text, strictly: an even number of digits and nothing else.

#ifndef LIBATTEST_BASE_HEX_H_
#define LIBATTEST_BASE_HEX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"

namespace attest {

// Lower case, two digits a byte.
std::string to_hex(Bytes bytes);

// Either case is read. Nothing when `text` is not hexadecimal throughout.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// Decodes into `out`, which must be half as long as `text`; says whether `text` was hexadecimal.
bool from_hex(std::string_view text, std::span<std::uint8_t> out) noexcept;

}  // namespace attest

#endif  // LIBATTEST_BASE_HEX_H_
