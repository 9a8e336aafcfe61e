// SPDX-License-Identifier: Apache-2.0

// How much of a kernel's arguments arrives when tboot starts it. What is too long is cut off
// without a word, on the way there or by tboot.

#ifndef LIBATTEST_BOOT_COMMAND_LINE_H_
#define LIBATTEST_BOOT_COMMAND_LINE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/boot/format.h"

namespace attest::boot {

// Why arguments of `size` bytes for the kernel at `path` are cut; nothing when they are not.
// `tboot` is tboot's path with its own arguments. Of a relative path in iPXE only the loader knows
// the URL: it counts as it is written.
std::optional<std::string> why_cut(Format format, std::string_view tboot, std::string_view path,
                                   std::size_t size);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_COMMAND_LINE_H_
