// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/format.h"

#include <array>

#include "libattest/base/text.h"
#include "libattest/boot/words.h"

namespace attest::boot {
namespace {

struct Names {
  Format format;
  std::string_view name;
  std::string_view title;
};
constexpr std::array<Names, 3> kNames = {{
    {Format::kPxelinux, "pxelinux", "PXELINUX"},
    {Format::kIpxe, "ipxe", "iPXE"},
    {Format::kGrub, "grub", "GRUB"},
}};

}  // namespace

std::string_view name_of(Format format) noexcept {
  return kNames[static_cast<std::size_t>(format) - 1].name;
}

std::string_view title_of(Format format) noexcept {
  return kNames[static_cast<std::size_t>(format) - 1].title;
}

std::optional<Format> format_from_name(std::string_view name) noexcept {
  for (const Names& names : kNames) {
    if (names.name == name) return names.format;
  }
  return std::nullopt;
}

std::optional<Format> detect_format(std::string_view text) noexcept {
  std::optional<Format> found;
  bool begins = true;
  bool late = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    const std::string_view first = words.next();
    if (first == "#!ipxe" || first == "#!gpxe") {
      if (begins) return Format::kIpxe;
      late = true;
    }
    begins = begins && first.empty();
    if (first == "menuentry") return Format::kGrub;
    // Both may be in comments or texts of the other two, whose own words are looked for first.
    if (is_keyword(first, "label") && !words.done()) found = Format::kPxelinux;
  }
  return !found && late ? Format::kIpxe : found;
}

}  // namespace attest::boot
