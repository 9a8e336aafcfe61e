// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/sections.h"

namespace attest::boot {
namespace {

std::string through_tboot(const RenderOptions& o, std::string_view label, std::string_view kernel,
                          std::string_view arguments, std::string_view ramdisk) {
  return join({"menuentry \"", label, "\"  {\n    multiboot2 ", tboot_of(o), "\n    module2 ",
               kernel, " ", arguments, "\n    module2 ", ramdisk, "\n}\n"});
}

std::string linuxefi(std::string_view label, std::string_view kernel, std::string_view arguments,
                     std::string_view ramdisk) {
  return join({"menuentry \"", label, "\"  {\n    linuxefi ", kernel, " ", arguments,
               "\n    initrdefi ", ramdisk, "\n}\n"});
}

std::string deploy(const RenderOptions& o) {
  if (!o.deploy_kernel) return "";
  const std::string server = join({" boot_server=", o.tftp_server});
  if (o.trusted_deploy) {
    return through_tboot(o, "deploy", *o.deploy_kernel, trusted_deploy_arguments(o),
                         *o.deploy_ramdisk) +
           "\n";
  }
  return linuxefi("deploy", *o.deploy_kernel, deploy_arguments(o) + server, *o.deploy_ramdisk) +
         "\n";
}

// Ironic's template indents this one by a space more.
std::string anaconda(const RenderOptions& o) {
  const std::string_view source = o.repository.empty() ? " inst.stage2=" : " inst.repo=";
  return join({"menuentry \"boot_anaconda\" {\n     linuxefi ", o.kernel, " text ", o.append,
               " inst.ks=", o.kickstart, source, o.repository.empty() ? o.stage2 : o.repository,
               "\n     initrdefi ", o.ramdisk, "\n}\n"});
}

}  // namespace

std::string grub_label(const RenderOptions& options) {
  return through_tboot(options, "trusted_boot", options.kernel, trusted_arguments(options),
                       options.ramdisk);
}

std::string grub_file(const RenderOptions& options) {
  const RenderOptions& o = options;
  const std::string partition = join({"root=", root_of(o), " ro text ", o.append});
  const std::string ramdisk = join({"root=/dev/ram0 text ", o.append, " ", o.ramdisk_append});
  return join({"set default=", default_of(o), "\nset timeout=5\nset hidden_timeout_quiet=false\n\n",
               deploy(o), linuxefi("boot_partition", o.kernel, partition, o.ramdisk), "\n",
               linuxefi("boot_ramdisk", o.kernel, ramdisk, o.ramdisk), "\n",
               "menuentry \"boot_whole_disk\"  {\n",
               "    linuxefi chain.c32 mbr:(( DISK_IDENTIFIER ))\n}\n\n", grub_label(o), "\n",
               anaconda(o)});
}

}  // namespace attest::boot
