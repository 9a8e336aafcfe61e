// SPDX-License-Identifier: Apache-2.0

#include "libattest/ek.h"

#include <iterator>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/base/hex.h"
#include "libattest/tpm/ek_certificate.h"

using attest::api::guard;
namespace crypto = attest::crypto;

namespace attest::api {
template <>
inline constexpr std::size_t kFirstSize<attest_chain_options> = offsetof(attest_chain_options,
                                                                         now) +
                                                                sizeof(std::int64_t);
}  // namespace attest::api

namespace {

std::vector<crypto::Certificate> certificates(const attest_bytes* files, std::size_t num_files,
                                              const char* name) {
  if (num_files != 0) attest::api::require(files, name);
  std::vector<crypto::Certificate> out;
  for (std::size_t i = 0; i < num_files; ++i) {
    auto more = crypto::parse_certificates(attest::api::bytes(files[i].data, files[i].len));
    out.insert(out.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
  return out;
}

}  // namespace

extern "C" {

attest_status attest_ek_load(attest_ek** out, const std::uint8_t* public_area,
                             std::size_t public_area_len, const std::uint8_t* certificate,
                             std::size_t certificate_len) {
  return guard([&] {
    attest::api::clear_output(out);
    auto ek = std::make_shared<const attest::tpm::EndorsementKey>(
        attest::tpm::EndorsementKey::load(attest::api::bytes(public_area, public_area_len),
                                          attest::api::bytes(certificate, certificate_len)));
    std::string sha256 = attest::to_hex(ek->sha256().bytes());
    std::string description = ek->key().describe();
    attest::api::give(out, attest_ek{std::move(ek), std::move(sha256), std::move(description)});
  });
}

const char* attest_ek_sha256(const attest_ek* ek) {
  return ek == nullptr ? nullptr : ek->sha256.c_str();
}

const char* attest_ek_describe(const attest_ek* ek) {
  return ek == nullptr ? nullptr : ek->description.c_str();
}

attest_status attest_ek_verify_chain(const attest_ek* ek, const attest_chain_options* options) {
  return guard([&] {
    attest::api::require(ek, "ek");
    const attest_chain_options o = attest::api::options_of(options, ATTEST_CHAIN_OPTIONS_INIT);
    const auto& certificate = ek->ek->certificate();
    if (!certificate) throw attest::RefusedError("the endorsement key has no certificate");
    crypto::ChainOptions chain;
    chain.roots = certificates(o.cas, o.num_cas, "cas");
    chain.intermediates = certificates(o.intermediates, o.num_intermediates, "intermediates");
    chain.now = o.now;
    attest::tpm::verify_ek_certificate(*certificate, chain);
  });
}

void attest_ek_free(attest_ek* ek) { delete ek; }

}  // extern "C"
