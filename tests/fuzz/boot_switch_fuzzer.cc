// SPDX-License-Identifier: Apache-2.0

// Target: attest::boot::switch_text. Input: a byte whose lowest bits choose the format and the
// label, then a configuration.
// Property: an accepted text keeps its lines; each chooses the label now, or is what std::regex
// makes of it with Ironic's expression; and switching does not depend on the line ends.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/boot/labels.h"
#include "libattest/boot/switch.h"

using namespace attest;

namespace {

constexpr std::string_view kUuid = "12345678-9abc";

std::optional<std::string> switched(std::string_view text, const boot::SwitchOptions& o) {
  try {
    return boot::switch_text(text, o, "text");
  } catch (const ParseError&) {
    return std::nullopt;
  }
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  Lines lines(text);
  while (const auto line = lines.next()) out.emplace_back(*line);
  return out;
}

// `\r\n` and `\r` as `\n`.
std::string with_unix_ends(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out.push_back(text[i] == '\r' ? '\n' : text[i]);
  }
  return out;
}

// Ironic's own expressions.
const std::regex kRoot(R"((\(\(|\{\{) ROOT (\)\)|\}\}))");
const std::regex kDisk(R"((\(\(|\{\{) DISK_IDENTIFIER (\)\)|\}\}))");

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array<std::string_view, 3> kLabels = {"trusted_boot", "boot_whole_disk",
                                                       "boot_ramdisk"};
  boot::SwitchOptions o;
  o.format = static_cast<boot::Format>(data[0] % 3 + 1);
  o.label = kLabels.at(data[0] / 3 % 3);
  (o.label == "boot_whole_disk" ? o.disk_identifier : o.root_uuid) = kUuid;
  const std::regex& tag = o.root_uuid ? kRoot : kDisk;
  const std::string value = (o.root_uuid ? "UUID=" : "") + std::string(kUuid);
  const std::string_view text = as_text({data + 1, size - 1});
  const auto after = switched(text, o);
  const std::string unix_text = with_unix_ends(text);
  if (after != switched(unix_text, o)) std::abort();
  if (!after) return 0;
  const auto old_lines = lines_of(unix_text);
  const auto new_lines = lines_of(*after);
  if (old_lines.size() != new_lines.size()) std::abort();
  bool chosen = false;
  for (std::size_t i = 0; i < old_lines.size(); ++i) {
    if (boot::default_of_line(old_lines[i], o.format) == boot::Default::kIronics) {
      if (new_lines[i] != boot::default_line(old_lines[i], o.format, o.label)) std::abort();
      chosen = true;
    } else if (new_lines[i] != (o.label == "boot_ramdisk"
                                    ? old_lines[i]
                                    : std::regex_replace(old_lines[i], tag, value))) {
      std::abort();
    }
  }
  if (!chosen) std::abort();
  return 0;
}
