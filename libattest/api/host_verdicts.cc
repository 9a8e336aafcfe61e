// SPDX-License-Identifier: Apache-2.0

#include "libattest/host_verdicts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "libattest/api/guard.h"
#include "libattest/api/sized.h"
#include "libattest/cache/host_verdicts.h"
#include "libattest/crypto/digest.h"

struct attest_host_verdicts {
  attest::cache::HostVerdicts verdicts;
};

namespace attest::api {

template <>
inline constexpr std::size_t kFirstSize<attest_host_verdicts_options> = 32;

}  // namespace attest::api

using attest::api::guard;
using attest::api::require;
namespace cache = attest::cache;

namespace {

std::uint64_t random_seed() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> seed{};
  attest::crypto::random_bytes(seed);
  return std::bit_cast<std::uint64_t>(seed);
}

void require_array(const void* array, std::size_t count, const char* name) {
  if (count != 0) require(array, name);
}

cache::Verdict verdict_of(const attest_verdict& verdict) {
  const int number = attest::api::number_of(verdict);
  if (number < ATTEST_VERDICT_UNKNOWN || number > ATTEST_VERDICT_UNTRUSTED) {
    throw std::invalid_argument("verdict is not an attest_verdict");
  }
  return static_cast<cache::Verdict>(number);
}

cache::HostVerdict to_host_verdict(const attest_host_verdict& answer) {
  cache::HostVerdict out;
  out.name = attest::api::text(answer.name, answer.name_len);
  out.verdict = verdict_of(answer.verdict);
  if (!std::isnan(answer.measured_at)) out.measured_at = answer.measured_at;
  return out;
}

}  // namespace

extern "C" {

const char* attest_host_reason_name(attest_host_reason reason) {
  const int number = attest::api::number_of(reason);
  if (number < 0 || number > static_cast<int>(cache::kLastReason)) return "?";
  return cache::name_of(static_cast<cache::Reason>(number)).data();
}

attest_status attest_host_verdicts_new(attest_host_verdicts** out,
                                       const attest_host_verdicts_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest_host_verdicts_options init = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
    const auto o = attest::api::options_of(options, init);
    // It does not move: there is a lock in it.
    *out = new attest_host_verdicts{cache::HostVerdicts({o.ttl, o.skew, o.limit, random_seed()})};
  });
}

void attest_host_verdicts_free(attest_host_verdicts* verdicts) { delete verdicts; }

attest_status attest_host_verdicts_decide(std::uint8_t* reasons, std::size_t* to_fetch,
                                          std::size_t* num_to_fetch,
                                          const attest_host_verdicts* verdicts,
                                          const attest_host_name* names, std::size_t num_names,
                                          double now, double monotonic) {
  return guard([&] {
    // Whatever fails, what an earlier call left there must not be taken for this one's.
    if (num_to_fetch != nullptr) *num_to_fetch = 0;
    require_array(reasons, num_names, "reasons");
    std::fill_n(reasons, num_names, std::uint8_t{ATTEST_HOST_MISSING});
    require(num_to_fetch, "num_to_fetch");
    require_array(to_fetch, num_names, "to_fetch");
    require(verdicts, "verdicts");
    require_array(names, num_names, "names");
    std::vector<std::string_view> asked;
    asked.reserve(num_names);
    for (std::size_t i = 0; i < num_names; ++i) {
      asked.push_back(attest::api::text(names[i].name, names[i].name_len));
    }
    const cache::Decision decision = verdicts->verdicts.decide(asked, {now, monotonic});
    std::ranges::transform(decision.reasons, reasons,
                           [](cache::Reason reason) { return static_cast<std::uint8_t>(reason); });
    std::ranges::copy(decision.to_fetch, to_fetch);
    *num_to_fetch = decision.to_fetch.size();
  });
}

attest_status attest_host_verdicts_put(attest_host_verdicts* verdicts,
                                       const attest_host_verdict* answers, std::size_t num_answers,
                                       double now, double monotonic) {
  return guard([&] {
    require(verdicts, "verdicts");
    require_array(answers, num_answers, "answers");
    std::vector<cache::HostVerdict> batch;
    batch.reserve(num_answers);
    for (std::size_t i = 0; i < num_answers; ++i) batch.push_back(to_host_verdict(answers[i]));
    verdicts->verdicts.put(batch, {now, monotonic});
  });
}

void attest_host_verdicts_clear(attest_host_verdicts* verdicts) {
  if (verdicts != nullptr) verdicts->verdicts.clear();
}

std::size_t attest_host_verdicts_count(const attest_host_verdicts* verdicts) {
  return verdicts == nullptr ? 0 : verdicts->verdicts.size();
}

}  // extern "C"
