// SPDX-License-Identifier: Apache-2.0

// The text of each format. The labels around trusted_boot are those of Ironic's templates, byte for
// byte, so that what knows those knows these. Values were checked before they come here.

#ifndef LIBATTEST_BOOT_SECTIONS_H_
#define LIBATTEST_BOOT_SECTIONS_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "libattest/boot/render.h"

namespace attest::boot {

std::string join(std::initializer_list<std::string_view> parts);

// "UUID=…", or the placeholder that switch_text replaces.
std::string root_of(const RenderOptions& options);
// The arguments of the kernels that tboot starts: the instance's, and the deploy ramdisk's.
std::string trusted_arguments(const RenderOptions& options);
std::string trusted_deploy_arguments(const RenderOptions& options);
// Those of the deploy ramdisk's kernel when nothing measures them, up to where formats differ.
std::string deploy_arguments(const RenderOptions& options);
// "tboot.gz", and its arguments where there are any.
std::string tboot_of(const RenderOptions& options);
// The label that a complete configuration begins with.
std::string_view default_of(const RenderOptions& options) noexcept;

// The label trusted_boot alone, and a complete configuration.
std::string pxelinux_label(const RenderOptions& options);
std::string pxelinux_file(const RenderOptions& options);
std::string ipxe_label(const RenderOptions& options);
std::string ipxe_file(const RenderOptions& options);
std::string grub_label(const RenderOptions& options);
std::string grub_file(const RenderOptions& options);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_SECTIONS_H_
