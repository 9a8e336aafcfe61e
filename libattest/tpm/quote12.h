// SPDX-License-Identifier: Apache-2.0

// TPM_QUOTE_INFO and TPM_QUOTE_INFO2: what a TPM 1.2 signs when it is asked for a quote. TPM Main
// Specification 1.2 (rev. 116), Part 2: Structures, sections 11.3 and 11.4.

#ifndef LIBATTEST_TPM_QUOTE12_H_
#define LIBATTEST_TPM_QUOTE12_H_

#include "libattest/base/reader.h"
#include "libattest/tpm/quote.h"

namespace attest::tpm {

// externalData is a TPM_NONCE (section 5.5), nothing longer or shorter.
inline constexpr std::size_t kNonce12Size = 20;

// Whether `in` begins as one of the two: a version or tag and four letters. Nothing else that an
// identity key of a TPM 1.2 signs begins so (sections 11.1 and 11.2: there a key's usage and
// flags follow), and no TPMS_ATTEST does.
bool is_quote12(Bytes in) noexcept;

// Parses all of `in`, for which is_quote12 holds. The TPM_CAP_VERSION_INFO that TPM_Quote2 appends
// when it is asked to is a part of what is signed; it is read, and nothing of it is kept.
ClaimedQuote parse_quote12(Bytes in);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_QUOTE12_H_
