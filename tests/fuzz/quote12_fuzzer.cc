// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_quote of what a TPM 1.2 signs. Property: the fields that are kept,
// written again with the bytes that are not, are the input; an error's offset lies within the
// input.
#include <algorithm>
#include <cstdlib>

#include "libattest/tpm/pcr12.h"
#include "libattest/tpm/quote12.h"

namespace {

using attest::Bytes;

void require(bool holds) {
  if (!holds) std::abort();
}

void append(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// A selection and the size of its values, without the size.
std::vector<std::uint8_t> selection(const attest::tpm::PcrSelection& s) {
  std::vector<std::uint8_t> out = attest::tpm::composite_header(s);
  out.resize(out.size() - 4);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in(data, size);
  if (!attest::tpm::is_quote12(in)) return 0;
  attest::tpm::ClaimedQuote q;
  try {
    q = attest::tpm::parse_quote(in);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= size);
    return 0;
  }
  require(q.is_tpm12() && q.is_quote() && q.raw.data() == data && q.raw.size() == size);
  require(q.extra_data.size() == attest::tpm::kNonce12Size && q.pcr_digest.size() == 20);
  require(q.magic == 0 && q.type == 0 && q.qualified_signer.empty());
  std::vector<std::uint8_t> again;
  if (q.format == attest::tpm::QuoteFormat::kQuoteInfo) {
    require(q.selections.empty());
    append(again, in.first(8));
    append(again, q.pcr_digest);
    append(again, q.extra_data);
  } else {
    require(q.selections.size() == 1 && q.selections[0].mask >> 24U == 0);
    append(again, in.first(6));
    append(again, q.extra_data);
    append(again, selection(q.selections[0]));
    append(again, in.subspan(again.size(), 1));
    append(again, q.pcr_digest);
    append(again, in.subspan(again.size()));
  }
  require(std::equal(again.begin(), again.end(), in.begin(), in.end()));
  return 0;
}
