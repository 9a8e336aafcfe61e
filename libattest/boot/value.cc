// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/value.h"

#include <string>

#include "libattest/base/error.h"
#include "libattest/base/text.h"

namespace attest::boot {
namespace {

constexpr std::size_t kMaxValue = 4096;
constexpr std::size_t kMaxIdentifier = 64;

[[noreturn]] void refuse(std::string_view name, std::size_t at, std::string_view why) {
  throw ParseError(name, "byte " + std::to_string(at), why);
}

void refuse_any(std::string_view name, std::string_view value, std::string_view characters,
                std::string_view where) {
  const std::size_t at = value.find_first_of(characters);
  if (at == std::string_view::npos) return;
  refuse(name, at,
         "'" + std::string(1, value[at]) + "' has a meaning of its own " + std::string(where));
}

void refuse_text(std::string_view name, std::string_view value, std::string_view text,
                 std::string_view where) {
  const std::size_t at = value.find(text);
  if (at == std::string_view::npos) return;
  refuse(name, at, "'" + std::string(text) + "' has a meaning of its own " + std::string(where));
}

// What no format takes, whatever the value is for.
void check_characters(std::string_view name, std::string_view value) {
  if (value.size() > kMaxValue) refuse(name, kMaxValue, "is longer than 4096 bytes");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\n' || c == '\r') refuse(name, i, "a line end would begin a line of its own");
    if (c < ' ' || c > '~') {
      refuse(name, i, "'" + printable(value.substr(i, 1)) + "' is not printable ASCII");
    }
  }
  // Ironic's templates, its placeholders, and the expansions of iPXE and GRUB.
  refuse_any(name, value, "{}", "in templates and boot configurations");
  refuse_text(name, value, "((", "in templates");
  refuse_text(name, value, "))", "in templates");
  refuse_text(name, value, "---", "between the modules of mboot.c32");
  refuse_any(name, value, "\\", "in boot configurations");
}

void check_format(std::string_view name, std::string_view value, Format format) {
  switch (format) {
    case Format::kPxelinux:
      return;
    case Format::kIpxe:
      refuse_any(name, value, "#;", "in iPXE scripts");
      refuse_text(name, value, "||", "in iPXE scripts");
      refuse_text(name, value, "&&", "in iPXE scripts");
      return;
    case Format::kGrub:
      refuse_any(name, value, ";$\"'`#&|<>", "in GRUB configurations");
      return;
  }
}

void check_word(std::string_view name, std::string_view value, std::string_view others) {
  if (value.empty()) throw ParseError(name, "byte 0", "is empty");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos) continue;
    refuse(name, i,
           "'" + printable(value.substr(i, 1)) + "' is no letter, no digit and none of " +
               std::string(others));
  }
  if (value.size() > kMaxIdentifier) refuse(name, kMaxIdentifier, "is longer than 64 bytes");
}

}  // namespace

void check_path(std::string_view name, std::string_view value, Format format) {
  if (value.empty()) throw ParseError(name, "byte 0", "is empty");
  check_characters(name, value);
  check_format(name, value, format);
  if (const std::size_t at = value.find(' '); at != std::string_view::npos) {
    refuse(name, at, "a space would end the path");
  }
  if (value[0] == '-') refuse(name, 0, "a path that begins with '-' would be taken for an option");
}

void check_arguments(std::string_view name, std::string_view value, Format format) {
  check_characters(name, value);
  check_format(name, value, format);
}

void check_identifier(std::string_view name, std::string_view value) {
  check_word(name, value, "-");
}

void check_label(std::string_view name, std::string_view value) { check_word(name, value, "_-."); }

}  // namespace attest::boot
