// SPDX-License-Identifier: Apache-2.0

// Network boot configurations.

#include <pybind11/stl.h>

#include <cmath>
#include <list>
#include <optional>

#include "support.h"

namespace binding {
namespace {

// The strings of a call, NUL-terminated, and alive until its end. Nothing that has a NUL inside
// comes through: the library would see less of it than the caller.
class Strings {
 public:
  const char* add(const char* name, const std::optional<std::string>& value) {
    if (!value) return nullptr;
    if (value->find('\0') != std::string::npos) {
      throw py::value_error(std::string(name) + " has a NUL");
    }
    return kept_.emplace_back(*value).c_str();
  }

 private:
  std::list<std::string> kept_;  // whose elements stay where they are
};

// What the library takes, and a byte more is enough for it to say so.
constexpr std::size_t kMaxConfigSize = std::size_t{1} << 20U;

using Text = std::string;
using OptionalText = std::optional<std::string>;

attest_boot_format format_of(const std::string& name) {
  const attest_boot_format format = attest_boot_format_from_name(name.c_str());
  if (format == ATTEST_BOOT_FORMAT_NONE) {
    throw py::value_error("format is none of pxelinux, ipxe and grub");
  }
  return format;
}

attest_boot_mode boot_mode_of(const std::string& name) {
  if (name == "bios") return ATTEST_BOOT_MODE_BIOS;
  if (name == "uefi") return ATTEST_BOOT_MODE_UEFI;
  throw py::value_error("boot_mode is neither bios nor uefi");
}

std::uint32_t milliseconds(double seconds) {
  constexpr double kMost = 24.0 * 3600;
  if (!(seconds >= 0 && seconds <= kMost)) {
    throw py::value_error("ipxe_timeout is not a number of seconds up to a day");
  }
  return static_cast<std::uint32_t>(std::lround(seconds * 1000));
}

py::str render(const Text& format, const Text& kernel, const Text& ramdisk,
               const OptionalText& root_uuid, const Text& append, const OptionalText& tboot,
               const Text& tboot_args, const OptionalText& mboot, bool literal_mboot, bool complete,
               const OptionalText& deploy_kernel, const OptionalText& deploy_ramdisk,
               const OptionalText& deploy_append, bool trusted_deploy, const Text& ramdisk_append,
               const Text& kickstart, const Text& stage2, const Text& repository,
               const Text& tftp_server, double ipxe_timeout) {
  Strings strings;
  attest_boot_render_options o = ATTEST_BOOT_RENDER_OPTIONS_INIT;
  o.format = format_of(format);
  o.kernel = strings.add("kernel", kernel);
  o.ramdisk = strings.add("ramdisk", ramdisk);
  o.root_uuid = strings.add("root_uuid", root_uuid);
  o.append = strings.add("append", append);
  o.tboot = strings.add("tboot", tboot);
  o.tboot_args = strings.add("tboot_args", tboot_args);
  o.mboot = strings.add("mboot", mboot);
  o.literal_mboot = literal_mboot ? 1 : 0;
  o.complete = complete ? 1 : 0;
  o.deploy_kernel = strings.add("deploy_kernel", deploy_kernel);
  o.deploy_ramdisk = strings.add("deploy_ramdisk", deploy_ramdisk);
  o.deploy_append = strings.add("deploy_append", deploy_append);
  o.trusted_deploy = trusted_deploy ? 1 : 0;
  o.ramdisk_append = strings.add("ramdisk_append", ramdisk_append);
  o.kickstart = strings.add("kickstart", kickstart);
  o.stage2 = strings.add("stage2", stage2);
  o.repository = strings.add("repository", repository);
  o.tftp_server = strings.add("tftp_server", tftp_server);
  o.ipxe_timeout_ms = milliseconds(ipxe_timeout);
  attest_buffer* out = nullptr;
  run([&] { return attest_boot_config_render(&out, &o); });
  return take_text(out);
}

// What os.fspath() and the file system's encoding make of a path.
std::string path_of(const py::object& path) {
  return py::bytes(py::module_::import("os").attr("fsencode")(path));
}

bool switch_config(const py::object& path, const Text& label, const OptionalText& root_uuid,
                   const OptionalText& disk_identifier, const Text& boot_mode, bool ipxe) {
  Strings strings;
  attest_boot_switch_options o = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
  o.label = strings.add("label", label);
  o.root_uuid = strings.add("root_uuid", root_uuid);
  o.disk_identifier = strings.add("disk_identifier", disk_identifier);
  o.boot_mode = boot_mode_of(boot_mode);
  o.ipxe = ipxe ? 1 : 0;
  const char* name = strings.add("path", path_of(path));
  int changed = 0;
  run([&] { return attest_boot_config_switch(&changed, name, &o); });
  return changed != 0;
}

using BootConfig = Owned<attest_boot_config, attest_boot_config_free>;

py::list problems(const attest_boot_config* config) {
  const py::object problem = type("BootProblem");
  const py::object severity = type("Severity");
  py::list list;
  for (std::size_t i = 0; i < attest_boot_config_num_problems(config); ++i) {
    attest_boot_problem p = ATTEST_BOOT_PROBLEM_INIT;
    check(attest_boot_config_problem(&p, config, i));
    py::object line = py::none();
    if (p.line >= 0) line = py::int_(p.line);
    list.append(
        problem(p.code, text(p.id), severity(static_cast<int>(p.severity)), line, text(p.message)));
  }
  return list;
}

// A text; or a file's, by its os.PathLike.
py::object config_text(const py::object& config) {
  if (!py::hasattr(config, "__fspath__")) return config;
  const py::object file = py::module_::import("io").attr("open")(config, "rb");
  py::object content = file.attr("read")(kMaxConfigSize + 1);
  file.attr("close")();
  return content;
}

// Reads and checks the text that `config` is or names.
BootConfig read_config(const py::object& config, const attest_boot_check_options& options) {
  const Input in(config_text(config), Accept::kBytesOrStr);
  attest_boot_config* out = nullptr;
  run([&] { return attest_boot_config_check(&out, in.text(), in.size(), &options); });
  return BootConfig(out);
}

py::list check_config(const py::object& config, const py::object& boot_root,
                      const OptionalText& format, const OptionalText& label) {
  Strings strings;
  attest_boot_check_options o = ATTEST_BOOT_CHECK_OPTIONS_INIT;
  if (format) o.format = format_of(*format);
  o.label = strings.add("label", label);
  if (!boot_root.is_none()) o.boot_root = strings.add("boot_root", path_of(boot_root));
  return problems(read_config(config, o).get());
}

const char* config_format(const py::object& config) {
  const BootConfig read = read_config(config, ATTEST_BOOT_CHECK_OPTIONS_INIT);
  return attest_boot_format_name(attest_boot_config_get_format(read.get()));
}

}  // namespace

void bind_boot(py::module_& m) {
  m.def("render_boot_config", &render, py::arg("format"), py::kw_only(), py::arg("kernel"),
        py::arg("ramdisk"), py::arg("root_uuid") = py::none(), py::arg("append") = "",
        py::arg("tboot") = py::none(), py::arg("tboot_args") = "", py::arg("mboot") = py::none(),
        py::arg("literal_mboot") = false, py::arg("complete") = false,
        py::arg("deploy_kernel") = py::none(), py::arg("deploy_ramdisk") = py::none(),
        py::arg("deploy_append") = py::none(), py::arg("trusted_deploy") = false,
        py::arg("ramdisk_append") = "", py::arg("kickstart") = "", py::arg("stage2") = "",
        py::arg("repository") = "", py::arg("tftp_server") = "", py::arg("ipxe_timeout") = 0.0,
        "A network boot configuration (pxelinux, ipxe or grub) whose label trusted_boot starts "
        "tboot: that label, or all of Ironic's with `complete`.");
  m.def("switch_boot_config", &switch_config, py::arg("path"), py::arg("label"), py::kw_only(),
        py::arg("root_uuid") = py::none(), py::arg("disk_identifier") = py::none(),
        py::arg("boot_mode") = "bios", py::arg("ipxe") = false,
        "Has a configuration file boot `label`, as Ironic does at a deployment's end. Returns "
        "whether it changed.");
  m.def("check_boot_config", &check_config, py::arg("config"), py::kw_only(),
        py::arg("boot_root") = py::none(), py::arg("format") = py::none(),
        py::arg("label") = py::none(),
        "What of a configuration (its text, or its file as an os.PathLike) would not boot.");
  m.def("boot_config_format", &config_format, py::arg("config"),
        "What a configuration is for: pxelinux, ipxe or grub.");
}

}  // namespace binding
