// SPDX-License-Identifier: Apache-2.0

// Switches a configuration from one label to another, as Ironic's switch_pxe_config does at the end
// of a deployment: byte for byte what that writes, and an error where that would leave a
// configuration behind that does not do what was asked.

#ifndef LIBATTEST_BOOT_SWITCH_H_
#define LIBATTEST_BOOT_SWITCH_H_

#include <optional>
#include <string>
#include <string_view>

#include "libattest/boot/format.h"

namespace attest::boot {

struct SwitchOptions {
  // What the node's boot mode asks for: kGrub for UEFI, kPxelinux for BIOS, kIpxe in both.
  Format format = Format::kPxelinux;
  std::string_view label;
  std::optional<std::string_view> root_uuid;        // not for boot_whole_disk
  std::optional<std::string_view> disk_identifier;  // for boot_whole_disk alone
};

// `name` is the file's, for errors, which are ParseErrors with a line. What is switched already
// comes back as it is. Line ends become '\n', as they do in Ironic.
std::string switch_text(std::string_view text, const SwitchOptions& options, std::string_view name);

// The same in the file at `path`. Returns whether it changed.
bool switch_file(const std::string& path, const SwitchOptions& options);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_SWITCH_H_
