// SPDX-License-Identifier: Apache-2.0

// One question to a Keylime service and what its answer comes to, the same for every call.

#ifndef LIBATTEST_NET_KEYLIME_EXCHANGE_H_
#define LIBATTEST_NET_KEYLIME_EXCHANGE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "libattest/base/error.h"
#include "libattest/net/error.h"
#include "libattest/net/https.h"
#include "libattest/net/keylime_answer.h"
#include "libattest/net/keylime_version.h"

namespace attest::net {

// Answers are at most so large.
inline constexpr std::size_t kSmallAnswer = std::size_t{1} << 20U;
inline constexpr std::size_t kListAnswer = std::size_t{16} << 20U;
inline constexpr std::size_t kLogAnswer = std::size_t{256} << 20U;  // an IMA list, a policy

inline bool is_success(const Answer& answer) noexcept {
  return answer.status >= 200 && answer.status < 300;
}

// Throws NetError kRefused with what the service says of it.
[[noreturn]] void refused(const Https& peer, const Answer& answer, std::string_view what);

// Runs `read` over a success's results; what it finds malformed becomes NetError kAnswer. Another
// answer is a refusal of `what` ("lookup of agent X").
template <typename Read>
auto results(const Https& peer, const Answer& answer, std::string_view what, const Read& read) {
  if (!is_success(answer)) refused(peer, answer, what);
  try {
    const json::Document document = parse_answer(answer.body);
    return read(results_of(document));
  } catch (const ParseError& e) {
    throw NetError(Failure::kAnswer, peer.who() + ": " + e.what());
  }
}

// The version to speak with a verifier: the newest that both know, or none for Keylime 6.1, which
// answers 404 or 405.
Api negotiate_verifier(Https& verifier);
// The same for a registrar. Before 7.12 it does not say its version: the newest of the older ones
// under which it lists its agents is taken.
Api negotiate_registrar(Https& registrar);
// Versions of an agent's API.
std::vector<std::string> agent_versions(Https& agent);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_EXCHANGE_H_
