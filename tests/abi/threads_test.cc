// SPDX-License-Identifier: Apache-2.0

// Many threads, one key and one policy: what base.h allows under THREADS. Run it under the tsan
// preset to see data races.

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "libattest/attest.hpp"
#include "tests/abi/good_node.h"
#include "tests/abi/guest/appraisal.h"

namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 10;

template <typename Work>
int failures_of(Work work) {
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (int round = 0; round < kRounds; ++round) {
          if (!work(t)) ++failures;
        }
      } catch (const std::exception&) {
        ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

}  // namespace

TEST_CASE("threads that come first at the same time each get their answer") {
  const GoodNode node = load_good_node();
  CHECK(failures_of([&](int) {
          Appraisal a;
          return appraise_all(node, a) == ATTEST_OK && a.verdict == ATTEST_VERDICT_TRUSTED;
        }) == 0);
}

TEST_CASE("threads share one key, one policy and one parsed quote") {
  const GoodNode node = load_good_node();
  const libattest::Key key(node.ak);
  const libattest::Quote quote(node.attest, node.signature, node.pcrs);
  libattest::Policy policy;
  policy.add_tpm_policy(node.tpm_policy);
  policy.add_allowlist(node.allowlist, std::nullopt, node.excludelist);

  CHECK(failures_of([&](int thread) {
          // Every other thread has evidence that somebody changed: answers must not mix.
          const bool good = thread % 2 == 0;
          std::vector<std::uint8_t> signature = node.signature;
          if (!good) signature.back() ^= 1U;
          libattest::Evidence evidence;
          evidence.set_key(key);
          evidence.set_quote(node.attest, signature, node.pcrs);
          evidence.set_eventlog(node.eventlog);
          evidence.set_ima(node.ima);
          const auto report = libattest::appraise(evidence, policy, node.nonce);
          return report.trusted() == good && !report.to_json().empty() &&
                 quote.verify(key, node.nonce).quote_verified();
        }) == 0);
}

TEST_CASE("threads put and decide with one cache of hosts, and no answer is another host's") {
  constexpr double kNow = 1'800'000'000;
  constexpr std::size_t kHosts = 50;
  libattest::HostVerdicts verdicts(60, 30, 3 * kHosts);  // too few for all of them
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kThreads * kHosts; ++i) texts.push_back("host-" + std::to_string(i));
  const std::vector<std::string_view> names(texts.begin(), texts.end());

  CHECK(failures_of([&](int thread) {
          // A thread's hosts are all trusted or all untrusted: threads differ.
          const auto mine = static_cast<std::size_t>(thread);
          std::vector<libattest::HostVerdicts::Verdict> answers;
          for (std::size_t i = mine * kHosts; i < (mine + 1) * kHosts; ++i) {
            answers.push_back({texts[i],
                               mine % 2 == 0 ? ATTEST_VERDICT_TRUSTED : ATTEST_VERDICT_UNTRUSTED,
                               kNow});
          }
          verdicts.put(answers, kNow, 1);
          const auto decision = verdicts.decide(names, kNow, 1);
          bool good = true;
          std::size_t missing = 0;
          for (std::size_t i = 0; i < names.size(); ++i) {
            const auto said = (i / kHosts) % 2 == 0 ? ATTEST_HOST_TRUSTED : ATTEST_HOST_UNTRUSTED;
            if (decision.reasons[i] == ATTEST_HOST_MISSING) ++missing;
            good =
                good && (decision.reasons[i] == said || decision.reasons[i] == ATTEST_HOST_MISSING);
          }
          if (thread == 0) verdicts.clear();
          return good && missing == decision.to_fetch.size() && verdicts.size() <= 3 * kHosts;
        }) == 0);
}

TEST_CASE("an error's words are those of the thread that made it") {
  const std::array<std::vector<std::uint8_t>, 2> junk{
      {{'-', '-', '-', '-', '-', 'x'}, {0x30, 0x01, 0x02}}};
  std::array<std::string, 2> words;
  for (std::size_t i = 0; i < 2; ++i) {
    attest_key* key = nullptr;
    REQUIRE(attest_key_load(&key, junk[i].data(), junk[i].size()) == ATTEST_E_MALFORMED);
    words[i] = attest_last_error();
  }
  REQUIRE(words[0] != words[1]);
  CHECK(failures_of([&](int thread) {
          const auto& mine = junk[static_cast<std::size_t>(thread % 2)];
          attest_key* key = nullptr;
          return attest_key_load(&key, mine.data(), mine.size()) == ATTEST_E_MALFORMED &&
                 words[static_cast<std::size_t>(thread % 2)] == attest_last_error();
        }) == 0);
}
