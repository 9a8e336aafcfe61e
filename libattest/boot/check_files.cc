// SPDX-License-Identifier: Apache-2.0

// Whether the files that a configuration names are in the boot root.

#include <set>

#include "libattest/base/text.h"
#include "libattest/boot/boot_root.h"
#include "libattest/boot/check.h"

namespace attest::boot {
namespace {

class Files {
 public:
  Files(Config& config, const std::string& boot_root) : config_(config), root_(boot_root) {}

  // Each file is complained of once.
  BootRoot::File look(std::string_view path, std::size_t line) {
    const auto in_root = path_in_root(path, config_.format);
    if (!in_root) {
      add(ProblemCode::kFileUnknown, Severity::kInfo, line, path,
          "can not be looked for in the boot root: only the loader knows where it is");
      return {};
    }
    BootRoot::File file = root_.look(*in_root);
    switch (file.state) {
      case BootRoot::State::kGood:
        break;
      case BootRoot::State::kMissing:
        add(ProblemCode::kFileMissing, Severity::kFailure, line, path, "is not in the boot root");
        break;
      case BootRoot::State::kOutside:
        add(ProblemCode::kFileOutside, Severity::kFailure, line, path,
            "leads out of the boot root, where a server does not follow");
        break;
      case BootRoot::State::kUnusable:
        add(ProblemCode::kFileUnusable, Severity::kFailure, line, path, file.why);
        break;
    }
    return file;
  }

  // A module of Syslinux that another one or PXELINUX itself needs: in the boot root, or beside
  // what needs it.
  void look_for_module(std::string_view name, std::string_view folder, std::string_view needed_by,
                       std::size_t line) {
    if (root_.look(name).state == BootRoot::State::kGood) return;
    const std::string beside = std::string(folder) + std::string(name);
    if (root_.look(beside).state == BootRoot::State::kGood) return;
    add(ProblemCode::kFileMissing, Severity::kFailure, line, name,
        "is not in the boot root, and " + std::string(needed_by) +
            " needs it (Syslinux 5 and newer)");
  }

 private:
  void add(ProblemCode code, Severity severity, std::size_t line, std::string_view path,
           std::string_view why) {
    if (!named_.emplace(path).second) return;
    config_.problems.add(code, severity, line, printable(path, 120) + " " + std::string(why));
  }

  Config& config_;
  BootRoot root_;
  std::set<std::string> named_;
};

// The folder of a path, with its slash; empty for none.
std::string_view folder_of(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : path.substr(0, slash + 1);
}

void look_for_loader(Files& files, const Entry& entry) {
  std::string loader = entry.loader;
  if (!loader.ends_with(".c32") && !loader.ends_with(".C32")) loader.append(".c32");
  const std::string_view folder = folder_of(loader);
  files.look(loader, entry.line);
  files.look_for_module("libcom32.c32", folder, loader, entry.line);
}

void look_for_menu(Files& files, const Image& menu) {
  const std::string_view folder = folder_of(menu.path);
  files.look(menu.path, menu.line);
  files.look_for_module("libutil.c32", folder, menu.path, menu.line);
  if (menu.path.ends_with("vesamenu.c32")) {
    files.look_for_module("libcom32.c32", folder, menu.path, menu.line);
  }
}

void look_for_images(Files& files, Config& config, const Entry& entry) {
  for (const Image& image : entry.images) {
    if (image.path.empty()) continue;
    const BootRoot::File file = files.look(image.path, image.line);
    if (!starts_tboot(entry) || &image != entry.images.data()) continue;
    if (file.state != BootRoot::State::kGood) {
      check_tboot_name(config, image);
    } else if (file.gzip && config.format == Format::kIpxe) {
      config.problems.add(
          ProblemCode::kTbootCompressed, Severity::kFailure, image.line,
          printable(image.path, 120) + " is compressed, and iPXE does not unpack it: gunzip it");
    }
  }
}

}  // namespace

std::optional<std::string_view> path_in_root(std::string_view path, Format format) noexcept {
  if (path.find_first_of("$%") != std::string_view::npos) return std::nullopt;
  if (format == Format::kGrub) {
    if (!path.starts_with('(')) return path;
    const std::size_t end = path.find(')');
    return end == std::string_view::npos ? std::nullopt : std::optional(path.substr(end + 1));
  }
  const std::size_t scheme = path.find("://");
  if (scheme == std::string_view::npos) {
    // PXELINUX's "server::path", and "::path" for the server that it came from itself.
    const std::size_t server = path.find("::");
    return server == std::string_view::npos ? path : path.substr(server + 2);
  }
  const std::string_view name = path.substr(0, scheme);
  if (name != "tftp" && name != "http" && name != "https") return std::nullopt;
  path = path.substr(scheme + 3);
  path = path.substr(0, path.find_first_of("?#"));
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::nullopt : std::optional(path.substr(slash));
}

void check_files(Config& config, const Entry* selected, const std::string& boot_root) {
  Files files(config, boot_root);
  if (config.menu) look_for_menu(files, *config.menu);
  for (const Entry& entry : config.entries) {
    if (&entry != selected && !starts_tboot(entry)) continue;
    if (config.format == Format::kPxelinux) {
      files.look_for_module("ldlinux.c32", "", "PXELINUX", entry.line);
    }
    if (!entry.loader.empty()) look_for_loader(files, entry);
    look_for_images(files, config, entry);
  }
}

}  // namespace attest::boot
