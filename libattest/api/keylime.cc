// SPDX-License-Identifier: Apache-2.0

#include "libattest/keylime.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/net/keylime.h"
#include "libattest/net/keylime_policy.h"

struct attest_keylime {
  attest::net::Keylime client;
};

struct attest_keylime_agent {
  attest::net::KeylimeAgent agent;
};

struct attest_keylime_quote {
  attest::net::KeylimeQuote quote;
};

struct attest_keylime_diagnosis {
  std::vector<attest::net::HealthCheck> checks;
};

namespace attest::api {

template <>
inline constexpr std::size_t kFirstSize<attest_keylime_options> = 80;
template <>
inline constexpr std::size_t kFirstSize<attest_keylime_agent_info> = 88;
template <>
inline constexpr std::size_t kFirstSize<attest_keylime_add_options> = 96;
template <>
inline constexpr std::size_t kFirstSize<attest_keylime_status> = 248;
template <>
inline constexpr std::size_t kFirstSize<attest_keylime_quote_info> = 104;

template <>
inline constexpr std::size_t kFirstSize<attest_keylime_check> = 32;

}  // namespace attest::api

using attest::api::clear_output;
using attest::api::guard;
using attest::api::require;
using attest::api::timeout_of;
namespace net = attest::net;

namespace {

const net::Keylime& client_of(const attest_keylime* keylime) {
  require(keylime, "keylime");
  return keylime->client;
}

std::string_view word(const char* text, const char* name) {
  require(text, name);
  return text;
}

std::optional<net::Endpoint> endpoint_of(const char* text, const char* name) {
  if (text == nullptr) return std::nullopt;
  return net::Endpoint::parse(text, name);
}

std::optional<std::string> given(const char* data, std::size_t len) {
  const std::string_view view = attest::api::text(data, len);
  return data == nullptr ? std::nullopt : std::optional(std::string(view));
}

net::KeylimePolicies policies_of(const attest_keylime_add_options& options) {
  net::KeylimePolicies out;
  out.runtime_policy = given(options.runtime_policy, options.runtime_policy_len);
  out.tpm_policy = given(options.tpm_policy, options.tpm_policy_len);
  out.mb_policy = given(options.mb_policy, options.mb_policy_len);
  if (options.policy_name != nullptr) out.policy_name = options.policy_name;
  const auto allowlist = given(options.allowlist, options.allowlist_len);
  const auto excludelist = given(options.excludelist, options.excludelist_len);
  if (excludelist && !allowlist) throw std::invalid_argument("an excludelist without an allowlist");
  if (allowlist) {
    if (out.runtime_policy) throw std::invalid_argument("a runtime policy and an allowlist");
    out.runtime_policy = net::runtime_policy_of_lists(*allowlist, excludelist);
  }
  return out;
}

net::StoredPolicy kind_of(const attest_keylime_policy_kind& kind) {
  const int number = attest::api::number_of(kind);
  if (number == ATTEST_KEYLIME_RUNTIME_POLICY) return net::StoredPolicy::kRuntime;
  if (number == ATTEST_KEYLIME_MB_POLICY) return net::StoredPolicy::kMeasuredBoot;
  throw std::invalid_argument("kind is not an attest_keylime_policy_kind");
}

std::int64_t number_or_none(std::optional<std::uint64_t> number) noexcept {
  constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  return number ? static_cast<std::int64_t>(std::min(*number, kMost)) : -1;
}

const char* text_or_null(const std::string& text) noexcept {
  return text.empty() ? nullptr : text.c_str();
}

void fill_status(attest_keylime_status* out, const std::optional<net::KeylimeStatus>& status) {
  attest_keylime_status filled = ATTEST_KEYLIME_STATUS_INIT;
  if (status) {
    filled.verdict = static_cast<attest_keylime_verdict>(status->verdict);
    filled.state = static_cast<int>(status->state);
    filled.state_name = net::state_name(status->state).data();  // of a literal: it ends with a NUL
    filled.attestation_count = number_or_none(status->attestation_count);
    filled.severity = status->severity ? static_cast<int>(*status->severity) : -1;
    const std::string& event = status->last_event_id;
    std::memcpy(filled.last_event_id, event.data(),
                std::min(event.size(), sizeof filled.last_event_id - 1));
  }
  attest::api::fill(out, filled);
}

// What an earlier call left in it must not be taken for this one's.
void clear_status(attest_keylime_status* out) { fill_status(out, std::nullopt); }

void give_lines(attest_buffer** out, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  attest::api::give_text(out, std::move(text));
}

const net::KeylimeAgent& agent_of(const attest_keylime_agent* agent) {
  require(agent, "agent");
  return agent->agent;
}

}  // namespace

