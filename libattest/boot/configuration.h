// SPDX-License-Identifier: Apache-2.0

// A network boot configuration as its loader reads it: which labels there are, which is chosen,
// and what each starts. Whatever a loader leaves alone (menus, consoles, timeouts) is left alone.

#ifndef LIBATTEST_BOOT_CONFIGURATION_H_
#define LIBATTEST_BOOT_CONFIGURATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/boot/format.h"
#include "libattest/boot/problem.h"

namespace attest::boot {

// A file that is loaded, with the arguments that it is given.
struct Image {
  std::size_t line = 0;
  std::string path;
  std::string arguments;
};

enum class Starts {
  kNothing,  // what it would start is missing
  kLinux,    // images: the kernel, then its ramdisks
  kModules,  // images: a multiboot kernel (tboot), then its modules
  kOther,    // a disk, another configuration, a step of a script: no kernel that is named here
};

struct Entry {
  std::string label;  // empty: an iPXE script's steps before its first label
  std::size_t line = 0;
  std::size_t end_line = 0;  // its last
  Starts starts = Starts::kNothing;
  std::string loader;  // PXELINUX: the COM32 module that loads the images
  std::vector<Image> images;
};

struct Choice {
  std::size_t line = 0;
  std::string label;
  bool sure = true;  // not within a condition, and no variable
};

struct Config {
  Format format = Format::kPxelinux;
  std::vector<Choice> defaults;
  std::vector<Entry> entries;
  bool includes = false;      // other files, which may have more labels
  std::optional<Image> menu;  // PXELINUX: the module that shows the labels and starts one
  Problems problems;
};

inline constexpr std::size_t kMaxEntries = 1000;

// Throws ParseError for what is not a text, larger than kMaxConfigSize, has more than kMaxEntries
// labels, or is not of a format that is known (when none is given).
Config parse_config(std::string_view text, std::optional<Format> format);

// The entry of that label; nullptr when there is none.
const Entry* find_entry(const Config& config, std::string_view label) noexcept;

// Whether an image is tboot, by the only thing that names it in a configuration: its file's name.
bool is_tboot(std::string_view path) noexcept;
inline bool starts_tboot(const Entry& entry) noexcept {
  return !entry.images.empty() && is_tboot(entry.images[0].path);
}

// Of each format; `lines` of a text that parse_config has looked at.
void read_pxelinux(Config& config, std::string_view text);
void read_ipxe(Config& config, std::string_view text);
void read_grub(Config& config, std::string_view text);

// For these three: adds an entry, or throws ParseError when there are too many.
Entry& add_entry(Config& config, std::string_view label, std::size_t line);

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_CONFIGURATION_H_
