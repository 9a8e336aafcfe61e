// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <utility>

#include "libattest/base/base64.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/net/error.h"
#include "libattest/net/keylime_exchange.h"
#include "libattest/net/keylime_policy.h"

namespace attest::net {
namespace {

constexpr Call::Milliseconds kPollInterval{1000};
constexpr Call::Milliseconds kGoneInterval{200};
constexpr Call::Milliseconds kAgentVersion{5000};  // what an agent may take to say its version

std::string about(std::string_view what, std::string_view uuid) {
  return std::string(what) + ' ' + std::string(uuid);
}

// Deletes what is there, and returns when it is not. What is not there is not deleted: 6.3's
// registrar would keep its database locked after that.
void until_gone(Service& service, const Call& call, const std::string& path,
                std::string_view what) {
  for (bool asked = false;; asked = true) {
    const Answer left = service.get(path, kLogAnswer);
    if (left.status == 404) return;
    if (!is_success(left)) refused(service.peer(), left, what);
    if (asked) {
      call.pause(kGoneInterval);
      continue;
    }
    const Answer answer = service.remove(path, kSmallAnswer);
    if (answer.status != 404 && !is_success(answer)) refused(service.peer(), answer, what);
  }
}

std::string fresh_v() {
  std::array<std::uint8_t, 32> v{};
  crypto::random_bytes(v);
  return to_base64(v);
}

// The version that the verifier is to speak with the agent: what both know, as the agent says it.
// One that can not be asked from here is taken for 2.1, as Keylime's own tenant does.
ApiVersion version_of_agent(Https&& agent, const Api& verifier) {
  constexpr ApiVersion kUnknown{2, 1};
  const ApiVersion newest = verifier.version.value_or(ApiVersion{1, 0});
  std::vector<std::string> theirs;
  try {
    theirs = agent_versions(agent);
  } catch (const NetError& e) {
    const bool silent = e.failure() == Failure::kNetwork || e.failure() == Failure::kTimeout;
    if (!silent) throw;
    return std::min(kUnknown, newest);
  }
  const auto too_new = [newest](const std::string& text) {
    const auto version = ApiVersion::parse(text);
    return !version || *version > newest;
  };
  std::vector<std::string> both = theirs;
  std::erase_if(both, too_new);
  if (both.empty()) {
    throw NetError(Failure::kAnswer, agent.who() + ": its API is newer than the verifier's (" +
                                         verifier.text() + ")");
  }
  return negotiate(both, agent.who());
}

std::string_view checked_nonce(std::string_view nonce) {
  constexpr std::size_t kMin = 16;
  constexpr std::size_t kMax = 64;
  const bool plain = std::ranges::all_of(nonce, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (nonce.size() < kMin || nonce.size() > kMax || !plain) {
    throw std::invalid_argument("the nonce is not 16 to 64 letters and digits");
  }
  return nonce;
}

KeylimeQuote ask_for_quote(Https& agent, const Api& api, std::string_view path_and_query,
                           std::uint64_t ima_entry) {
  const Answer answer = agent.get(api.path(path_and_query), kLogAnswer);
  return results(agent, answer, "a quote",
                 [&](const json::Value& r) { return read_quote(r, ima_entry); });
}

constexpr const char* list_key(StoredPolicy kind) noexcept {
  return kind == StoredPolicy::kRuntime ? "runtimepolicy names" : "mbpolicy names";
}

}  // namespace

Keylime::Keylime(std::optional<Endpoint> verifier, std::optional<Endpoint> registrar,
                 Credentials credentials)
    : verifier_(std::move(verifier)),
      registrar_(std::move(registrar)),
      credentials_(std::move(credentials)) {
  credentials_.check(OurCertificate::kRequired);
}

Service Keylime::verifier(const Call& call) const {
  if (!verifier_) throw std::invalid_argument("no verifier is configured");
  return {Https("verifier", *verifier_, credentials_, call), &negotiate_verifier, verifier_api_};
}

Service Keylime::registrar(const Call& call) const {
  if (!registrar_) throw std::invalid_argument("no registrar is configured");
  return {Https("registrar", *registrar_, credentials_, call), &negotiate_registrar,
          registrar_api_};
}

Https Keylime::agent(const KeylimeAgent& agent, const Call& call) const {
  agent.check();
  if (agent.ip.empty()) {
    throw NetError(Failure::kNetwork, about("no address is registered for agent", agent.uuid));
  }
  if (agent.certificate.empty()) {
    throw NetError(Failure::kPeer, about("no certificate is registered for agent", agent.uuid) +
                                       ": before Keylime 6.3 agents have none");
  }
  return Https::pinned("agent", Endpoint::make(agent.ip, agent.port, "the agent's address"),
                       agent.certificate, credentials_, call);
}

Keylime::Versions Keylime::versions(Timeout timeout) const {
  const Call call(timeout, canceller_);
  Versions out;
  if (verifier_) out.verifier = verifier(call).negotiate().text();
  if (registrar_) out.registrar = registrar(call).negotiate().text();
  return out;
}

template <typename Ask>
HealthCheck Keylime::ask_health(const char* id, const Call& call, const Ask& ask) {
  try {
    const Call part =
        Call::part(call, call.remaining() / 2);  // the other service has its turn, too
    return {id, Health::kOk, ask(part)};
  } catch (const NetError& e) {
    if (e.failure() == Failure::kCancelled) throw;
    return {id, Health::kBad, e.what()};
  }
}

std::vector<HealthCheck> Keylime::diagnose(std::string_view configuration, std::int64_t now,
                                           Timeout timeout) const {
  const Call call(timeout, canceller_);
  std::vector<HealthCheck> out{check_dates("ca-certificate", credentials_.ca, now),
                               check_dates("client-certificate", credentials_.certificate, now)};
  const auto lists = [](Service service) {
    const Api api = service.negotiate();
    const Answer answer = service.get("/agents/", kListAnswer);
    const std::size_t count = results(service.peer(), answer, "to list its agents",
                                      [](const json::Value& r) { return read_ids(r).size(); });
    return service.peer().who() + ": API " + api.text() + ", " + std::to_string(count) +
           " agents; it shows a certificate of the CA and takes ours";
  };
  if (verifier_) {
    out.push_back(
        ask_health("verifier", call, [&](const Call& part) { return lists(verifier(part)); }));
  }
  if (registrar_) {
    out.push_back(
        ask_health("registrar", call, [&](const Call& part) { return lists(registrar(part)); }));
  }
  for (HealthCheck& check : check_configuration(configuration)) out.push_back(std::move(check));
  return out;
}

std::optional<KeylimeAgent> Keylime::lookup(std::string_view uuid, Timeout timeout) const {
  agent_id(uuid);
  const Call call(timeout, canceller_);
  Service service = registrar(call);
  const Answer answer = service.get("/agents/" + std::string(uuid), kSmallAnswer);
  if (answer.status == 404) return std::nullopt;
  return results(service.peer(), answer, about("look-up of agent", uuid),
                 [&](const json::Value& r) { return read_agent(uuid, r); });
}

void Keylime::delete_registration(std::string_view uuid, Timeout timeout) const {
  agent_id(uuid);
  const Call call(timeout, canceller_);
  Service service = registrar(call);
  until_gone(service, call, "/agents/" + std::string(uuid), about("deletion of agent", uuid));
}

void Keylime::add(const KeylimeAgent& node, const KeylimePolicies& policies,
                  Timeout timeout) const {
  node.check();
  check_policies(policies);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  // Verifiers take what they know of a body, whatever version its path names: one that was upgraded
  // would attest by no policy at all if it got its predecessor's.
  service.negotiate();
  const auto body = [&](const Api& api) {
    ApiVersion agent_version{1, 0};
    if (!node.certificate.empty()) {
      // Half of the time is kept for the verifier, which may reach an agent that is not reached
      // here.
      const Call some = Call::part(call, std::min(kAgentVersion, call.remaining() / 2));
      agent_version = version_of_agent(agent(node, some), api);
      call.check();
    }
    return add_body(api, {node, policies, *verifier_, agent_version, fresh_v()});
  };
  const Answer answer = service.post("/agents/" + node.uuid, body, kSmallAnswer);
  results(service.peer(), answer, about("to add agent", node.uuid),
          [](const json::Value&) { return 0; });
}

std::optional<KeylimeStatus> Keylime::poll(Service& service, std::string_view uuid) {
  const Answer answer = service.get("/agents/" + std::string(uuid), kListAnswer);
  if (answer.status == 404) return std::nullopt;
  return results(service.peer(), answer, about("the status of agent", uuid), read_status);
}

std::optional<KeylimeStatus> Keylime::status(std::string_view uuid, Timeout timeout) const {
  agent_id(uuid);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  SettledState settled;
  const Call::Clock::time_point begin = Call::Clock::now();
  while (true) {
    auto now = poll(service, uuid);
    if (!now || now->attestation_count) return now;
    now = settled.judge(*now, Call::Clock::now());
    const bool watched = Call::Clock::now() - begin > SettledState::kSettle + kPollInterval;
    if (now->verdict != KeylimeVerdict::kPending || !now->quoted || watched ||
        call.remaining() < kPollInterval * 2) {
      return now;
    }
    call.pause(kPollInterval);
  }
}

KeylimeStatus Keylime::wait(std::string_view uuid, Timeout timeout) const {
  agent_id(uuid);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  SettledState settled;
  while (true) {
    auto now = poll(service, uuid);
    if (!now) {
      throw NetError(Failure::kRefused,
                     service.peer().who() + ": does not know agent " + std::string(uuid), 404);
    }
    now = settled.judge(*now, Call::Clock::now());
    if (is_final(now->verdict)) return *now;
    call.pause(std::min(kPollInterval, std::max(call.remaining(), Call::Milliseconds(1))));
  }
}

void Keylime::remove(std::string_view uuid, Timeout timeout) const {
  agent_id(uuid);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  until_gone(service, call, "/agents/" + std::string(uuid), about("deletion of agent", uuid));
}

std::vector<std::string> Keylime::list(Timeout timeout) const {
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  const Answer answer = service.get("/agents/", kListAnswer);
  return results(service.peer(), answer, "to list its agents", read_ids);
}

std::string Keylime::stored_path(Service& service, StoredPolicy kind, std::string_view name) {
  constexpr ApiVersion kRuntimeSince{2, 1};
  constexpr ApiVersion kMeasuredBootSince{2, 3};
  const bool runtime = kind == StoredPolicy::kRuntime;
  const ApiVersion since = runtime ? kRuntimeSince : kMeasuredBootSince;
  // One that is remembered to be too old may have been upgraded.
  if (!service.api().since(since) && !service.negotiate().since(since)) {
    throw NetError(Failure::kAnswer, service.peer().who() + ": its API (" + service.api().text() +
                                         ") stores no " + (runtime ? "runtime" : "measured-boot") +
                                         " policies");
  }
  return std::string(runtime ? "/allowlists/" : "/mbpolicies/") + std::string(name);
}

void Keylime::create_policy(StoredPolicy kind, std::string_view name, std::string_view policy,
                            Timeout timeout) const {
  policy_name(name);
  const bool runtime = kind == StoredPolicy::kRuntime;
  if (runtime) {
    check_runtime_policy(policy);
  } else {
    check_mb_policy(policy);
  }
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  const auto body = [&](const Api& /*api*/) {
    return runtime ? stored_runtime_policy_body(policy) : stored_mb_policy_body(policy);
  };
  const Answer answer = service.post(stored_path(service, kind, name), body, kSmallAnswer);
  results(service.peer(), answer, about("to store policy", name),
          [](const json::Value&) { return 0; });
}

std::optional<std::string> Keylime::read_policy(StoredPolicy kind, std::string_view name,
                                                Timeout timeout) const {
  policy_name(name);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  const Answer answer = service.get(stored_path(service, kind, name), kLogAnswer);
  if (answer.status == 404) return std::nullopt;
  return results(service.peer(), answer, about("to show policy", name), [&](const json::Value& r) {
    const char* key = kind == StoredPolicy::kRuntime ? "runtime_policy" : "mb_policy";
    return std::string(r.at(key).string());
  });
}

std::vector<std::string> Keylime::list_policies(StoredPolicy kind, Timeout timeout) const {
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  const Answer answer = service.get(stored_path(service, kind, ""), kListAnswer);
  return results(service.peer(), answer, "to list its policies", [&](const json::Value& r) {
    const json::Value names = r.at(list_key(kind));
    std::vector<std::string> out;
    for (std::size_t i = 0; i < names.size(); ++i) out.push_back(printable(names.at(i).string()));
    return out;
  });
}

void Keylime::delete_policy(StoredPolicy kind, std::string_view name, Timeout timeout) const {
  policy_name(name);
  const Call call(timeout, canceller_);
  Service service = verifier(call);
  until_gone(service, call, stored_path(service, kind, name), about("deletion of policy", name));
}

KeylimeQuote Keylime::identity_quote(const KeylimeAgent& node, std::string_view nonce,
                                     Timeout timeout) const {
  checked_nonce(nonce);
  const Call call(timeout, canceller_);
  Https peer = agent(node, call);
  const Api api{negotiate(agent_versions(peer), peer.who())};
  return ask_for_quote(peer, api, "/quotes/identity?nonce=" + std::string(nonce), 0);
}

KeylimeQuote Keylime::integrity_quote(const KeylimeAgent& node, std::string_view nonce,
                                      std::uint32_t mask, std::uint64_t ima_entry, bool partial,
                                      Timeout timeout) const {
  constexpr ApiVersion kWithoutVmask{2, 1};
  checked_nonce(nonce);
  if (mask >> 24U != 0) throw std::invalid_argument("the mask has more than PCRs 0 to 23");
  const Call call(timeout, canceller_);
  Https peer = agent(node, call);
  const Api api{negotiate(agent_versions(peer), peer.who())};
  const std::array<std::uint8_t, 3> bits{static_cast<std::uint8_t>(mask >> 16U),
                                         static_cast<std::uint8_t>(mask >> 8U),
                                         static_cast<std::uint8_t>(mask)};
  std::string query = "/quotes/integrity?nonce=" + std::string(nonce) + "&mask=0x" + to_hex(bits) +
                      (api.since(kWithoutVmask) ? "" : "&vmask=0x0") +
                      "&partial=" + (partial ? "1" : "0") +
                      "&ima_ml_entry=" + std::to_string(ima_entry);
  return ask_for_quote(peer, api, query, ima_entry);
}

}  // namespace attest::net