extern "C" {

attest_status attest_keylime_new(attest_keylime** out, const attest_keylime_options* options) {
  return guard([&] {
    clear_output(out);
    const attest_keylime_options o =
        attest::api::options_of(options, attest_keylime_options(ATTEST_KEYLIME_OPTIONS_INIT));
    net::Credentials credentials;
    credentials.ca = attest::api::text(o.ca, o.ca_len);
    credentials.certificate = attest::api::text(o.certificate, o.certificate_len);
    credentials.key = attest::api::text(o.key, o.key_len);
    if (attest::api::flag_of(o.no_name_check, "no_name_check")) {
      credentials.name_check = net::NameCheck::kChainOnly;
    }
    // It does not move: the cancelling thread has its address.
    *out = new attest_keylime{net::Keylime(endpoint_of(o.verifier, "the verifier"),
                                           endpoint_of(o.registrar, "the registrar"),
                                           std::move(credentials))};
  });
}

void attest_keylime_cancel(attest_keylime* keylime) {
  if (keylime != nullptr) keylime->client.cancel();
}

void attest_keylime_free(attest_keylime* keylime) { delete keylime; }

attest_status attest_keylime_versions(attest_buffer** verifier, attest_buffer** registrar,
                                      const attest_keylime* keylime, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(verifier, "verifier");
    clear_output(registrar, "registrar");
    auto versions = client_of(keylime).versions(timeout_of(timeout_ms));
    std::unique_ptr<attest_buffer> first;
    if (versions.verifier) {
      first = std::make_unique<attest_buffer>(attest_buffer{std::move(*versions.verifier)});
    }
    if (versions.registrar) attest::api::give_text(registrar, std::move(*versions.registrar));
    *verifier = first.release();
  });
}

attest_status attest_keylime_agent_new(attest_keylime_agent** out,
                                       const attest_keylime_agent_info* info) {
  return guard([&] {
    clear_output(out);
    const attest_keylime_agent_info i =
        attest::api::options_of(info, attest_keylime_agent_info(ATTEST_KEYLIME_AGENT_INFO_INIT));
    const auto bytes = [](const std::uint8_t* data, std::size_t len) {
      const attest::Bytes view = attest::api::bytes(data, len);
      return std::vector<std::uint8_t>(view.begin(), view.end());
    };
    net::KeylimeAgent agent;
    agent.uuid = word(i.uuid, "uuid");
    agent.ak = bytes(i.ak, i.ak_len);
    agent.ek = bytes(i.ek, i.ek_len);
    agent.ek_certificate = bytes(i.ek_certificate, i.ek_certificate_len);
    if (i.certificate != nullptr) agent.certificate = i.certificate;
    if (i.ip != nullptr) agent.ip = i.ip;
    agent.port = i.port;
    agent.check();
    attest::api::give(out, attest_keylime_agent{std::move(agent)});
  });
}

attest_status attest_keylime_agent_get_info(attest_keylime_agent_info* out,
                                            const attest_keylime_agent* agent) {
  return guard([&] {
    const net::KeylimeAgent& a = agent_of(agent);
    attest_keylime_agent_info info = ATTEST_KEYLIME_AGENT_INFO_INIT;
    const auto view = [](const std::vector<std::uint8_t>& from, const std::uint8_t** data,
                         std::size_t* len) {
      *data = from.empty() ? nullptr : from.data();
      *len = from.size();
    };
    info.uuid = a.uuid.c_str();
    view(a.ak, &info.ak, &info.ak_len);
    view(a.ek, &info.ek, &info.ek_len);
    view(a.ek_certificate, &info.ek_certificate, &info.ek_certificate_len);
    info.certificate = text_or_null(a.certificate);
    info.ip = text_or_null(a.ip);
    info.port = a.port;
    attest::api::fill(out, info);
  });
}

