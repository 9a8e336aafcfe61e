// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/ascii.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/tpm/pcr.h"

namespace attest::ima {
namespace {

using Buffer = std::vector<std::uint8_t>;

// What Reader is for bytes: nothing else reads the line.
class Cursor {
 public:
  Cursor(std::string_view line, std::uint64_t number) : rest_(line), number_(number) {}

  bool done() const noexcept { return rest_.empty(); }
  // Up to the next space or the end.
  std::string_view token() noexcept {
    const std::string_view out = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(out.size());
    return out;
  }
  std::string_view rest() noexcept {
    const std::string_view out = rest_;
    rest_ = {};
    return out;
  }
  // The one space that stands before each column but the first.
  void space(std::string_view next_field) {
    if (!skip_space()) fail(next_field, "missing");
  }
  bool skip_space() noexcept {
    if (!rest_.starts_with(' ')) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[noreturn]] void fail(std::string_view field, std::string_view why) const {
    std::string m(field);
    throw ParseError(kListFormatName, "line " + std::to_string(number_),
                     m.append(": ").append(why));
  }

 private:
  std::string_view rest_;
  std::uint64_t number_;
};

void append_u32(Buffer& out, std::size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void append(Buffer& out, std::string_view text) {
  const Bytes bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_hex(const Cursor& c, std::string_view field, std::string_view text, Buffer& out) {
  const std::size_t at = out.size();
  out.resize(at + text.size() / 2);
  if (!from_hex(text, std::span(out).subspan(at))) c.fail(field, "not hexadecimal");
}

// "ALG:hex", "ima:ALG:hex", or bare hex where the kernel has no name: what stands up to the last
// colon, a NUL, the digest.
void append_digest(const Cursor& c, std::string_view field, std::string_view text, Buffer& out) {
  const std::size_t colon = text.rfind(':');
  if (colon == 0) c.fail(field, "no digest algorithm");
  if (colon == std::string_view::npos) {
    append(out, ":");
  } else {
    append(out, text.substr(0, colon + 1));
    text.remove_prefix(colon + 1);
  }
  out.push_back(0);
  append_hex(c, field, text, out);
}

void append_number(const Cursor& c, std::string_view field, std::string_view text, std::size_t size,
                   Buffer& out) {
  const std::uint64_t max = (std::uint64_t{1} << (8 * size)) - 1;
  const auto value = parse_decimal(text, max);
  if (!value) c.fail(field, "not a decimal number of its size");
  for (std::size_t shift = 0; shift < 8 * size; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(*value >> shift));
  }
}

constexpr bool is_name(Field field) noexcept { return field == Field::kN || field == Field::kNNg; }

void append_value(const Cursor& c, Field field, std::string_view text, Buffer& out) {
  switch (field) {
    case Field::kDNg:
    case Field::kDNgV2:
      append_digest(c, name_of(field), text, out);
      return;
    case Field::kDModsig:
      if (!text.empty()) append_digest(c, name_of(field), text, out);
      return;
    case Field::kN:
    case Field::kNNg:
      append(out, text);
      out.push_back(0);
      return;
    case Field::kXattrNames:
      if (text.empty()) return;
      append(out, text);
      out.push_back(0);
      return;
    case Field::kIuid:
    case Field::kIgid:
      if (!text.empty()) append_number(c, name_of(field), text, sizeof(std::uint32_t), out);
      return;
    case Field::kImode:
      if (!text.empty()) append_number(c, name_of(field), text, sizeof(std::uint16_t), out);
      return;
    case Field::kD:
    case Field::kSig:
    case Field::kBuf:
    case Field::kModsig:
    case Field::kEvmSig:
    case Field::kXattrLengths:
    case Field::kXattrValues:
      append_hex(c, name_of(field), text, out);
      return;
  }
}

void parse_fields_text(Cursor& c, AsciiRecord& out) {
  const auto fields = out.found->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields[i];
    c.space(name_of(field));
    // Kernels of old left spaces in names: the last column has room for them.
    const bool rest = i + 1 == fields.size() && is_name(field);
    const std::string_view text = rest ? c.rest() : c.token();
    if (out.found->legacy) {
      if (is_name(field)) {
        out.name = text;
      } else {
        append_hex(c, name_of(field), text, out.digest);
      }
      continue;
    }
    out.value.clear();
    append_value(c, field, text, out.value);
    append_u32(out.data, out.value.size());
    out.data.insert(out.data.end(), out.value.begin(), out.value.end());
  }
  if (!c.done()) c.fail("template data", "has text after its last field");
  if (out.data.size() > kMaxTemplateData) c.fail("template data", "more than 16 MiB");
}

crypto::Digest parse_header_digest(const Cursor& c, std::string_view text) {
  constexpr std::string_view kField = "template digest";
  constexpr std::array<std::size_t, 4> kSizes{20, 32, 48, 64};
  const std::size_t size = text.size() / 2;
  if (text.size() % 2 != 0 || std::ranges::find(kSizes, size) == kSizes.end()) {
    c.fail(kField, "not 40, 64, 96 or 128 digits");
  }
  crypto::Digest digest;
  if (!from_hex(text, digest.resize(size))) c.fail(kField, "not hexadecimal");
  return digest;
}

}  // namespace

void parse_line(std::string_view line, std::uint64_t number, TemplateCache& templates,
                AsciiRecord& out) {
  Cursor c(line, number);
  out.data.clear();
  out.digest.clear();
  out.name = {};
  if (line.find('\0') != std::string_view::npos) c.fail("line", "a NUL inside it");
  c.skip_space();  // "%2d"
  const auto pcr = parse_decimal(c.token(), tpm::kNumPcrs - 1);
  if (!pcr) c.fail("PCR", "not 0 to 23");
  out.pcr = static_cast<std::uint32_t>(*pcr);
  c.space("template digest");
  out.header_digest = parse_header_digest(c, c.token());
  c.space("template name");
  out.template_name = c.token();
  if (out.template_name.empty() || out.template_name.size() > kMaxTemplateName) {
    c.fail("template name", "not of 1 to 255 bytes");
  }
  out.found = templates.find(out.template_name);
  if (out.found != nullptr) parse_fields_text(c, out);
}

}  // namespace attest::ima
