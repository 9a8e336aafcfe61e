// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_pcrs12. The first byte is the sizeOfSelect of the quote, or says that
// it has none. Property: writing what was read gives the input again, byte for byte; an error's
// offset lies within the input.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/tpm/pcr12.h"

namespace {

using attest::Bytes;
using attest::tpm::ClaimedPcrs;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::uint8_t> composite(const ClaimedPcrs& pcrs) {
  std::vector<std::uint8_t> out = attest::tpm::composite_header(pcrs.selections[0]);
  for (const auto& v : pcrs.values) out.insert(out.end(), v.bytes().begin(), v.bytes().end());
  return out;
}

std::string text(const ClaimedPcrs& pcrs) {
  std::string out;
  auto value = pcrs.values.begin();
  for (unsigned pcr = 0; pcr < 32; ++pcr) {
    if ((pcrs.selections[0].mask >> pcr & 1U) == 0) continue;
    std::string hex = attest::to_hex(value++->bytes());
    for (char& c : hex) {
      if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    }
    out.append(std::to_string(pcr)).append("=").append(hex).append("\n");
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  attest::tpm::ClaimedQuote quote;
  if (data[0] < 4) quote.selections = {{0x0004, data[0], 0}};
  const Bytes in = Bytes(data, size).subspan(1);
  try {
    const ClaimedPcrs pcrs = attest::tpm::parse_pcrs12(in, quote);
    require(pcrs.selections.size() == 1 && pcrs.values.size() <= attest::tpm::kNumPcrs);
    if (in[0] == 0) {
      const auto again = composite(pcrs);
      require(std::equal(again.begin(), again.end(), in.begin(), in.end()));
    } else {
      require(text(pcrs) == attest::as_text(in));
      require(pcrs.selections[0].size_of_select == data[0]);
    }
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
  }
  return 0;
}
