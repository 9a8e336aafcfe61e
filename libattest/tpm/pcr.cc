// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/pcr.h"

#include <tss2/tss2_tpm2_types.h>

#include <array>
#include <bit>
#include <optional>

#include "libattest/base/hex.h"

namespace attest::tpm {
namespace {

constexpr std::uint32_t kMaxBanks = TPM2_NUM_PCR_BANKS;
constexpr std::uint8_t kMaxSelect = TPM2_PCR_SELECT_MAX;

// The image of tpm2-tools: a TPML_PCR_SELECTION with all its slots, a count of lists, and that many
// TPML_DIGESTs with all theirs, as tpm2-tss lays these structures out in memory.
constexpr std::string_view kImage = "PCR values (serialized)";
constexpr std::uint32_t kDigestsPerList = 8;
constexpr std::size_t kDigestRoom = crypto::kMaxDigestSize;
constexpr std::size_t kImageHeader = sizeof(TPML_PCR_SELECTION) + 4;
constexpr std::size_t kImageList = sizeof(TPML_DIGEST);
constexpr std::uint8_t kImageSelect = 3;  // tpm2-tools selects among 24 PCRs
static_assert(kImageHeader == 136 && kImageList == 532);

constexpr std::string_view kValues = "PCR values";

void expect_zero(Reader& r, std::size_t n, std::string_view field) {
  std::uint8_t any = 0;
  for (const std::uint8_t b : r.take(n, field)) any |= b;
  if (any != 0) r.fail(field, "unused bytes are not zero");
}

std::uint32_t to_mask(Bytes bit_map) noexcept {
  std::uint32_t mask = 0;
  unsigned shift = 0;
  for (const std::uint32_t byte : bit_map) {
    mask |= byte << shift;
    shift += 8;
  }
  return mask;
}

std::size_t num_selected(const std::vector<PcrSelection>& selections) noexcept {
  std::size_t n = 0;
  for (const PcrSelection& s : selections) n += static_cast<std::size_t>(std::popcount(s.mask));
  return n;
}

// One TPMS_PCR_SELECTION of the image: hash, sizeofSelect, pcrSelect[4], a byte of padding.
PcrSelection image_selection(Reader& r) {
  PcrSelection s;
  s.alg = r.u16le("pcrSelections.hash");
  s.size_of_select = r.u8("pcrSelections.sizeofSelect");
  // Zero would let the count take in a slot that is not used: one set would have many spellings.
  if (s.size_of_select != kImageSelect) r.fail("pcrSelections.sizeofSelect", "not 3");
  s.mask = to_mask(r.take(s.size_of_select, "pcrSelections.pcrSelect"));
  expect_zero(r, std::size_t{5} - s.size_of_select, "pcrSelections.pcrSelect");
  return s;
}

// One TPM2B_DIGEST of the image: size, and room for the largest digest.
crypto::Digest image_digest(Reader& r) {
  const std::uint16_t size = r.u16le("digests.size");
  if (size > kDigestRoom) r.fail("digests.size", "larger than its type allows");
  const crypto::Digest digest(r.take(size, "digests.buffer"));
  expect_zero(r, kDigestRoom - size, "digests.buffer");
  return digest;
}

// Size of the values that `selections` select; nothing when a bank's is not known.
std::optional<std::size_t> values_size(const std::vector<PcrSelection>& selections) noexcept {
  std::size_t size = 0;
  for (const PcrSelection& s : selections) {
    if (s.mask == 0) continue;
    const std::optional<crypto::Hash> hash = crypto::hash_from_id(s.alg);
    if (!hash) return std::nullopt;
    size += static_cast<std::size_t>(std::popcount(s.mask)) * crypto::hash_size(*hash);
  }
  return size;
}

bool has_image_size(std::size_t size) noexcept {
  return size >= kImageHeader && (size - kImageHeader) % kImageList == 0;
}

std::string bank_name(std::uint16_t alg) {
  if (const std::optional<crypto::Hash> hash = crypto::hash_from_id(alg)) {
    return std::string(crypto::hash_name(*hash));
  }
  const std::array<std::uint8_t, 2> id{static_cast<std::uint8_t>(alg >> 8U),
                                       static_cast<std::uint8_t>(alg & 0xffU)};
  return "0x" + to_hex(id);
}

}  // namespace

std::vector<PcrSelection> parse_pcr_selections(Reader& r) {
  const std::uint32_t count = r.u32be("pcrSelect.count");
  if (count > kMaxBanks) r.fail("pcrSelect.count", "more than 16 selections");
  std::vector<PcrSelection> selections;
  for (std::uint32_t i = 0; i < count; ++i) {
    PcrSelection s;
    s.alg = r.u16be("pcrSelect.hash");
    s.size_of_select = r.u8("pcrSelect.sizeofSelect");
    if (s.size_of_select > kMaxSelect) r.fail("pcrSelect.sizeofSelect", "more than 32 PCRs");
    s.mask = to_mask(r.take(s.size_of_select, "pcrSelect.pcrSelect"));
    selections.push_back(s);
  }
  return selections;
}

std::string describe(const std::vector<PcrSelection>& selections) {
  std::string out;
  for (const PcrSelection& s : selections) {
    if (!out.empty()) out.push_back('+');
    out.append(bank_name(s.alg));
    char separator = ':';
    for (unsigned pcr = 0; pcr < 32; ++pcr) {
      if ((s.mask >> pcr & 1U) == 0) continue;
      out.push_back(separator);
      out.append(std::to_string(pcr));
      separator = ',';
    }
    if (s.mask == 0) out.append(":none");
  }
  return out.empty() ? "none" : out;
}

ClaimedPcrs parse_pcrs_serialized(Bytes in) {
  Reader r(in, kImage);
  ClaimedPcrs pcrs;
  const std::uint32_t count = r.u32le("pcrSelections.count");
  if (count > kMaxBanks) r.fail("pcrSelections.count", "more than 16 selections");
  for (std::uint32_t i = 0; i < count; ++i) pcrs.selections.push_back(image_selection(r));
  expect_zero(r, (kMaxBanks - count) * sizeof(TPMS_PCR_SELECTION), "pcrSelections");

  const std::size_t values = num_selected(pcrs.selections);
  const std::uint32_t lists = r.u32le("number of digest lists");
  if (lists != (values + kDigestsPerList - 1) / kDigestsPerList) {
    r.fail("number of digest lists", "not what the selected PCRs need");
  }
  pcrs.values.reserve(values);
  for (std::uint32_t i = 0; i < lists; ++i) {
    const std::size_t left = values - pcrs.values.size();
    const std::uint32_t digests = r.u32le("digests.count");
    if (digests != (left < kDigestsPerList ? left : kDigestsPerList)) {
      r.fail("digests.count", "not one for each selected PCR");
    }
    for (std::uint32_t k = 0; k < digests; ++k) pcrs.values.push_back(image_digest(r));
    expect_zero(r, (kDigestsPerList - digests) * sizeof(TPM2B_DIGEST), "digests");
  }
  r.expect_end(kImage);
  return pcrs;
}

ClaimedPcrs parse_pcrs_values(Bytes in, const std::vector<PcrSelection>& selections) {
  Reader r(in, kValues);
  const std::optional<std::size_t> size = values_size(selections);
  if (!size) r.fail("values", "of a bank whose digests' size is not known");
  if (in.size() != *size) {
    r.fail("values", "not the " + std::to_string(*size) + " bytes that the selection needs");
  }
  ClaimedPcrs pcrs;
  pcrs.selections = selections;
  pcrs.values.reserve(num_selected(selections));
  for (const PcrSelection& s : selections) {
    for (int left = std::popcount(s.mask); left > 0; --left) {
      const std::size_t digest = crypto::hash_size(*crypto::hash_from_id(s.alg));
      pcrs.values.emplace_back(r.take(digest, "value"));
    }
  }
  r.expect_end(kValues);
  return pcrs;
}

bool shows_no_launch(std::uint32_t pcr, const crypto::Digest& value) noexcept {
  return (is_launch_pcr(pcr) && value.all(0xff)) || (pcr == kLaunchPcr && value.all(0x00));
}

// The size alone decides, so no input is read both ways. An image with the selections given never
// has the size of their bare values: its lists take 532 bytes for eight values of at most 64. Where
// the sizes do coincide, the image is one of other PCRs than were asked for; it is then read as
// values, which are not those of the quote.
ClaimedPcrs parse_pcrs(Bytes in, const std::vector<PcrSelection>& selections) {
  const std::optional<std::size_t> size = values_size(selections);
  if (size && in.size() == *size) return parse_pcrs_values(in, selections);
  if (has_image_size(in.size())) return parse_pcrs_serialized(in);
  throw ParseError(
      kValues, in.size(), "values",
      "neither of the serialized form nor as long as the values of " + describe(selections));
}

}  // namespace attest::tpm
