// SPDX-License-Identifier: Apache-2.0

// Parsing, replaying and checking an event log against the digests that this takes, alone.

#include <benchmark/benchmark.h>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/types.h"
#include "tests/bench/generate.h"

namespace {

namespace eventlog = attest::eventlog;
using bench::Digest;
using bench::Hash;
using bench::Hasher;

const bench::Octets& log_bytes() {
  static const bench::Octets log = bench::make_eventlog();
  return log;
}

// Every extend in the three banks, and the data once: what any verifier has to compute.
void bare(benchmark::State& state) {
  const eventlog::Log log = eventlog::Log::parse(log_bytes());
  std::vector<Hasher> hashers;
  for (const auto& algorithm : log.algorithms()) hashers.emplace_back(*algorithm.hash);
  for (auto _ : state) {
    std::array<std::array<Digest, 24>, 3> pcrs;
    for (std::size_t bank = 0; bank < 3; ++bank) {
      pcrs[bank].fill(Digest::filled(hashers[bank].size(), 0));
    }
    for (const eventlog::Event& event : log.events()) {
      if (event.type == eventlog::kEvNoAction) continue;
      for (std::size_t bank = 0; bank < 3; ++bank) {
        Digest& pcr = pcrs[bank][event.pcr];
        hashers[bank].into(pcr.resize(hashers[bank].size()),
                           {pcr.bytes(), log.digest(event, bank)});
      }
      benchmark::DoNotOptimize(hashers[1](event.data));
    }
    benchmark::DoNotOptimize(pcrs);
  }
}

void whole(benchmark::State& state) {
  for (auto _ : state) {
    const eventlog::Log log = eventlog::Log::parse(log_bytes());
    const eventlog::Replay replay = eventlog::replay(log);
    const eventlog::Checked checked = eventlog::check(log, Hash::kSha256);
    if (replay.banks.size() != 3 || checked.coverage.size() != 117) {
      state.SkipWithError("the log was not understood");
    }
    benchmark::DoNotOptimize(replay);
  }
}

BENCHMARK(bare)->Name("eventlog_45kb/bare");
BENCHMARK(whole)->Name("eventlog_45kb/parse_replay_check");

}  // namespace
