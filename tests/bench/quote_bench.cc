// SPDX-License-Identifier: Apache-2.0

// A quote's verification against OpenSSL's bare EVP_DigestVerify of the same message and key.

#include <benchmark/benchmark.h>

#include "libattest/verify/appraise.h"
#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

// A node's quote: 24 PCRs of SHA-256.
struct Setup {
  explicit Setup(Signer key) : signer(std::move(key)) {
    PcrValues values{{0x000b, {}}};
    for (std::uint32_t pcr = 0; pcr < 24; ++pcr) values[0].second[pcr] = Octets(32, 7);
    attest = make_attest(quote_of(values));
    signature = signer.sign(attest);
    raw = signer.sign_raw(attest);
    pcrs = make_pcrs(values);
    ak = signer.tpm2b_public();
  }
  Signer signer;
  Octets attest, signature, raw, pcrs, ak;
  const Octets nonce = Octets(20, 0x5a);
};

const Setup& rsa() {
  static const Setup setup(Signer::rsa());
  return setup;
}
const Setup& p256() {
  static const Setup setup(Signer::ec("P-256"));
  return setup;
}

void bare(benchmark::State& state, const Setup& s) {
  EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  for (auto _ : state) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const bool good = EVP_DigestVerifyInit(context, nullptr, md, nullptr, s.signer.key()) == 1 &&
                      EVP_DigestVerify(context, s.raw.data(), s.raw.size(), s.attest.data(),
                                       s.attest.size()) == 1;
    EVP_MD_CTX_free(context);
    if (!good) state.SkipWithError("the signature does not verify");
  }
  EVP_MD_free(md);
}

void verify(benchmark::State& state, const Setup& s, const attest::tpm::AttestationKey& key) {
  const auto quote = attest::verify::QuoteEvidence::parse(s.attest, s.signature, s.pcrs);
  const attest::policy::Report report = attest::verify::appraise_quote(quote, key, s.nonce, false);
  if (!report.claims.quote_verified) state.SkipWithError("the quote is not verified");
}

void loaded(benchmark::State& state, const Setup& s) {
  const auto key = attest::tpm::AttestationKey::load(s.ak);
  for (auto _ : state) verify(state, s, key);
}

void with_key(benchmark::State& state, const Setup& s) {
  for (auto _ : state) verify(state, s, attest::tpm::AttestationKey::load(s.ak));
}

BENCHMARK_CAPTURE(bare, quote_rsa, rsa())->Name("quote_rsa2048/bare");
BENCHMARK_CAPTURE(loaded, quote_rsa, rsa())->Name("quote_rsa2048/loaded_key");
BENCHMARK_CAPTURE(with_key, quote_rsa, rsa())->Name("quote_rsa2048/tpm2b_key");
BENCHMARK_CAPTURE(bare, quote_p256, p256())->Name("quote_p256/bare");
BENCHMARK_CAPTURE(loaded, quote_p256, p256())->Name("quote_p256/loaded_key");
BENCHMARK_CAPTURE(with_key, quote_p256, p256())->Name("quote_p256/tpm2b_key");

}  // namespace
