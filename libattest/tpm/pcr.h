// SPDX-License-Identifier: Apache-2.0

// PCR selections and PCR values as somebody sent them. Nothing here is verified: values count only
// once verify/ has found them under a quote's signature (verify/quote.h, QuotedPcrs).

#ifndef LIBATTEST_TPM_PCR_H_
#define LIBATTEST_TPM_PCR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"

namespace attest::tpm {

// PC Client platforms have PCRs 0 to 23 (TCG PC Client Platform TPM Profile 1.05, section 4.6).
inline constexpr std::uint32_t kNumPcrs = 24;

// The PCRs that a dynamic launch resets, and nothing else does (section 4.6.2). It extends the
// first, whose value so shows whether there was one.
inline constexpr std::uint32_t kLaunchPcr = 17;
inline constexpr std::uint32_t kLaunchPcrs = 0x7e0000;  // 17 to 22, as a bit map
constexpr bool is_launch_pcr(std::uint32_t pcr) noexcept {
  return pcr < kNumPcrs && (kLaunchPcrs >> pcr & 1U) != 0;
}
// All ones is what these have before a launch. It makes them zero and then extends the first, which
// alone is not zero either; the others may stay so.
bool shows_no_launch(std::uint32_t pcr, const crypto::Digest& value) noexcept;

// TPMS_PCR_SELECTION (TPM 2.0 Library Part 2, rev. 1.59, section 10.6.2).
struct PcrSelection {
  std::uint16_t alg = 0;            // TPM_ALG_ID of the bank, known to us or not
  std::uint8_t size_of_select = 0;  // bytes of the bit map, 0 to 4
  std::uint32_t mask = 0;           // bit n is PCR n
};

// TPML_PCR_SELECTION (section 10.9.7): count, then that many selections, at most 16.
std::vector<PcrSelection> parse_pcr_selections(Reader& r);

// "sha256:0,1,2+sha1:10", for messages.
std::string describe(const std::vector<PcrSelection>& selections);

// Values in the order of their selections, ascending PCR numbers within each.
struct ClaimedPcrs {
  std::vector<PcrSelection> selections;
  std::vector<crypto::Digest> values;
};

// The memory image that `tpm2_quote -o FILE` writes ("-F serialized"): little-endian, fixed blocks,
// unused bytes zero, nothing after it. The number of values equals the number of selected PCRs.
// A value's size is not compared with its bank's here: verify/ does that.
ClaimedPcrs parse_pcrs_serialized(Bytes in);

// Bare values one after the other ("-F values"), for selections that are known from elsewhere:
// exactly the bytes that these need. Values of a bank whose digest size is not known are malformed.
ClaimedPcrs parse_pcrs_values(Bytes in, const std::vector<PcrSelection>& selections);

// Either form, which the size alone tells: bare values where the bytes are as long as the values of
// `selections`, else the serialized form.
ClaimedPcrs parse_pcrs(Bytes in, const std::vector<PcrSelection>& selections);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_PCR_H_
