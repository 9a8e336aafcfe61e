// SPDX-License-Identifier: Apache-2.0

// The three kinds of network boot configuration, and what libattest calls things in them.

#ifndef LIBATTEST_BOOT_FORMAT_H_
#define LIBATTEST_BOOT_FORMAT_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace attest::boot {

enum class Format {
  kPxelinux = 1,
  kIpxe = 2,
  kGrub = 3,
};

std::string_view name_of(Format format) noexcept;  // "pxelinux"
std::optional<Format> format_from_name(std::string_view name) noexcept;
std::string_view title_of(Format format) noexcept;  // "PXELINUX", for messages

// No configuration is larger.
inline constexpr std::size_t kMaxConfigSize = std::size_t{1} << 20U;

// Finds out what `text` is; nothing when it is none of them. A script for iPXE that does not begin
// as iPXE wants it is one, too: check() says so.
std::optional<Format> detect_format(std::string_view text) noexcept;

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_FORMAT_H_
