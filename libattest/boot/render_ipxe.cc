// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/sections.h"

namespace attest::boot {
namespace {

// "COMMAND URL || goto RETRY", with the arguments that an image may have.
std::string fetch(const RenderOptions& o, std::string_view command, std::string_view image,
                  std::string_view retry) {
  std::string timeout;
  if (o.ipxe_timeout.count() != 0) {
    timeout = join({"--timeout ", std::to_string(o.ipxe_timeout.count()), " "});
  }
  return join({command, " ", timeout, image, " || goto ", retry, "\n"});
}

std::string begin(std::string_view label) { return join({":", label, "\nimgfree\n"}); }

// iPXE knows tboot as a multiboot kernel and does not unpack it; `module` adds what tboot starts.
std::string through_tboot(const RenderOptions& o, std::string_view label, std::string_view kernel,
                          std::string_view arguments, std::string_view ramdisk,
                          std::string_view retry) {
  return join({begin(label), fetch(o, "kernel", tboot_of(o), retry),
               fetch(o, "module", join({kernel, " ", arguments}), retry),
               fetch(o, "module", ramdisk, retry), "boot\n"});
}

// What iPXE calls an image: the last part of its URL's path.
std::string_view name_of_image(std::string_view url) {
  url = url.substr(0, url.find('?'));
  return url.substr(url.rfind('/') == std::string_view::npos ? 0 : url.rfind('/') + 1);
}

std::string deploy(const RenderOptions& o) {
  if (!o.deploy_kernel) return "";
  std::string section;
  if (o.trusted_deploy) {
    section = through_tboot(o, "deploy", *o.deploy_kernel, trusted_deploy_arguments(o),
                            *o.deploy_ramdisk, "retry");
  } else {
    const std::string image = join({*o.deploy_kernel, " ", deploy_arguments(o),
                                    " BOOTIF=${mac} initrd=", name_of_image(*o.deploy_ramdisk)});
    section = join({begin("deploy"), fetch(o, "kernel", image, "retry"), "\n",
                    fetch(o, "initrd", *o.deploy_ramdisk, "retry"), "boot\n"});
  }
  return join({section,
               "\n"
               ":retry\n"
               "iseq ${i} ${attempts} && goto fail ||\n"
               "inc i\n"
               "echo No response, retrying in ${i} seconds.\n"
               "sleep ${i}\n"
               "goto deploy\n"
               "\n"
               ":fail\n"
               "echo Failed to get a response after ${attempts} attempts\n"
               "echo Powering off in 30 seconds.\n"
               "sleep 30\n"
               "poweroff\n"
               "\n"});
}

std::string instance(const RenderOptions& o, std::string_view label, std::string_view arguments) {
  const std::string image = join({o.kernel, " ", arguments, " initrd=", name_of_image(o.ramdisk)});
  return join({begin(label), fetch(o, "kernel", image, label), fetch(o, "initrd", o.ramdisk, label),
               "boot\n"});
}

}  // namespace

std::string ipxe_label(const RenderOptions& options) {
  return through_tboot(options, "trusted_boot", options.kernel, trusted_arguments(options),
                       options.ramdisk, "trusted_boot");
}

std::string ipxe_file(const RenderOptions& options) {
  const RenderOptions& o = options;
  const std::string_view source = o.repository.empty() ? " inst.stage2=" : " inst.repo=";
  const std::string anaconda = join({"text ", o.append, " inst.ks=", o.kickstart, source,
                                     o.repository.empty() ? o.stage2 : o.repository});
  const std::string partition = join({"root=", root_of(o), " ro text ", o.append});
  const std::string ramdisk = join({"root=/dev/ram0 text ", o.append, " ", o.ramdisk_append});
  return join({"#!ipxe\n\nset attempts:int32 10\nset i:int32 0\n\ngoto ", default_of(o), "\n\n",
               deploy(o), instance(o, "boot_partition", partition), "\n",
               instance(o, "boot_anaconda", anaconda), "\n", instance(o, "boot_ramdisk", ramdisk),
               "\n", ipxe_label(o), "\n:boot_whole_disk\nsanboot --no-describe || exit 0\n"});
}

}  // namespace attest::boot
