// SPDX-License-Identifier: Apache-2.0

// A whole appraisal of a list of 300,000 entries against the three digests an entry that it takes.

#include <benchmark/benchmark.h>

#include "libattest/verify/appraise.h"
#include "tests/bench/generate.h"
#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

using bench::Digest;
using bench::Hash;
using bench::Hasher;

constexpr std::size_t kEntries = 300000;
constexpr std::size_t kFiles = 100000;

struct Setup {
  Setup() : input(bench::make_ima(kEntries, kFiles, aggregate())) {
    const Signer signer = Signer::rsa();
    PcrValues values{{0x000b, {}}};
    for (std::uint32_t pcr = 0; pcr < 10; ++pcr) values[0].second[pcr] = Octets(32, 7);
    values[0].second[10].assign(input.sha256.bytes().begin(), input.sha256.bytes().end());
    const Octets attest = make_attest(quote_of(values));
    evidence.key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(signer.tpm2b_public()));
    evidence.quote =
        attest::verify::QuoteEvidence::parse(attest, signer.sign(attest), make_pcrs(values));
    evidence.ima.emplace().bytes = input.list;
    policy.ima.emplace().rules = std::make_shared<const attest::policy::RuntimePolicy>(
        attest::policy::parse_allowlist(input.allowlist, {}, {}, {}));
  }

  static Digest aggregate() {
    Hasher sha256(Hash::kSha256);
    return sha256(Octets(320, 7));
  }

  bench::ImaInput input;
  attest::verify::Evidence evidence;
  attest::policy::Policy policy;
  const Octets nonce = Octets(20, 0x5a);
};

const Setup& setup() {
  static const Setup s;
  return s;
}

void bare(benchmark::State& state) {
  const Setup& s = setup();
  Hasher sha1(Hash::kSha1);
  Hasher sha256(Hash::kSha256);
  for (auto _ : state) {
    Digest pcr = Digest::filled(32, 0);
    for (const auto& [at, size] : s.input.data) {
      const attest::Bytes data = attest::Bytes(s.input.list).subspan(at, size);
      benchmark::DoNotOptimize(sha1(data));
      const Digest digest = sha256(data);
      sha256.into(pcr.resize(32), {pcr.bytes(), digest.bytes()});
    }
    if (pcr != s.input.sha256) state.SkipWithError("the PCR is wrong");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
}

void appraise(benchmark::State& state, bool with_policy) {
  const Setup& s = setup();
  for (auto _ : state) {
    const attest::policy::Report report = attest::verify::appraise(
        s.evidence, with_policy ? &s.policy : nullptr, nullptr, {s.nonce, 0});
    const bool good = with_policy ? report.verdict == attest::policy::Verdict::kTrusted
                                  : report.claims.ima_entries == kEntries;
    if (!good) state.SkipWithError("the list was not accepted");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
}

BENCHMARK(bare)->Name("ima_300k/bare")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(appraise, policy, true)->Name("ima_300k/policy")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(appraise, replay, false)->Name("ima_300k/replay")->Unit(benchmark::kMillisecond);

}  // namespace
