// SPDX-License-Identifier: Apache-2.0

// Active nodes: a quote and 50 new entries, with the node's state in memory; and what it costs to
// store that.

#include <benchmark/benchmark.h>

#include "libattest/verify/appraise.h"
#include "tests/bench/active_node.h"
#include "tests/support/evidence.h"

namespace {

using attest::verify::NodeState;

struct Setup {
  explicit Setup(const Signer& signer) : node(signer) {
    key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(node.ak));
    policy.ima.emplace().rules = std::make_shared<const attest::policy::RuntimePolicy>(
        attest::policy::parse_allowlist(node.allowlist, {}, {}, {}));
    if (!appraise(0, booted)) throw std::runtime_error("the first round is not trusted");
  }

  bool appraise(std::size_t round, NodeState& state) const {
    const auto& r = node.rounds[round];
    attest::verify::Evidence evidence;
    evidence.key = key;
    evidence.quote = attest::verify::QuoteEvidence::parse(r.attest, r.signature, r.pcrs);
    evidence.ima.emplace().bytes = r.list;
    evidence.ima->first_entry = r.first_entry;
    return attest::verify::appraise(evidence, &policy, &state, {node.nonce, 0}).verdict ==
           attest::policy::Verdict::kTrusted;
  }

  bench::ActiveNode node;
  std::shared_ptr<const attest::tpm::AttestationKey> key;
  attest::policy::Policy policy;
  NodeState booted;
};

const Setup& rsa() {
  static const Setup setup(Signer::rsa());
  return setup;
}
const Setup& p256() {
  static const Setup setup(Signer::ec("P-256"));
  return setup;
}

void rounds(benchmark::State& state, const Setup& s) {
  NodeState node = s.booted;
  std::size_t round = 1;
  for (auto _ : state) {
    if (!s.appraise(round, node)) state.SkipWithError("a round is not trusted");
    if (++round == bench::kRounds) {
      node = s.booted;
      round = 1;
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void store(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(attest::verify::to_json(rsa().booted));
}
void restore(benchmark::State& state) {
  const std::string text = attest::verify::to_json(rsa().booted);
  for (auto _ : state) benchmark::DoNotOptimize(attest::verify::parse_node(text));
}

BENCHMARK_CAPTURE(rounds, rsa, rsa())
    ->Name("active_node_rsa2048/round")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rounds, p256, p256())
    ->Name("active_node_p256/round")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(store)->Name("active_node/export")->Unit(benchmark::kMicrosecond);
BENCHMARK(restore)->Name("active_node/import")->Unit(benchmark::kMicrosecond);

}  // namespace
