// SPDX-License-Identifier: Apache-2.0

// The quote string of Keylime's agent API: "r" base64(TPMS_ATTEST) ":" base64(TPMT_SIGNATURE) ":"
// base64(PCR values as tpm2_quote -o writes them). API 1.0 (Keylime up to 6.2) compresses each part
// with zlib first.

#ifndef LIBATTEST_TPM_KEYLIME_QUOTE_H_
#define LIBATTEST_TPM_KEYLIME_QUOTE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"

namespace attest::tpm {

struct KeylimeQuote {
  std::vector<std::uint8_t> attest;
  std::vector<std::uint8_t> signature;
  std::vector<std::uint8_t> pcrs;
  bool compressed = false;
};

// All of `text`, at most 64 KiB. Each part inflates to at most 4 KiB; a zlib stream that is cut,
// damaged, longer, or followed by anything is malformed. Either all parts are compressed or none
// is.
KeylimeQuote parse_keylime_quote(std::string_view text);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_KEYLIME_QUOTE_H_
