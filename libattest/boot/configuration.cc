// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/configuration.h"

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/boot/words.h"

namespace attest::boot {

Config parse_config(std::string_view text, std::optional<Format> format) {
  constexpr std::string_view kName = "boot configuration";
  if (text.size() > kMaxConfigSize) throw ParseError(kName, "its size", "is larger than 1 MiB");
  Lines lines(text);
  while (const auto line = lines.next()) {
    const std::string place = "line " + std::to_string(lines.number());
    if (line->find('\0') != std::string_view::npos) {
      throw ParseError(kName, place, "has a NUL: not a text");
    }
    if (!is_utf8(*line)) throw ParseError(kName, place, "is not UTF-8");
  }
  if (!format) format = detect_format(text);
  if (!format) {
    throw ParseError(kName, "line 1",
                     "no '#!ipxe', no 'menuentry' and no 'label' in it: for none of iPXE, GRUB and "
                     "PXELINUX");
  }
  Config config;
  config.format = *format;
  switch (*format) {
    case Format::kPxelinux:
      read_pxelinux(config, text);
      break;
    case Format::kIpxe:
      read_ipxe(config, text);
      break;
    case Format::kGrub:
      read_grub(config, text);
      break;
  }
  return config;
}

const Entry* find_entry(const Config& config, std::string_view label) noexcept {
  for (const Entry& entry : config.entries) {
    if (entry.label == label) return &entry;
  }
  return nullptr;
}

bool is_tboot(std::string_view path) noexcept {
  path = path.substr(0, path.find_first_of("?#"));
  if (const std::size_t slash = path.find_last_of("/:)"); slash != std::string_view::npos) {
    path = path.substr(slash + 1);
  }
  return path.size() >= 5 && is_keyword(path.substr(0, 5), "tboot");
}

Entry& add_entry(Config& config, std::string_view label, std::size_t line) {
  if (config.entries.size() >= kMaxEntries) {
    throw ParseError("boot configuration", "line " + std::to_string(line),
                     "has more than 1000 labels before it");
  }
  Entry& entry = config.entries.emplace_back();
  entry.label = label;
  entry.line = line;
  entry.end_line = line;
  return entry;
}

}  // namespace attest::boot
