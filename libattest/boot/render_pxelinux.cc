// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/sections.h"

namespace attest::boot {
namespace {

// mboot.c32 takes what stands between words "---" for its modules, each with its arguments.
std::string through_tboot(const RenderOptions& o, std::string_view label, std::string_view kernel,
                          std::string_view arguments, std::string_view ramdisk) {
  const std::string_view mboot = o.literal_mboot ? "mboot" : o.mboot.value_or("mboot.c32");
  return join({"label ", label, "\nkernel ", mboot, "\nappend ", tboot_of(o), " --- ", kernel, " ",
               arguments, " --- ", ramdisk, "\n"});
}

std::string deploy(const RenderOptions& o) {
  if (!o.deploy_kernel) return "";
  if (o.trusted_deploy) {
    // Without ipappend: it would add BOOTIF to the ramdisk's arguments, behind the last "---".
    return through_tboot(o, "deploy", *o.deploy_kernel, trusted_deploy_arguments(o),
                         *o.deploy_ramdisk) +
           "\n";
  }
  return join({"label deploy\nkernel ", *o.deploy_kernel, "\nappend initrd=", *o.deploy_ramdisk,
               " ", deploy_arguments(o), "\nipappend 2\n\n"});
}

std::string instance(const RenderOptions& o, std::string_view label, std::string_view arguments) {
  return join({"label ", label, "\nkernel ", o.kernel, "\nappend initrd=", o.ramdisk, " ",
               arguments, "\n"});
}

}  // namespace

std::string pxelinux_label(const RenderOptions& options) {
  return through_tboot(options, "trusted_boot", options.kernel, trusted_arguments(options),
                       options.ramdisk);
}

std::string pxelinux_file(const RenderOptions& options) {
  const RenderOptions& o = options;
  const std::string partition = join({"root=", root_of(o), " ro text ", o.append});
  const std::string ramdisk = join({"root=/dev/ram0 text ", o.append, " ", o.ramdisk_append});
  const std::string anaconda =
      join({"text ", o.append, " inst.ks=", o.kickstart, " inst.stage2=", o.stage2});
  return join({"default ", default_of(o), "\n\n", deploy(o),  //
               instance(o, "boot_partition", partition), "\n",
               "label boot_whole_disk\nCOM32 chain.c32\nappend mbr:{{ DISK_IDENTIFIER }}\n\n",
               pxelinux_label(o), "\n", instance(o, "boot_ramdisk", ramdisk), "\n",
               instance(o, "boot_anaconda", anaconda), "ipappend 2\n"});
}

}  // namespace attest::boot
