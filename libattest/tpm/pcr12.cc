// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/pcr12.h"

#include <algorithm>
#include <bit>
#include <string>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kComposite = "TPM_PCR_COMPOSITE";
constexpr std::string_view kText = "PCR values (text)";
constexpr std::size_t kValueSize = 20;
constexpr std::uint8_t kMaxSelect = kNumPcrs / 8;
constexpr auto kSha1 = static_cast<std::uint16_t>(crypto::Hash::kSha1);

std::uint32_t values_size(const PcrSelection& selection) noexcept {
  return static_cast<std::uint32_t>(std::popcount(selection.mask)) * std::uint32_t{kValueSize};
}

// One spelling for one value: what the tool writes.
bool is_capital_hex(std::string_view text) noexcept {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

[[noreturn]] void refuse(const Lines& lines, std::string_view why) {
  throw ParseError(kText, "line " + std::to_string(lines.number()), why);
}

}  // namespace

PcrSelection parse_pcr_selection12(Reader& r) {
  PcrSelection s;
  s.alg = kSha1;
  const std::uint16_t size = r.u16be("pcrSelection.sizeOfSelect");
  if (size > kMaxSelect) r.fail("pcrSelection.sizeOfSelect", "more than 24 PCRs");
  s.size_of_select = static_cast<std::uint8_t>(size);
  unsigned shift = 0;
  for (const std::uint32_t byte : r.take(size, "pcrSelection.pcrSelect")) {
    s.mask |= byte << shift;
    shift += 8;
  }
  return s;
}

ClaimedPcrs parse_pcr_composite(Bytes in) {
  Reader r(in, kComposite);
  ClaimedPcrs pcrs;
  const PcrSelection selection = parse_pcr_selection12(r);
  if (r.u32be("valueSize") != values_size(selection)) {
    r.fail("valueSize", "not 20 bytes for each selected PCR");
  }
  for (int left = std::popcount(selection.mask); left > 0; --left) {
    pcrs.values.emplace_back(r.take(kValueSize, "pcrValue"));
  }
  r.expect_end(kComposite);
  pcrs.selections.push_back(selection);
  return pcrs;
}

ClaimedPcrs parse_pcrs_text(Bytes in, std::uint8_t size_of_select) {
  const std::string_view text = as_text(in);
  Lines lines(text);
  ClaimedPcrs pcrs;
  PcrSelection selection{kSha1, size_of_select, 0};
  while (const auto line = lines.next()) {
    const std::size_t equals = line->find('=');
    const auto pcr = parse_decimal(line->substr(0, equals), kNumPcrs - 1);
    if (equals == std::string_view::npos || !pcr)
      refuse(lines, "does not begin with a PCR's number and =");
    // At most 24 lines, each PCR once.
    if (selection.mask >> *pcr != 0) refuse(lines, "its PCR's number is not above the one before");
    const std::string_view hex = line->substr(equals + 1);
    const auto value =
        hex.size() == 2 * kValueSize && is_capital_hex(hex) ? from_hex(hex) : std::nullopt;
    if (!value) refuse(lines, "its value is not 40 hexadecimal digits, 0-9 and A-F");
    selection.mask |= std::uint32_t{1} << *pcr;
    pcrs.values.emplace_back(*value);
  }
  if (!text.ends_with('\n')) refuse(lines, "its line is not ended");
  pcrs.selections.push_back(selection);
  return pcrs;
}

// A composite begins with the high byte of a size that is at most 3, a text with a digit.
ClaimedPcrs parse_pcrs12(Bytes in, const ClaimedQuote& quote) {
  if (in.empty() || in[0] == 0) return parse_pcr_composite(in);
  if (quote.selections.empty()) {
    throw ParseError(kComposite, 0, "pcrSelection.sizeOfSelect",
                     "not a size: a TPM_QUOTE_INFO needs its TPM_PCR_COMPOSITE");
  }
  return parse_pcrs_text(in, quote.selections.front().size_of_select);
}

std::vector<std::uint8_t> composite_header(const PcrSelection& selection) {
  std::vector<std::uint8_t> out{0, selection.size_of_select};
  for (unsigned i = 0; i < selection.size_of_select; ++i) {
    out.push_back(static_cast<std::uint8_t>(selection.mask >> 8 * i & 0xffU));
  }
  const std::uint32_t size = values_size(selection);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out.push_back(static_cast<std::uint8_t>(size >> shift & 0xffU));
  }
  return out;
}

}  // namespace attest::tpm
