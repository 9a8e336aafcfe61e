// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/switch.h"

#include <stdexcept>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/boot/file.h"
#include "libattest/boot/labels.h"
#include "libattest/boot/value.h"

namespace attest::boot {
namespace {

constexpr std::string_view kRoot = " ROOT ";
constexpr std::string_view kDisk = " DISK_IDENTIFIER ";

// The labels that boot what no identifier is put into: Ironic replaces nothing for them.
bool takes_nothing(std::string_view label) noexcept {
  return label == "boot_ramdisk" || label == "boot_anaconda";
}

struct Text {
  std::string_view name;
  std::vector<std::string> lines;  // with their '\n', which the last may lack

  std::string joined() const {
    std::string out;
    for (const std::string& line : lines) out.append(line);
    return out;
  }

  [[noreturn]] void fail(std::size_t line, std::string_view why) const {
    throw ParseError(name, "line " + std::to_string(line), why);
  }
};

// Python's universal newlines: "\r\n" and "\r" are '\n'.
Text read_lines(std::string_view text, std::string_view name) {
  Text out{name, {}};
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') out.fail(out.lines.size() + 1, "has a NUL: not a text");
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    line.push_back(c == '\r' ? '\n' : c);
    if (line.back() == '\n') {
      if (!is_utf8(line)) out.fail(out.lines.size() + 1, "is not UTF-8");
      out.lines.push_back(std::move(line));
      line.clear();
    }
  }
  if (!is_utf8(line)) out.fail(out.lines.size() + 1, "is not UTF-8");
  if (!line.empty()) out.lines.push_back(std::move(line));
  return out;
}

// Where a placeholder `(( NAME ))` or `{{ NAME }}` begins, its two ends in any combination.
std::size_t find_placeholder(std::string_view line, std::string_view name, std::size_t from) {
  for (std::size_t at = line.find(name, from); at != std::string_view::npos;
       at = line.find(name, at + 1)) {
    if (at < from + 2) continue;
    const std::string_view before = line.substr(at - 2, 2);
    const std::string_view after = line.substr(at + name.size(), 2);
    if ((before == "((" || before == "{{") && (after == "))" || after == "}}")) return at - 2;
  }
  return std::string_view::npos;
}

// Replaces all of a line, and returns how many there were.
std::size_t replace_placeholders(std::string& line, std::string_view name, std::string_view value) {
  std::size_t count = 0;
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = find_placeholder(line, name, from); at != std::string_view::npos;
       at = find_placeholder(line, name, from)) {
    out.append(line, from, at - from).append(value);
    from = at + 4 + name.size();
    ++count;
  }
  line = out.append(line, from);
  return count;
}

bool is_identifier_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// Whether `value` stands in the line as a whole, and not as a part of another one.
bool has_value(std::string_view line, std::string_view value) noexcept {
  for (std::size_t at = line.find(value); at != std::string_view::npos;
       at = line.find(value, at + 1)) {
    const std::size_t end = at + value.size();
    const bool begins = at == 0 || !is_identifier_character(line[at - 1]);
    if (begins && (end == line.size() || !is_identifier_character(line[end]))) return true;
  }
  return false;
}

// Puts `value` into the place of the placeholders. A text with neither placeholder nor value is not
// one that can be switched.
void put_value(Text& text, std::string_view name, std::string_view value, std::size_t label_line) {
  std::size_t count = 0;
  bool there = false;
  for (std::string& line : text.lines) {
    there = there || has_value(line, value);
    count += replace_placeholders(line, name, value);
  }
  if (count != 0 || there) return;
  text.fail(label_line, "neither this label nor another one has the placeholder {{" +
                            std::string(name) + "}}, or " + std::string(value) + " already");
}

void put_identifier(Text& text, const SwitchOptions& o, std::size_t label_line) {
  if (takes_nothing(o.label)) return;
  if (o.root_uuid) put_value(text, kRoot, "UUID=" + std::string(*o.root_uuid), label_line);
  // Ironic's iPXE template boots whatever disk the firmware does, and has no placeholder for one.
  if (o.disk_identifier && o.format == Format::kIpxe) {
    for (std::string& line : text.lines) replace_placeholders(line, kDisk, *o.disk_identifier);
  } else if (o.disk_identifier) {
    put_value(text, kDisk, *o.disk_identifier, label_line);
  }
}

void check_options(const SwitchOptions& o) {
  check_label("label", o.label);
  if (o.root_uuid) check_identifier("root_uuid", *o.root_uuid);
  if (o.disk_identifier) check_identifier("disk_identifier", *o.disk_identifier);
  if (o.root_uuid && o.disk_identifier) {
    throw std::invalid_argument(
        "root_uuid is for partition images, disk_identifier for whole disks");
  }
  if (o.root_uuid && o.label == "boot_whole_disk") {
    throw std::invalid_argument("boot_whole_disk takes disk_identifier, not root_uuid");
  }
  if (o.disk_identifier && o.label != "boot_whole_disk" && !takes_nothing(o.label)) {
    throw std::invalid_argument("disk_identifier is for boot_whole_disk");
  }
}

// The line of the label, from 1.
std::size_t find_label(const Text& text, const SwitchOptions& o, std::size_t default_line) {
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    if (begins_label(text.lines[i], o.format, o.label)) return i + 1;
  }
  text.fail(default_line, "can not be switched to '" + std::string(o.label) +
                              "': the configuration has no such label");
}

// The lines that Ironic replaces. PXELINUX and GRUB obey the last of several.
std::vector<std::size_t> find_defaults(const Text& text, Format format) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    const Default what = default_of_line(text.lines[i], format);
    if (what == Default::kNone) continue;
    if (what == Default::kOther) {
      text.fail(i + 1, "'" + printable(strip(text.lines[i]), 60) +
                           "' chooses a label, too, and is not written as '" +
                           std::string(default_words(format)) + "LABEL' at the line's start");
    }
    if (!found.empty() && format != Format::kIpxe) {
      text.fail(i + 1, "a second '" + std::string(default_words(format)) + "' line: line " +
                           std::to_string(found[0] + 1) + " is the first");
    }
    found.push_back(i);
  }
  if (found.empty()) {
    text.fail(1, "this is no " + std::string(title_of(format)) + " configuration with a line '" +
                     std::string(default_words(format)) + "LABEL'");
  }
  return found;
}

void check_kind(const Text& text, Format wanted) {
  const auto found = detect_format(text.joined());
  if (!found || *found == wanted) return;
  text.fail(1, "this is a configuration for " + std::string(title_of(*found)) +
                   ", and the boot mode asks for one for " + std::string(title_of(wanted)));
}

}  // namespace

std::string switch_text(std::string_view text, const SwitchOptions& options,
                        std::string_view name) {
  check_options(options);
  if (text.size() > kMaxConfigSize) throw ParseError(name, "its size", "is larger than 1 MiB");
  Text read = read_lines(text, name);
  check_kind(read, options.format);
  const std::vector<std::size_t> defaults = find_defaults(read, options.format);
  const std::size_t label_line = find_label(read, options, defaults[0] + 1);
  // Before the placeholders: one in such a line goes with it.
  for (const std::size_t at : defaults) {
    read.lines[at] = default_line(read.lines[at], options.format, options.label);
  }
  put_identifier(read, options, label_line);
  return read.joined();
}

bool switch_file(const std::string& path, const SwitchOptions& options) {
  ReplaceableFile file(path, kMaxConfigSize);
  const std::string after = switch_text(file.content(), options, printable(path, 200));
  if (after == file.content()) return false;
  file.replace(after);
  return true;
}

}  // namespace attest::boot
