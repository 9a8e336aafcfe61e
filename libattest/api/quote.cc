// SPDX-License-Identifier: Apache-2.0

#include "libattest/quote.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/verify/quote.h"

using attest::api::guard;

struct attest_quote {
  attest::verify::QuoteEvidence evidence;
};

namespace attest::api {
template <>
inline constexpr std::size_t kFirstSize<attest_quote_info> = offsetof(attest_quote_info,
                                                                      firmware_version) +
                                                             sizeof(std::uint64_t);
template <>
inline constexpr std::size_t kFirstSize<attest_quote_options> = offsetof(attest_quote_options,
                                                                         allow_sha1) +
                                                                sizeof(int);
}  // namespace attest::api

extern "C" {

attest_status attest_quote_parse(attest_quote** out, const std::uint8_t* attest,
                                 std::size_t attest_len, const std::uint8_t* signature,
                                 std::size_t signature_len, const std::uint8_t* pcrs,
                                 std::size_t pcrs_len) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_quote{attest::verify::QuoteEvidence::parse(
                               attest::api::bytes(attest, attest_len),
                               attest::api::bytes(signature, signature_len),
                               attest::api::bytes(pcrs, pcrs_len))});
  });
}

attest_status attest_quote_parse_keylime(attest_quote** out, const char* text,
                                         std::size_t text_len) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_quote{attest::verify::QuoteEvidence::parse_keylime(
                               attest::api::text(text, text_len))});
  });
}

attest_status attest_quote_get_info(attest_quote_info* out, const attest_quote* quote) {
  return guard([&] {
    attest::api::require(quote, "quote");
    const attest::tpm::ClaimedQuote& q = quote->evidence.quote();
    attest_quote_info info = ATTEST_QUOTE_INFO_INIT;
    info.magic = q.magic;
    info.type = q.type;
    info.format = static_cast<attest_quote_format>(q.format);
    if (q.is_quote()) {
      info.nonce = q.extra_data.data();
      info.nonce_len = q.extra_data.size();
      info.signer = q.qualified_signer.data();
      info.signer_len = q.qualified_signer.size();
      info.clock = q.clock;
      info.reset_count = q.reset_count;
      info.restart_count = q.restart_count;
      info.clock_safe = q.clock_safe ? 1 : 0;
      info.firmware_version = q.firmware_version;
    }
    attest::api::fill(out, info);
  });
}

attest_status attest_quote_pcrs(attest_pcrs** out, const attest_quote* quote) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(quote, "quote");
    attest::api::give(out, attest::api::to_pcrs(quote->evidence.pcrs()));
  });
}

attest_status attest_quote_verify(attest_report** out, const attest_quote* quote,
                                  const attest_key* key, const attest_quote_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(quote, "quote");
    attest::api::require(key, "key");
    const attest_quote_options o = attest::api::options_of(options, ATTEST_QUOTE_OPTIONS_INIT);
    attest::api::give(out, attest_report{attest::verify::appraise_quote(
                               quote->evidence, *key->key, attest::api::bytes(o.nonce, o.nonce_len),
                               attest::api::flag_of(o.allow_sha1, "allow_sha1"))});
  });
}

void attest_quote_free(attest_quote* quote) { delete quote; }

}  // extern "C"
