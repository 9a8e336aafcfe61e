// SPDX-License-Identifier: Apache-2.0

// What may be put into a boot configuration: values that stay in their line, their field and their
// quotes in whatever reads it. What could break out is refused, never escaped: none of the three
// formats has a way to escape that works in all its versions.

#ifndef LIBATTEST_BOOT_VALUE_H_
#define LIBATTEST_BOOT_VALUE_H_

#include <string_view>

#include "libattest/boot/format.h"

namespace attest::boot {

// The functions throw ParseError, which names the value as `name`, the byte, and the reason.

// One word: a path or a URL.
void check_path(std::string_view name, std::string_view value, Format format);

// Arguments, with spaces between them. May be empty.
void check_arguments(std::string_view name, std::string_view value, Format format);

// A file system's UUID or a disk's identifier: letters, digits and '-', 1 to 64.
void check_identifier(std::string_view name, std::string_view value);

// A label: letters, digits, '_', '-' and '.', 1 to 64.
void check_label(std::string_view name, std::string_view value);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_VALUE_H_
