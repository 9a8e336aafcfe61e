// SPDX-License-Identifier: Apache-2.0

// TPMS_ATTEST: what a TPM signs. TPM 2.0 Library, Part 2: Structures, rev. 1.59, section 10.12.

#ifndef LIBATTEST_TPM_QUOTE_H_
#define LIBATTEST_TPM_QUOTE_H_

#include <cstdint>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/tpm/pcr.h"

namespace attest::tpm {

inline constexpr std::uint32_t kGeneratedValue = 0xff544347;  // section 6.2 TPM_GENERATED_VALUE
inline constexpr std::uint16_t kAttestQuote = 0x8018;         // section 6.9 TPM_ST_ATTEST_QUOTE

// A parsed quote: the sender's claims, until verify/ has checked the signature over `raw`.
// The Bytes are views into the input.
struct ClaimedQuote {
  Bytes raw;
  std::uint32_t magic = 0;
  std::uint16_t type = 0;

  // Read only when magic and type are a quote's: other attestations have other fields here.
  Bytes qualified_signer;   // TPM2B_NAME
  Bytes extra_data;         // TPM2B_DATA: the verifier's nonce
  std::uint64_t clock = 0;  // milliseconds that the TPM was powered
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool clock_safe = false;
  std::uint64_t firmware_version = 0;
  std::vector<PcrSelection> selections;
  Bytes pcr_digest;

  bool is_quote() const noexcept { return magic == kGeneratedValue && type == kAttestQuote; }
};

// Parses all of `attest` (at most 4 KiB). With a wrong magic or type the result says so and holds
// nothing else; everything else that is not exactly one quote throws ParseError.
ClaimedQuote parse_quote(Bytes attest);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_QUOTE_H_
