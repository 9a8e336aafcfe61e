// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_quote. Property: what we accept as a quote tpm2-tss accepts too, reads
// the same, and marshals to the same bytes; an error's offset lies within the input.
#include <tss2/tss2_mu.h>

#include <algorithm>
#include <cstdlib>

#include "libattest/tpm/quote.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <std::size_t N>
bool same(attest::Bytes ours, const BYTE (&theirs)[N], UINT16 size) {
  return size <= N && std::equal(ours.begin(), ours.end(), theirs, theirs + size);
}

void compare(const attest::tpm::ClaimedQuote& q, const TPMS_ATTEST& t) {
  require(t.magic == q.magic && t.type == q.type);
  require(same(q.qualified_signer, t.qualifiedSigner.name, t.qualifiedSigner.size));
  require(same(q.extra_data, t.extraData.buffer, t.extraData.size));
  require(t.clockInfo.clock == q.clock && t.clockInfo.resetCount == q.reset_count &&
          t.clockInfo.restartCount == q.restart_count && (t.clockInfo.safe != 0) == q.clock_safe &&
          t.firmwareVersion == q.firmware_version);
  const TPML_PCR_SELECTION& list = t.attested.quote.pcrSelect;
  require(list.count == q.selections.size());
  for (std::size_t i = 0; i < q.selections.size(); ++i) {
    const TPMS_PCR_SELECTION& s = list.pcrSelections[i];
    require(s.hash == q.selections[i].alg && s.sizeofSelect == q.selections[i].size_of_select);
    std::uint32_t mask = 0;
    for (unsigned k = 0; k < s.sizeofSelect; ++k) mask |= std::uint32_t{s.pcrSelect[k]} << 8 * k;
    require(mask == q.selections[i].mask);
  }
  const TPM2B_DIGEST& digest = t.attested.quote.pcrDigest;
  require(same(q.pcr_digest, digest.buffer, digest.size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  attest::tpm::ClaimedQuote q;
  try {
    q = attest::tpm::parse_quote({data, size});
  } catch (const attest::ParseError& e) {
    require(e.offset() <= size);
    return 0;
  }
  require(q.raw.data() == data && q.raw.size() == size);
  if (q.is_tpm12()) return 0;  // quote12_fuzzer's
  if (!q.is_quote()) {
    require(q.extra_data.empty() && q.selections.empty() && q.pcr_digest.empty());
    return 0;
  }
  TPMS_ATTEST theirs{};
  std::size_t offset = 0;
  require(Tss2_MU_TPMS_ATTEST_Unmarshal(data, size, &offset, &theirs) == TSS2_RC_SUCCESS);
  require(offset == size);
  compare(q, theirs);
  std::vector<std::uint8_t> again(size);
  offset = 0;
  require(Tss2_MU_TPMS_ATTEST_Marshal(&theirs, again.data(), again.size(), &offset) ==
          TSS2_RC_SUCCESS);
  require(offset == size && std::equal(again.begin(), again.end(), data));
  return 0;
}
