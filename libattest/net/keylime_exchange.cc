// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_exchange.h"

#include <array>
#include <optional>

namespace attest::net {
namespace {

std::vector<std::string> versions_of(const Https& peer, const Answer& answer) {
  try {
    return read_versions(answer.body);
  } catch (const ParseError& e) {
    throw NetError(Failure::kAnswer, peer.who() + ": " + e.what());
  }
}

}  // namespace

void refused(const Https& peer, const Answer& answer, std::string_view what) {
  const std::string words = refusal_words(answer.body);
  throw NetError(Failure::kRefused,
                 peer.who() + ": refuses " + std::string(what) + ": HTTP status " +
                     std::to_string(answer.status) + (words.empty() ? "" : ": " + words),
                 answer.status);
}

Api negotiate_verifier(Https& verifier) {
  const Answer answer = verifier.get("/version", kSmallAnswer);
  // Unproven: 6.1.1 as the literature has it; no package index has it to run.
  if (answer.status == 404 || answer.status == 405) return {};
  if (!is_success(answer)) refused(verifier, answer, "to say its version");
  return {negotiate(versions_of(verifier, answer), verifier.who())};
}

Api negotiate_registrar(Https& registrar) {
  const Answer answer = registrar.get("/version", kSmallAnswer);
  if (is_success(answer)) return {negotiate(versions_of(registrar, answer), registrar.who())};
  if (answer.status != 400 && answer.status != 404 && answer.status != 405) {
    refused(registrar, answer, "to say its version");
  }
  const std::array<Api, 4> older{Api{ApiVersion{2, 1}}, Api{ApiVersion{2, 0}},
                                 Api{ApiVersion{1, 0}}, Api{}};
  for (const Api& api : older) {
    const Answer agents = registrar.get(api.path("/agents/"), kListAnswer);
    if (is_success(agents)) return api;
    if (agents.status != 400 && agents.status != 404 && agents.status != 405) {
      refused(registrar, agents, "to list its agents");
    }
  }
  throw NetError(Failure::kAnswer, registrar.who() + ": no version of its API is known here");
}

std::vector<std::string> agent_versions(Https& agent) {
  const Answer answer = agent.get("/version", kSmallAnswer);
  if (!is_success(answer)) refused(agent, answer, "to say its version");
  return versions_of(agent, answer);
}

}  // namespace attest::net