void attest_keylime_agent_free(attest_keylime_agent* agent) { delete agent; }

attest_status attest_keylime_lookup(attest_keylime_agent** out, const attest_keylime* keylime,
                                    const char* uuid, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    auto agent = client_of(keylime).lookup(word(uuid, "uuid"), timeout_of(timeout_ms));
    if (agent) attest::api::give(out, attest_keylime_agent{std::move(*agent)});
  });
}

attest_status attest_keylime_delete_registration(const attest_keylime* keylime, const char* uuid,
                                                 std::uint32_t timeout_ms) {
  return guard(
      [&] { client_of(keylime).delete_registration(word(uuid, "uuid"), timeout_of(timeout_ms)); });
}

attest_status attest_keylime_add(const attest_keylime* keylime, const attest_keylime_agent* agent,
                                 const attest_keylime_add_options* options,
                                 std::uint32_t timeout_ms) {
  return guard([&] {
    const attest_keylime_add_options o = attest::api::options_of(
        options, attest_keylime_add_options(ATTEST_KEYLIME_ADD_OPTIONS_INIT));
    client_of(keylime).add(agent_of(agent), policies_of(o), timeout_of(timeout_ms));
  });
}

const char* attest_keylime_verdict_name(attest_keylime_verdict verdict) {
  const int number = attest::api::number_of(verdict);
  if (number < ATTEST_KEYLIME_UNKNOWN || number > ATTEST_KEYLIME_NOT_ATTESTED) return nullptr;
  return net::verdict_name(static_cast<net::KeylimeVerdict>(number)).data();
}

attest_status attest_keylime_get_status(attest_keylime_status* out, const attest_keylime* keylime,
                                        const char* uuid, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_status(out);
    fill_status(out, client_of(keylime).status(word(uuid, "uuid"), timeout_of(timeout_ms)));
  });
}

attest_status attest_keylime_wait(attest_keylime_status* out, const attest_keylime* keylime,
                                  const char* uuid, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_status(out);
    fill_status(out, client_of(keylime).wait(word(uuid, "uuid"), timeout_of(timeout_ms)));
  });
}

attest_status attest_keylime_delete(const attest_keylime* keylime, const char* uuid,
                                    std::uint32_t timeout_ms) {
  return guard([&] { client_of(keylime).remove(word(uuid, "uuid"), timeout_of(timeout_ms)); });
}

attest_status attest_keylime_list(attest_buffer** out, const attest_keylime* keylime,
                                  std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    give_lines(out, client_of(keylime).list(timeout_of(timeout_ms)));
  });
}

attest_status attest_keylime_policy_create(const attest_keylime* keylime,
                                           attest_keylime_policy_kind kind, const char* name,
                                           const char* json, std::size_t json_len,
                                           std::uint32_t timeout_ms) {
  return guard([&] {
    client_of(keylime).create_policy(kind_of(kind), word(name, "name"),
                                     attest::api::text(json, json_len), timeout_of(timeout_ms));
  });
}

attest_status attest_keylime_policy_read(attest_buffer** out, const attest_keylime* keylime,
                                         attest_keylime_policy_kind kind, const char* name,
                                         std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    auto policy =
        client_of(keylime).read_policy(kind_of(kind), word(name, "name"), timeout_of(timeout_ms));
    if (policy) attest::api::give_text(out, std::move(*policy));
  });
}

attest_status attest_keylime_policy_list(attest_buffer** out, const attest_keylime* keylime,
                                         attest_keylime_policy_kind kind,
                                         std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    give_lines(out, client_of(keylime).list_policies(kind_of(kind), timeout_of(timeout_ms)));
  });
}

attest_status attest_keylime_policy_delete(const attest_keylime* keylime,
                                           attest_keylime_policy_kind kind, const char* name,
                                           std::uint32_t timeout_ms) {
  return guard([&] {
    client_of(keylime).delete_policy(kind_of(kind), word(name, "name"), timeout_of(timeout_ms));
  });
}

