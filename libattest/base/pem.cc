// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/pem.h"

#include "libattest/base/base64.h"
#include "libattest/base/error.h"
#include "libattest/base/text.h"

namespace attest {
namespace {

constexpr std::size_t kMaxText = 65536;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

[[noreturn]] void fail(std::size_t line, std::string_view why) {
  throw ParseError("PEM", "line " + std::to_string(line), why);
}

std::string_view without_trailing_space(std::string_view line) noexcept {
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

// The label between `prefix` and five dashes; empty when `line` is no such line.
std::string_view label_of(std::string_view line, std::string_view prefix) noexcept {
  if (!line.starts_with(prefix)) return {};
  line.remove_prefix(prefix.size());
  if (!line.ends_with(kDashes)) return {};
  line.remove_suffix(kDashes.size());
  return line;
}

// The rest of a block whose first line, with this label, `lines` gave last.
PemBlock read_block(Lines& lines, std::string_view label) {
  PemBlock block;
  block.label = label;
  const std::size_t first = lines.number() + 1;
  std::string base64;
  for (;;) {
    const std::optional<std::string_view> next = lines.next();
    if (!next) fail(lines.number(), "ends before its \"-----END ...-----\" line");
    const std::string_view line = without_trailing_space(*next);
    if (line.starts_with(kDashes)) {
      if (label_of(line, kEnd) != block.label) fail(lines.number(), "not the block's END line");
      break;
    }
    if (line.find(':') != std::string_view::npos) {
      fail(lines.number(), "header line: encrypted blocks are not read");
    }
    base64.append(line);
    if (base64.size() > kMaxText) fail(lines.number(), "a block larger than 64 KiB");
  }
  std::optional<std::vector<std::uint8_t>> data = from_base64(base64);
  if (!data) fail(first, "not base64");
  if (data->empty()) fail(first, "an empty block");
  block.data = std::move(*data);
  return block;
}

}  // namespace

bool looks_like_pem(std::string_view text) noexcept { return text.starts_with(kBegin); }

PemBlock parse_pem(std::string_view text) {
  if (text.size() > kMaxText) fail(1, "larger than 64 KiB");
  Lines lines(text);
  const std::string_view label =
      label_of(without_trailing_space(lines.next().value_or("")), kBegin);
  if (label.empty()) fail(1, "not a \"-----BEGIN ...-----\" line");
  PemBlock block = read_block(lines, label);
  while (const std::optional<std::string_view> next = lines.next()) {
    const std::string_view line = without_trailing_space(*next);
    if (looks_like_pem(line)) fail(lines.number(), "more than one PEM block");
    if (!line.empty()) fail(lines.number(), "text after the PEM block");
  }
  return block;
}

std::vector<PemBlock> parse_pem_blocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  Lines lines(text);
  while (const std::optional<std::string_view> next = lines.next()) {
    const std::string_view label = label_of(without_trailing_space(*next), kBegin);
    if (!label.empty()) blocks.push_back(read_block(lines, label));
  }
  if (blocks.empty()) fail(1, "no PEM block");
  return blocks;
}

}  // namespace attest
