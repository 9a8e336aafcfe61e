// SPDX-License-Identifier: Apache-2.0

// The lines that begin a label, and those that choose one.

#ifndef LIBATTEST_BOOT_LABELS_H_
#define LIBATTEST_BOOT_LABELS_H_

#include <string>
#include <string_view>

#include "libattest/boot/format.h"

namespace attest::boot {

// Whether the line begins the label of that name. In files for UEFI, elilo's "label=" counts, too.
bool begins_label(std::string_view line, Format format, std::string_view label) noexcept;

enum class Default {
  kNone,
  kIronics,  // as Ironic's expressions find it: `^default .*$`, `^goto .*$`, `^((set
             // )?default)=.*$`
  kOther,    // the loader obeys it, and Ironic does not see it
};
Default default_of_line(std::string_view line, Format format) noexcept;

// How such a line begins: "default ", "goto ", "set default=".
std::string_view default_words(Format format) noexcept;

// The line of Ironic's that chooses `label`, in the place of `line`, with whose line end.
std::string default_line(std::string_view line, Format format, std::string_view label);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_LABELS_H_