attest_status attest_keylime_identity_quote(attest_keylime_quote** out,
                                            const attest_keylime* keylime,
                                            const attest_keylime_agent* agent, const char* nonce,
                                            std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    auto quote = client_of(keylime).identity_quote(agent_of(agent), word(nonce, "nonce"),
                                                   timeout_of(timeout_ms));
    attest::api::give(out, attest_keylime_quote{std::move(quote)});
  });
}

attest_status attest_keylime_integrity_quote(attest_keylime_quote** out,
                                             const attest_keylime* keylime,
                                             const attest_keylime_agent* agent, const char* nonce,
                                             std::uint32_t mask, std::uint64_t ima_entry,
                                             int partial, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    auto quote = client_of(keylime).integrity_quote(
        agent_of(agent), word(nonce, "nonce"), mask, ima_entry,
        attest::api::flag_of(partial, "partial"), timeout_of(timeout_ms));
    attest::api::give(out, attest_keylime_quote{std::move(quote)});
  });
}

attest_status attest_keylime_quote_get_info(attest_keylime_quote_info* out,
                                            const attest_keylime_quote* quote) {
  return guard([&] {
    require(quote, "quote");
    const net::KeylimeQuote& q = quote->quote;
    attest_keylime_quote_info info = ATTEST_KEYLIME_QUOTE_INFO_INIT;
    info.quote = q.quote.c_str();
    info.quote_len = q.quote.size();
    info.hash_alg = q.hash_alg.c_str();
    info.enc_alg = q.enc_alg.c_str();
    info.sign_alg = q.sign_alg.c_str();
    info.public_key = text_or_null(q.public_key);
    if (q.ima) {
      info.ima = q.ima->c_str();
      info.ima_len = q.ima->size();
    }
    info.ima_entry = number_or_none(q.ima_entry);
    if (q.eventlog) {
      info.eventlog = q.eventlog->data();
      info.eventlog_len = q.eventlog->size();
    }
    info.boottime = number_or_none(q.boottime);
    attest::api::fill(out, info);
  });
}

void attest_keylime_quote_free(attest_keylime_quote* quote) { delete quote; }

const char* attest_keylime_health_name(attest_keylime_health health) {
  const int number = attest::api::number_of(health);
  if (number < ATTEST_KEYLIME_HEALTH_OK || number > ATTEST_KEYLIME_HEALTH_UNKNOWN) return nullptr;
  return net::health_name(static_cast<net::Health>(number)).data();
}

attest_status attest_keylime_diagnose(attest_keylime_diagnosis** out, const attest_keylime* keylime,
                                      const char* configuration, std::size_t configuration_len,
                                      std::int64_t now, std::uint32_t timeout_ms) {
  return guard([&] {
    clear_output(out);
    auto checks = client_of(keylime).diagnose(attest::api::text(configuration, configuration_len),
                                              now, timeout_of(timeout_ms));
    attest::api::give(out, attest_keylime_diagnosis{std::move(checks)});
  });
}

std::size_t attest_keylime_diagnosis_num_checks(const attest_keylime_diagnosis* diagnosis) {
  return diagnosis == nullptr ? 0 : diagnosis->checks.size();
}

attest_status attest_keylime_diagnosis_check(attest_keylime_check* out,
                                             const attest_keylime_diagnosis* diagnosis,
                                             std::size_t index) {
  return guard([&] {
    require(diagnosis, "diagnosis");
    if (index >= diagnosis->checks.size()) throw std::invalid_argument("no check has this index");
    const net::HealthCheck& check = diagnosis->checks[index];
    attest_keylime_check filled = ATTEST_KEYLIME_CHECK_INIT;
    filled.id = check.id.c_str();
    filled.health = static_cast<attest_keylime_health>(check.health);
    filled.message = check.message.c_str();
    attest::api::fill(out, filled);
  });
}

void attest_keylime_diagnosis_free(attest_keylime_diagnosis* diagnosis) { delete diagnosis; }

}  // extern "C"
