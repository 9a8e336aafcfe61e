// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/render.h"

#include <stdexcept>

#include "libattest/base/error.h"
#include "libattest/boot/command_line.h"
#include "libattest/boot/sections.h"
#include "libattest/boot/value.h"

namespace attest::boot {
namespace {

// The longest identifier that may take the placeholder's place.
constexpr std::size_t kMaxRoot = 5 + 64;  // "UUID=" and what check_identifier lets through

void check_optional_path(std::string_view name, std::optional<std::string_view> value,
                         Format format) {
  if (value) check_path(name, *value, format);
}

// A URL that may be left out by being empty, as Ironic's templates have it.
void check_url(std::string_view name, std::string_view value, Format format) {
  if (!value.empty()) check_path(name, value, format);
}

void check_together(const RenderOptions& o) {
  const auto refuse = [](const char* why) { throw std::invalid_argument(why); };
  if (o.format != Format::kPxelinux && (o.mboot || o.literal_mboot)) {
    refuse("mboot and literal_mboot are for PXELINUX only");
  }
  if (o.mboot && o.literal_mboot) refuse("mboot and literal_mboot are two names for one thing");
  if (o.deploy_kernel.has_value() != o.deploy_ramdisk.has_value()) {
    refuse("deploy_kernel and deploy_ramdisk need each other");
  }
  if (!o.complete && (o.deploy_kernel || !o.ramdisk_append.empty() || !o.kickstart.empty() ||
                      !o.stage2.empty() || !o.repository.empty() || !o.tftp_server.empty())) {
    refuse("values of other labels need complete");
  }
  if (!o.deploy_kernel && (o.deploy_append || o.trusted_deploy)) {
    refuse("deploy_append and trusted_deploy need deploy_kernel and deploy_ramdisk");
  }
  if (o.format != Format::kIpxe && o.ipxe_timeout.count() != 0) {
    refuse("ipxe_timeout is for iPXE only");
  }
  if (o.format != Format::kGrub && !o.tftp_server.empty()) refuse("tftp_server is for GRUB only");
  if (o.format == Format::kPxelinux && !o.repository.empty()) {
    refuse("repository is for iPXE and GRUB only");
  }
}

void check_values(const RenderOptions& o) {
  check_path("kernel", o.kernel, o.format);
  check_path("ramdisk", o.ramdisk, o.format);
  if (o.root_uuid) check_identifier("root_uuid", *o.root_uuid);
  check_arguments("append", o.append, o.format);
  check_optional_path("tboot", o.tboot, o.format);
  if (o.format == Format::kIpxe && o.tboot && o.tboot->ends_with(".gz")) {
    throw ParseError("tboot", "its name", "iPXE does not unpack it: give the unpacked tboot");
  }
  check_arguments("tboot_args", o.tboot_args, o.format);
  check_optional_path("mboot", o.mboot, o.format);
  check_optional_path("deploy_kernel", o.deploy_kernel, o.format);
  check_optional_path("deploy_ramdisk", o.deploy_ramdisk, o.format);
  if (o.deploy_append) check_arguments("deploy_append", *o.deploy_append, o.format);
  check_arguments("ramdisk_append", o.ramdisk_append, o.format);
  check_url("kickstart", o.kickstart, o.format);
  check_url("stage2", o.stage2, o.format);
  check_url("repository", o.repository, o.format);
  check_url("tftp_server", o.tftp_server, o.format);
}

void check_length(const RenderOptions& o, std::string_view name, std::string_view kernel,
                  std::size_t size) {
  const auto why = why_cut(o.format, tboot_of(o), kernel, size);
  if (why) throw ParseError(name, "its length", "the kernel would have " + *why);
}

void check_lengths(const RenderOptions& o) {
  // A placeholder counts as what may come into its place.
  const std::size_t root = root_of(o).size();
  const std::size_t more = o.root_uuid ? 0 : kMaxRoot - root;
  check_length(o, "append", o.kernel, trusted_arguments(o).size() + more);
  if (o.trusted_deploy) {
    check_length(o, "deploy_append", *o.deploy_kernel, trusted_deploy_arguments(o).size());
  }
}

}  // namespace

std::string render(const RenderOptions& options) {
  check_together(options);
  check_values(options);
  check_lengths(options);
  switch (options.format) {
    case Format::kPxelinux:
      return options.complete ? pxelinux_file(options) : pxelinux_label(options);
    case Format::kIpxe:
      return options.complete ? ipxe_file(options) : ipxe_label(options);
    case Format::kGrub:
      return options.complete ? grub_file(options) : grub_label(options);
  }
  throw std::invalid_argument("format is none");
}

}  // namespace attest::boot
