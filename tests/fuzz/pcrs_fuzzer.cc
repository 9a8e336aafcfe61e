// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_pcrs_serialized, parse_pcrs_values, parse_pcrs. Property: writing what
// was read gives the input again, byte for byte; an image read with its own selections is read as
// an image, and its values written bare are read as the same values; an error's offset lies within
// the input.
#include <bit>
#include <cstdlib>

#include "libattest/tpm/pcr.h"

namespace {

using attest::Bytes;
using attest::tpm::ClaimedPcrs;

void require(bool holds) {
  if (!holds) std::abort();
}

class Image {
 public:
  explicit Image(const ClaimedPcrs& pcrs) {
    little(static_cast<std::uint32_t>(pcrs.selections.size()), 4);
    for (std::size_t i = 0; i < 16; ++i) {
      const bool used = i < pcrs.selections.size();
      const attest::tpm::PcrSelection s = used ? pcrs.selections[i] : attest::tpm::PcrSelection{};
      little(s.alg, 2);
      little(s.size_of_select, 1);
      little(s.mask, 4);
      little(0, 1);
    }
    const std::size_t lists = (pcrs.values.size() + 7) / 8;
    little(static_cast<std::uint32_t>(lists), 4);
    for (std::size_t i = 0; i < lists * 8; ++i) {
      const std::size_t left = pcrs.values.size() - (i / 8) * 8;
      if (i % 8 == 0) little(static_cast<std::uint32_t>(left < 8 ? left : 8), 4);
      const attest::crypto::Digest d =
          i < pcrs.values.size() ? pcrs.values[i] : attest::crypto::Digest();
      little(static_cast<std::uint32_t>(d.size()), 2);
      out.insert(out.end(), d.bytes().begin(), d.bytes().end());
      out.insert(out.end(), 64 - d.size(), 0);
    }
  }
  std::vector<std::uint8_t> out;

 private:
  void little(std::uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      out.push_back(static_cast<std::uint8_t>(value >> 8 * i & 0xffU));
    }
  }
};

std::vector<std::uint8_t> bare(const ClaimedPcrs& pcrs) {
  std::vector<std::uint8_t> out;
  for (const auto& v : pcrs.values) out.insert(out.end(), v.bytes().begin(), v.bytes().end());
  return out;
}

bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void image(Bytes in) {
  ClaimedPcrs pcrs;
  try {
    pcrs = attest::tpm::parse_pcrs_serialized(in);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
    return;
  }
  require(equal(Image(pcrs).out, in));
  require(attest::tpm::parse_pcrs(in, pcrs.selections).values == pcrs.values);
  const auto values = bare(pcrs);
  try {
    const ClaimedPcrs again = attest::tpm::parse_pcrs_values(values, pcrs.selections);
    require(equal(bare(again), values));
  } catch (const attest::ParseError& e) {
    require(e.offset() <= values.size());  // a value is not of its bank's size
  }
}

// The first bytes make a selection, the rest are values of it in either form.
void values(Bytes in) {
  if (in.size() < 8) return;
  const std::vector<attest::tpm::PcrSelection> selections{
      {static_cast<std::uint16_t>(in[0]), 4,
       in[1] | std::uint32_t{in[2]} << 8U | std::uint32_t{in[3]} << 16U},
      {static_cast<std::uint16_t>(in[4]), 4, std::uint32_t{in[5]}}};
  const Bytes rest = in.subspan(8);
  require(!attest::tpm::describe(selections).empty());
  try {
    const ClaimedPcrs pcrs = attest::tpm::parse_pcrs(rest, selections);
    require(equal(bare(pcrs), rest) || equal(Image(pcrs).out, rest));
  } catch (const attest::ParseError& e) {
    require(e.offset() <= rest.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  image({data, size});
  values({data, size});
  return 0;
}
