// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot_config.h"

#include <string>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/boot/check.h"
#include "libattest/boot/configuration.h"
#include "libattest/boot/render.h"
#include "libattest/boot/switch.h"

struct attest_boot_config {
  attest::boot::Config config;
};

namespace attest::api {

template <>
inline constexpr std::size_t kFirstSize<attest_boot_render_options> = 160;
template <>
inline constexpr std::size_t kFirstSize<attest_boot_switch_options> = 40;
template <>
inline constexpr std::size_t kFirstSize<attest_boot_check_options> = 32;
template <>
inline constexpr std::size_t kFirstSize<attest_boot_problem> = 48;

}  // namespace attest::api

using attest::api::flag_of;
using attest::api::guard;
using attest::api::require;
namespace boot = attest::boot;

namespace {

std::optional<boot::Format> format_of(const attest_boot_format& format) {
  const int number = attest::api::number_of(format);
  if (number == ATTEST_BOOT_FORMAT_NONE) return std::nullopt;
  if (number < ATTEST_BOOT_PXELINUX || number > ATTEST_BOOT_GRUB) {
    throw std::invalid_argument("format is not an attest_boot_format");
  }
  return static_cast<boot::Format>(number);
}

std::string_view word(const char* text, const char* name) {
  require(text, name);
  return text;
}

std::optional<std::string_view> given(const char* text) noexcept {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}

std::string_view or_empty(const char* text) noexcept { return text == nullptr ? "" : text; }

boot::RenderOptions to_options(const attest_boot_render_options& o) {
  const auto format = format_of(o.format);
  if (!format) throw std::invalid_argument("format is none");
  boot::RenderOptions out;
  out.format = *format;
  out.kernel = word(o.kernel, "kernel");
  out.ramdisk = word(o.ramdisk, "ramdisk");
  out.root_uuid = given(o.root_uuid);
  out.append = or_empty(o.append);
  out.tboot = given(o.tboot);
  out.tboot_args = or_empty(o.tboot_args);
  out.mboot = given(o.mboot);
  out.literal_mboot = flag_of(o.literal_mboot, "literal_mboot");
  out.complete = flag_of(o.complete, "complete");
  out.deploy_kernel = given(o.deploy_kernel);
  out.deploy_ramdisk = given(o.deploy_ramdisk);
  out.deploy_append = given(o.deploy_append);
  out.trusted_deploy = flag_of(o.trusted_deploy, "trusted_deploy");
  out.ramdisk_append = or_empty(o.ramdisk_append);
  out.kickstart = or_empty(o.kickstart);
  out.stage2 = or_empty(o.stage2);
  out.repository = or_empty(o.repository);
  out.tftp_server = or_empty(o.tftp_server);
  out.ipxe_timeout = std::chrono::milliseconds(o.ipxe_timeout_ms);
  return out;
}

boot::Format format_of_mode(const attest_boot_mode& mode, bool ipxe) {
  const int number = attest::api::number_of(mode);
  if (number != ATTEST_BOOT_MODE_BIOS && number != ATTEST_BOOT_MODE_UEFI) {
    throw std::invalid_argument("boot_mode is not an attest_boot_mode");
  }
  if (ipxe) return boot::Format::kIpxe;
  return number == ATTEST_BOOT_MODE_UEFI ? boot::Format::kGrub : boot::Format::kPxelinux;
}

boot::SwitchOptions to_options(const attest_boot_switch_options& o) {
  boot::SwitchOptions out;
  out.format = format_of_mode(o.boot_mode, flag_of(o.ipxe, "ipxe"));
  out.label = word(o.label, "label");
  out.root_uuid = given(o.root_uuid);
  out.disk_identifier = given(o.disk_identifier);
  return out;
}

}  // namespace

extern "C" {

const char* attest_boot_format_name(attest_boot_format format) {
  const int number = attest::api::number_of(format);
  if (number < ATTEST_BOOT_PXELINUX || number > ATTEST_BOOT_GRUB) return nullptr;
  return boot::name_of(static_cast<boot::Format>(number)).data();  // a literal
}

attest_boot_format attest_boot_format_from_name(const char* name) {
  const auto format = name == nullptr ? std::nullopt : boot::format_from_name(name);
  return format ? static_cast<attest_boot_format>(*format) : ATTEST_BOOT_FORMAT_NONE;
}

attest_status attest_boot_config_render(attest_buffer** out,
                                        const attest_boot_render_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest_boot_render_options init = ATTEST_BOOT_RENDER_OPTIONS_INIT;
    const auto o = attest::api::options_of(options, init);
    attest::api::give_text(out, boot::render(to_options(o)));
  });
}

attest_status attest_boot_config_switch(int* changed, const char* path,
                                        const attest_boot_switch_options* options) {
  return guard([&] {
    if (changed != nullptr) *changed = 0;
    const attest_boot_switch_options init = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
    const auto o = attest::api::options_of(options, init);
    const bool did = boot::switch_file(std::string(word(path, "path")), to_options(o));
    if (changed != nullptr) *changed = did ? 1 : 0;
  });
}

attest_status attest_boot_config_check(attest_boot_config** out, const char* text,
                                       std::size_t text_len,
                                       const attest_boot_check_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    const std::string_view in = attest::api::text(text, text_len);
    const attest_boot_check_options init = ATTEST_BOOT_CHECK_OPTIONS_INIT;
    const auto o = attest::api::options_of(options, init);
    boot::CheckOptions how;
    how.label = given(o.label);
    if (o.boot_root != nullptr) how.boot_root = o.boot_root;
    attest_boot_config made{boot::parse_config(in, format_of(o.format))};
    boot::check(made.config, in, how);
    attest::api::give(out, std::move(made));
  });
}

attest_boot_format attest_boot_config_get_format(const attest_boot_config* config) {
  if (config == nullptr) return ATTEST_BOOT_FORMAT_NONE;
  return static_cast<attest_boot_format>(config->config.format);
}

std::size_t attest_boot_config_num_problems(const attest_boot_config* config) {
  return config == nullptr ? 0 : config->config.problems.all().size();
}

attest_status attest_boot_config_problem(attest_boot_problem* out, const attest_boot_config* config,
                                         std::size_t index) {
  return guard([&] {
    require(config, "config");
    const auto& problems = config->config.problems.all();
    if (index >= problems.size()) throw std::invalid_argument("no problem has this index");
    const boot::Problem& problem = problems[index];
    attest_boot_problem filled = ATTEST_BOOT_PROBLEM_INIT;
    filled.code = static_cast<std::int32_t>(problem.code);
    filled.id = boot::id_of(problem.code).data();  // a literal: there is a NUL behind it
    filled.severity = static_cast<attest_severity>(problem.severity);
    if (problem.line) filled.line = static_cast<std::int64_t>(*problem.line);
    filled.message = problem.message.c_str();
    attest::api::fill(out, filled);
  });
}

void attest_boot_config_free(attest_boot_config* config) { delete config; }

}  // extern "C"
