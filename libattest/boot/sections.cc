// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/sections.h"

namespace attest::boot {

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out.append(part);
  return out;
}

std::string root_of(const RenderOptions& options) {
  if (options.root_uuid) return join({"UUID=", *options.root_uuid});
  // GRUB does not take braces, so Ironic has another placeholder for it.
  return options.format == Format::kGrub ? "(( ROOT ))" : "{{ ROOT }}";
}

std::string trusted_arguments(const RenderOptions& options) {
  return join({"root=", root_of(options), " ro text ", options.append, " intel_iommu=on"});
}

std::string trusted_deploy_arguments(const RenderOptions& options) {
  return join({deploy_arguments(options), " intel_iommu=on"});
}

std::string deploy_arguments(const RenderOptions& options) {
  return join({"selinux=0 troubleshoot=0 text ", options.deploy_append.value_or(options.append)});
}

std::string tboot_of(const RenderOptions& options) {
  const std::string_view path =
      options.tboot.value_or(options.format == Format::kIpxe ? "tboot" : "tboot.gz");
  return join({path, options.tboot_args.empty() ? "" : " ", options.tboot_args});
}

std::string_view default_of(const RenderOptions& options) noexcept {
  return options.deploy_kernel ? "deploy" : "trusted_boot";
}

}  // namespace attest::boot
