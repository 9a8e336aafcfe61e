// SPDX-License-Identifier: Apache-2.0

// What a TPM signs when it is asked for a quote: TPMS_ATTEST (TPM 2.0 Library, Part 2: Structures,
// rev. 1.59, section 10.12), or a TPM 1.2's structures (tpm/quote12.h).

#ifndef LIBATTEST_TPM_QUOTE_H_
#define LIBATTEST_TPM_QUOTE_H_

#include <cstdint>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/tpm/pcr.h"

namespace attest::tpm {

inline constexpr std::uint32_t kGeneratedValue = 0xff544347;  // section 6.2 TPM_GENERATED_VALUE
inline constexpr std::uint16_t kAttestQuote = 0x8018;         // section 6.9 TPM_ST_ATTEST_QUOTE

// What a quote is written as. Numbers are part of the C ABI (attest_quote_format).
enum class QuoteFormat : std::uint8_t {
  kAttest = 1,      // TPM 2.0: TPMS_ATTEST
  kQuoteInfo = 2,   // TPM 1.2, TPM_Quote: TPM_QUOTE_INFO
  kQuoteInfo2 = 3,  // TPM 1.2, TPM_Quote2: TPM_QUOTE_INFO2
};

// A parsed quote: the sender's claims, until verify/ has checked the signature over `raw`.
// The Bytes are views into the input.
struct ClaimedQuote {
  Bytes raw;
  QuoteFormat format = QuoteFormat::kAttest;
  std::uint32_t magic = 0;  // zero, as the type is, in what a TPM 1.2 signs
  std::uint16_t type = 0;

  // Read only when magic and type are a quote's: other attestations have other fields here. A TPM
  // 1.2 has neither names nor a clock: what is only of those stays empty.
  Bytes qualified_signer;   // TPM2B_NAME
  Bytes extra_data;         // TPM2B_DATA, TPM_NONCE: the verifier's nonce
  std::uint64_t clock = 0;  // milliseconds that the TPM was powered
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool clock_safe = false;
  std::uint64_t firmware_version = 0;
  std::vector<PcrSelection> selections;  // none in TPM_QUOTE_INFO: they come with the values
  Bytes pcr_digest;                      // a TPM 1.2's is of a TPM_PCR_COMPOSITE

  bool is_tpm12() const noexcept { return format != QuoteFormat::kAttest; }
  bool is_quote() const noexcept {
    return is_tpm12() || (magic == kGeneratedValue && type == kAttestQuote);
  }
};

// Parses all of `attest` (at most 4 KiB), of the format that its first bytes say. With a wrong
// magic or type the result says so and holds nothing else; everything else that is not exactly one
// quote throws ParseError.
ClaimedQuote parse_quote(Bytes attest);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_QUOTE_H_
