// SPDX-License-Identifier: Apache-2.0

// PCR selections and values of a TPM 1.2, as somebody sent them. TPM Main Specification 1.2 (rev.
// 116), Part 2: Structures, section 8. Its PCRs are one bank, of SHA-1.

#ifndef LIBATTEST_TPM_PCR12_H_
#define LIBATTEST_TPM_PCR12_H_

#include <cstdint>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/tpm/pcr.h"
#include "libattest/tpm/quote.h"

namespace attest::tpm {

// TPM_PCR_SELECTION (section 8.1): a bit map of at most 3 bytes.
PcrSelection parse_pcr_selection12(Reader& r);

// All of `in` is one TPM_PCR_COMPOSITE (section 8.2): a selection and the values of its PCRs.
ClaimedPcrs parse_pcr_composite(Bytes in);

// What `tpm_getquote -p FILE` of tpm-quote-tools writes: lines like "10=552E88…", PCR numbers
// ascending, 40 capital digits, a newline after each. `size_of_select` is the quote's: the text has
// none.
ClaimedPcrs parse_pcrs_text(Bytes in, std::uint8_t size_of_select);

// Either of the two, which the first byte tells, for a TPM 1.2's quote. With a TPM_QUOTE_INFO only
// the composite will do: its digest covers how long the bit map was, which nothing else says.
ClaimedPcrs parse_pcrs12(Bytes in, const ClaimedQuote& quote);

// The bytes of a TPM_PCR_COMPOSITE that stand before its values.
std::vector<std::uint8_t> composite_header(const PcrSelection& selection);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_PCR12_H_
