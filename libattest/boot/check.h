// SPDX-License-Identifier: Apache-2.0

// What of a boot configuration would not boot, or would not be measured as it was before.

#ifndef LIBATTEST_BOOT_CHECK_H_
#define LIBATTEST_BOOT_CHECK_H_

#include <optional>
#include <string>
#include <string_view>

#include "libattest/boot/configuration.h"

namespace attest::boot {

struct CheckOptions {
  std::optional<std::string_view> label;  // the one that is to boot; without it the file's default
  std::optional<std::string> boot_root;   // the folder that is served; without it no file is sought
};

// Adds to config.problems, and sorts them. Throws FileError when there is no such boot root.
void check(Config& config, std::string_view text, const CheckOptions& options);

// What looks for the files of the label that boots and of those that start tboot.
void check_files(Config& config, const Entry* selected, const std::string& boot_root);

// Without the file at hand, whether tboot can be started goes by its name.
void check_tboot_name(Config& config, const Image& tboot);

// A path of a configuration as one below the boot root: URLs and GRUB's devices lose what comes
// before the path. Nothing for what only the loader can know (variables, other schemes).
std::optional<std::string_view> path_in_root(std::string_view path, Format format) noexcept;

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_CHECK_H_
