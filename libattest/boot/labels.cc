// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/labels.h"

#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

// "menuentry "NAME" …", with or without quotes; or elilo's " label=NAME".
bool begins_grub_label(std::string_view line, std::string_view label) noexcept {
  line = strip(line);
  if (line.starts_with("label=")) return strip(line.substr(6)) == label;
  if (!line.starts_with("menuentry") || line.size() < 10 || !is_space(line[9])) return false;
  line = strip(line.substr(9));
  const char quote = line.empty() ? '\0' : line[0];
  if (quote != '"' && quote != '\'') return Words(line).next() == label;
  const std::size_t end = line.find(quote, 1);
  return end != std::string_view::npos && line.substr(1, end - 1) == label;
}

// `set default=…` and `default=…`, wherever they stand in the line and whatever is around the '='.
bool sets_grub_default(std::string_view line) noexcept {
  line = strip(line);
  if (line.starts_with("set") && line.size() > 3 && is_space(line[3])) line = strip(line.substr(3));
  return line.starts_with("default=");
}

}  // namespace

bool begins_label(std::string_view line, Format format, std::string_view label) noexcept {
  if (format == Format::kGrub) return begins_grub_label(line, label);
  if (format == Format::kIpxe) return line.starts_with(':') && strip(line.substr(1)) == label;
  Words words(line);
  return is_keyword(words.next(), "label") && words.rest() == label;
}

Default default_of_line(std::string_view line, Format format) noexcept {
  if (line.starts_with(default_words(format))) return Default::kIronics;
  switch (format) {
    case Format::kPxelinux:
      return is_keyword(Words(line).next(), "default") ? Default::kOther : Default::kNone;
    case Format::kIpxe:
      return Default::kNone;  // other `goto` lines are steps of the script
    case Format::kGrub:
      if (line.starts_with("default=")) return Default::kIronics;
      return sets_grub_default(line) ? Default::kOther : Default::kNone;
  }
  return Default::kNone;
}

std::string_view default_words(Format format) noexcept {
  switch (format) {
    case Format::kPxelinux:
      return "default ";
    case Format::kIpxe:
      return "goto ";
    case Format::kGrub:
      return "set default=";
  }
  return "";
}

std::string default_line(std::string_view line, Format format, std::string_view label) {
  const std::string_view words =
      format == Format::kGrub && line.starts_with("default=") ? "default=" : default_words(format);
  std::string out(words);
  out.append(label);
  if (line.ends_with('\n')) out.push_back('\n');
  return out;
}

}  // namespace attest::boot
