// SPDX-License-Identifier: Apache-2.0

// Makes network boot configurations whose label trusted_boot starts tboot, which measures the
// kernel and the ramdisk and starts them.

#ifndef LIBATTEST_BOOT_RENDER_H_
#define LIBATTEST_BOOT_RENDER_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/boot/format.h"

namespace attest::boot {

// All values are as check_path, check_arguments and check_identifier want them.
struct RenderOptions {
  Format format = Format::kPxelinux;
  std::string_view kernel;
  std::string_view ramdisk;
  std::optional<std::string_view> root_uuid;  // without it the placeholder, for switch_text
  std::string_view append;                    // arguments of the instance's kernel
  std::optional<std::string_view> tboot;      // "tboot.gz", and "tboot" for iPXE
  std::string_view tboot_args;
  std::optional<std::string_view> mboot;  // PXELINUX only; "mboot.c32"
  bool literal_mboot = false;             // PXELINUX only: "kernel mboot"

  // The label alone, or a file with the labels of Ironic's templates around it. The label deploy is
  // there when its kernel and ramdisk are given, and is then the default.
  bool complete = false;
  std::optional<std::string_view> deploy_kernel;
  std::optional<std::string_view> deploy_ramdisk;
  std::optional<std::string_view> deploy_append;  // without it `append`
  bool trusted_deploy = false;                    // the label deploy starts tboot, too
  std::string_view ramdisk_append;                // for boot_ramdisk, behind `append`
  std::string_view kickstart;                     // URLs for boot_anaconda
  std::string_view stage2;
  std::string_view repository;   // instead of stage2, in iPXE and GRUB
  std::string_view tftp_server;  // for GRUB's boot_server=
  std::chrono::milliseconds ipxe_timeout{0};
};

// Throws ParseError for a value that could break out of its place, and for arguments that tboot
// would cut; std::invalid_argument for options that do not go together.
std::string render(const RenderOptions& options);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_RENDER_H_
