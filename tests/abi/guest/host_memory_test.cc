// SPDX-License-Identifier: Apache-2.0

// Memory runs out at each allocation of a put and of a decision in turn: the answer is a status,
// what is known of the hosts is as before, and nothing is left behind.

#include <cstdio>
#include <string>
#include <vector>

#include "libattest/attest.h"
#include "tests/abi/guest/allocations.h"

namespace {

constexpr double kNow = 1'800'000'000;
constexpr std::size_t kHosts = 200;

struct Hosts {
  Hosts() {
    for (std::size_t i = 0; i < kHosts; ++i)
      texts.push_back("compute-" + std::to_string(i) + ".x.org");
    for (const std::string& text : texts) names.push_back({text.data(), text.size()});
  }
  std::vector<attest_host_verdict> all(attest_verdict verdict, std::size_t count) const {
    std::vector<attest_host_verdict> out;
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back({names[i].name, names[i].name_len, verdict, kNow});
    }
    return out;
  }
  std::vector<std::string> texts;
  std::vector<attest_host_name> names;
};

struct Answer {
  std::vector<std::uint8_t> reasons = std::vector<std::uint8_t>(kHosts);
  std::vector<std::size_t> to_fetch = std::vector<std::size_t>(kHosts);
  std::size_t num_to_fetch = 0;
};

attest_status decide(Answer& answer, const attest_host_verdicts* verdicts, const Hosts& hosts) {
  return attest_host_verdicts_decide(answer.reasons.data(), answer.to_fetch.data(),
                                     &answer.num_to_fetch, verdicts, hosts.names.data(), kHosts,
                                     kNow, 1);
}

std::size_t count(const Answer& answer, attest_host_reason reason) {
  std::size_t n = 0;
  for (const std::uint8_t r : answer.reasons) n += r == reason ? 1U : 0U;
  return n;
}

int complain(const char* what, long n) {
  (void)std::printf("allocation %ld: %s: %s\n", n, what, attest_last_error());
  return 1;
}

}  // namespace

int main() {
  const Hosts hosts;
  const auto first = hosts.all(ATTEST_VERDICT_TRUSTED, kHosts / 2);
  const auto second = hosts.all(ATTEST_VERDICT_UNTRUSTED, kHosts);
  attest_host_verdicts_options options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
  options.ttl = 60;
  attest_host_verdicts* verdicts = nullptr;
  if (attest_host_verdicts_new(&verdicts, &options) != ATTEST_OK ||
      attest_host_verdicts_put(verdicts, first.data(), first.size(), kNow, 1) != ATTEST_OK) {
    return complain("without failure", -1);
  }
  Answer answer;
  long n = 0;
  for (;; ++n) {
    const long before = live_blocks();
    fail_after(n, Failing::kOne);
    const attest_status status =
        attest_host_verdicts_put(verdicts, second.data(), second.size(), kNow, 1);
    stop_failing();
    if (!has_failed()) break;
    if (status != ATTEST_E_NO_MEMORY) return complain("put: not ATTEST_E_NO_MEMORY", n);
    if (live_blocks() != before) return complain("put: memory was left behind", n);
    if (decide(answer, verdicts, hosts) != ATTEST_OK) return complain("the decision after it", n);
    if (count(answer, ATTEST_HOST_TRUSTED) != kHosts / 2 || answer.num_to_fetch != kHosts / 2) {
      return complain("put: a part was stored", n);
    }
  }
  if (n < static_cast<long>(kHosts)) return complain("hardly any allocation was made to fail", n);
  (void)std::printf("%ld allocations of a put failed\n", n);
  attest_host_verdicts_clear(verdicts);
  for (n = 0;; ++n) {
    const long before = live_blocks();
    fail_after(n, Failing::kOne);
    const attest_status status = decide(answer, verdicts, hosts);
    stop_failing();
    if (!has_failed()) break;
    if (status != ATTEST_E_NO_MEMORY) return complain("decide: not ATTEST_E_NO_MEMORY", n);
    if (live_blocks() != before) return complain("decide: memory was left behind", n);
    if (count(answer, ATTEST_HOST_MISSING) != kHosts || answer.num_to_fetch != 0) {
      return complain("decide: an answer in spite of it", n);
    }
  }
  if (n < 3) return complain("hardly any allocation was made to fail", n);
  (void)std::printf("%ld allocations of a decision failed\n", n);
  attest_host_verdicts_free(verdicts);
  return 0;
}
