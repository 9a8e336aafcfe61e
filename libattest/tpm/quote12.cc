// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/quote12.h"

#include <algorithm>
#include <array>

#include "libattest/tpm/pcr12.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "TPM_QUOTE_INFO";
constexpr std::string_view kFormat2 = "TPM_QUOTE_INFO2";
constexpr std::size_t kDigestSize = 20;  // section 5.4 TPM_DIGEST: SHA-1

// Section 5.1 TPM_STRUCT_VER: 1, 1, 0, 0 in whatever has one; section 11.3: the letters.
constexpr std::array<std::uint8_t, 8> kQuote{1, 1, 0, 0, 'Q', 'U', 'O', 'T'};
// Section 2.2 TPM_TAG_QUOTE_INFO2; section 11.4: the letters.
constexpr std::array<std::uint8_t, 6> kQuote2{0x00, 0x36, 'Q', 'U', 'T', '2'};
constexpr std::uint16_t kTagVersionInfo = 0x0030;   // section 3.1 TPM_TAG_CAP_VERSION_INFO
constexpr std::uint8_t kReservedLocalities = 0xe0;  // section 8.6 TPM_LOCALITY_SELECTION

template <std::size_t N>
bool begins_with(Bytes in, const std::array<std::uint8_t, N>& front) noexcept {
  return in.size() >= N && std::equal(front.begin(), front.end(), in.begin());
}

// Section 8.5 TPM_PCR_INFO_SHORT. Whoever is at whatever locality gets the same PCR values: the
// locality says who asked and changes nothing, as long as it is one.
void pcr_info_short(Reader& r, ClaimedQuote& q) {
  q.selections.push_back(parse_pcr_selection12(r));
  const std::uint8_t locality = r.u8("infoShort.localityAtRelease");
  if (locality == 0 || (locality & kReservedLocalities) != 0) {
    r.fail("infoShort.localityAtRelease", "names no locality or one above 4");
  }
  q.pcr_digest = r.take(kDigestSize, "infoShort.digestAtRelease");
}

// Section 21.6 TPM_CAP_VERSION_INFO.
void version_info(Reader& r) {
  if (r.u16be("versionInfo.tag") != kTagVersionInfo) {
    r.fail("versionInfo.tag", "not TPM_TAG_CAP_VERSION_INFO");
  }
  r.take(4, "versionInfo.version");
  r.u16be("versionInfo.specLevel");
  r.u8("versionInfo.errataRev");
  r.take(4, "versionInfo.tpmVendorID");
  r.take(r.u16be("versionInfo.vendorSpecificSize"), "versionInfo.vendorSpecific");
}

ClaimedQuote quote_info(Bytes in) {
  Reader r(in, kFormat);
  ClaimedQuote q;
  q.format = QuoteFormat::kQuoteInfo;
  q.raw = in;
  r.take(kQuote.size(), "version and fixed");
  q.pcr_digest = r.take(kDigestSize, "digestValue");
  q.extra_data = r.take(kNonce12Size, "externalData");
  r.expect_end(kFormat);
  return q;
}

ClaimedQuote quote_info2(Bytes in) {
  Reader r(in, kFormat2);
  ClaimedQuote q;
  q.format = QuoteFormat::kQuoteInfo2;
  q.raw = in;
  r.take(kQuote2.size(), "tag and fixed");
  q.extra_data = r.take(kNonce12Size, "externalData");
  pcr_info_short(r, q);
  if (!r.done()) version_info(r);
  r.expect_end(kFormat2);
  return q;
}

}  // namespace

bool is_quote12(Bytes in) noexcept { return begins_with(in, kQuote) || begins_with(in, kQuote2); }

ClaimedQuote parse_quote12(Bytes in) {
  return begins_with(in, kQuote) ? quote_info(in) : quote_info2(in);
}

}  // namespace attest::tpm
