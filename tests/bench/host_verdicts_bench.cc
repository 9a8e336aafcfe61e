// SPDX-License-Identifier: Apache-2.0

// A decision about a list of hosts, all of them known and asked for in no order; bare is the least
// that a cache can do: a look-up of each name in a std::unordered_map.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "libattest/cache/host_verdicts.h"

namespace {

namespace cache = attest::cache;

constexpr cache::Moment kAt{1'800'000'000, 5'000};

struct Hosts {
  explicit Hosts(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      texts.push_back("compute-" + std::to_string(i) + ".example.org");
    }
    std::shuffle(texts.begin(), texts.end(), std::mt19937(1));
    names.assign(texts.begin(), texts.end());
    for (const std::string_view name : names) {
      verdicts.push_back({name, cache::Verdict::kTrusted, kAt.now});
    }
    std::shuffle(names.begin(), names.end(), std::mt19937(2));
  }
  std::vector<std::string> texts;
  std::vector<std::string_view> names;
  std::vector<cache::HostVerdict> verdicts;
};

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>()(name);
  }
};

void bare(benchmark::State& state, std::size_t count) {
  const Hosts hosts(count);
  std::unordered_map<std::string, bool, Hash, std::equal_to<>> table;
  for (const std::string& text : hosts.texts) table.emplace(text, true);
  for (auto _ : state) {
    std::size_t trusted = 0;
    for (const std::string_view name : hosts.names) trusted += table.find(name)->second ? 1U : 0U;
    if (trusted != hosts.names.size()) state.SkipWithError("a host is not there");
  }
}

void decide(benchmark::State& state, std::size_t count) {
  const Hosts hosts(count);
  cache::HostVerdicts verdicts({60, 30, 100'000, 0x243f6a8885a308d3});
  verdicts.put(hosts.verdicts, kAt);
  for (auto _ : state) {
    const cache::Decision decision = verdicts.decide(hosts.names, kAt);
    if (std::ranges::count(decision.reasons, cache::Reason::kTrusted) !=
        static_cast<std::ptrdiff_t>(hosts.names.size())) {
      state.SkipWithError("a host is not trusted");
    }
  }
}

void put(benchmark::State& state, std::size_t count) {
  const Hosts hosts(count);
  cache::HostVerdicts verdicts({60, 30, 100'000, 0x243f6a8885a308d3});
  for (auto _ : state) verdicts.put(hosts.verdicts, kAt);
  if (verdicts.size() != hosts.names.size()) state.SkipWithError("a host was not stored");
}

const bool registered = [] {
  for (const std::size_t count : {1000U, 10'000U, 100'000U}) {
    const auto add = [count](const char* name, void (*run)(benchmark::State&, std::size_t)) {
      const std::string full = "hosts_" + std::to_string(count) + "/" + name;
      benchmark::RegisterBenchmark(full.c_str(), run, count)->Unit(benchmark::kMicrosecond);
    };
    add("bare", bare);
    add("decide", decide);
    add("put", put);
  }
  return true;
}();

}  // namespace
