// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/quote.h"

#include <tss2/tss2_tpm2_types.h>

#include "libattest/tpm/quote12.h"
#include "libattest/tpm/tpm2b.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "TPMS_ATTEST";
constexpr std::size_t kMaxAttest = 4096;

constexpr std::size_t kMaxName = sizeof(TPM2B_NAME::name);
constexpr std::size_t kMaxData = sizeof(TPM2B_DATA::buffer);
constexpr std::size_t kMaxDigest = sizeof(TPMU_HA);

static_assert(kGeneratedValue == TPM2_GENERATED_VALUE);
static_assert(kAttestQuote == TPM2_ST_ATTEST_QUOTE);

}  // namespace

ClaimedQuote parse_quote(Bytes attest) {
  if (attest.size() > kMaxAttest) {
    throw ParseError(kFormat, kMaxAttest, kFormat, "larger than 4 KiB");
  }
  if (is_quote12(attest)) return parse_quote12(attest);
  Reader r(attest, kFormat);
  ClaimedQuote q;
  q.raw = attest;
  q.magic = r.u32be("magic");
  q.type = r.u16be("type");
  // `type` selects what `attested` is. Reading another attestation as a quote is how
  // GHSA-gwfg-w3jr-xh66 and, for a foreign magic, CVE-2024-29038 came about.
  if (!q.is_quote()) return q;
  q.qualified_signer = tpm2b(r, kMaxName, "qualifiedSigner");
  q.extra_data = tpm2b(r, kMaxData, "extraData");
  q.clock = r.u64be("clockInfo.clock");
  q.reset_count = r.u32be("clockInfo.resetCount");
  q.restart_count = r.u32be("clockInfo.restartCount");
  const std::uint8_t safe = r.u8("clockInfo.safe");
  if (safe > 1) r.fail("clockInfo.safe", "neither YES nor NO");
  q.clock_safe = safe == 1;
  q.firmware_version = r.u64be("firmwareVersion");
  q.selections = parse_pcr_selections(r);
  q.pcr_digest = tpm2b(r, kMaxDigest, "attested.quote.pcrDigest");
  r.expect_end(kFormat);
  return q;
}

}  // namespace attest::tpm
