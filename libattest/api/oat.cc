// SPDX-License-Identifier: Apache-2.0

#include "libattest/oat.h"

#include <algorithm>
#include <span>
#include <vector>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/net/oat.h"

struct attest_oat {
  attest::net::Oat client;
};

struct attest_oat_answer {
  attest::net::Oat::Polled polled;
};

namespace attest::api {

template <>
inline constexpr std::size_t kFirstSize<attest_oat_options> = 104;
template <>
inline constexpr std::size_t kFirstSize<attest_oat_host> = 40;

}  // namespace attest::api

using attest::api::guard;
using attest::api::require;
namespace net = attest::net;

static_assert(int{ATTEST_VERDICT_UNKNOWN} == static_cast<int>(net::OatVerdict::kUnknown));
static_assert(int{ATTEST_VERDICT_TRUSTED} == static_cast<int>(net::OatVerdict::kTrusted));
static_assert(int{ATTEST_VERDICT_UNTRUSTED} == static_cast<int>(net::OatVerdict::kUntrusted));

namespace {

net::OatDialect dialect_of(const attest_oat_dialect& dialect, std::string_view api_url) {
  const int number = attest::api::number_of(dialect);
  if (number == ATTEST_OAT_DIALECT_NONE) return net::dialect_of(api_url);
  if (number < ATTEST_OAT_1_0 || number > ATTEST_OAT_2) {
    throw std::invalid_argument("dialect is not an attest_oat_dialect");
  }
  return static_cast<net::OatDialect>(number);
}

attest::crypto::Secret secret_of(const char* data, std::size_t len) {
  const std::string_view text = attest::api::text(data, len);
  attest::crypto::Secret secret(text.size());
  std::ranges::copy(text, secret.room().begin());
  return secret;
}

net::Oat::Options to_options(const attest_oat_options& o) {
  constexpr std::uint32_t kPort = 8443;
  require(o.server, "server");
  net::Oat::Options out;
  out.server = net::Endpoint::make(o.server, o.port == 0 ? kPort : o.port, "the OAT server");
  const std::string_view api_url = o.api_url == nullptr ? net::kOatDefaultUrl : o.api_url;
  out.path = net::poll_path(api_url);
  out.dialect = dialect_of(o.dialect, api_url);
  out.credentials.ca = attest::api::text(o.ca, o.ca_len);
  out.credentials.certificate = attest::api::text(o.certificate, o.certificate_len);
  out.credentials.key = attest::api::text(o.key, o.key_len);
  if (attest::api::flag_of(o.no_name_check, "no_name_check")) {
    out.credentials.name_check = net::NameCheck::kChainOnly;
  }
  out.auth_blob = secret_of(o.auth_blob, o.auth_blob_len);
  if (o.batch != 0) out.batch = o.batch;
  return out;
}

std::vector<std::string_view> names_of(const attest_host_name* names, std::size_t num_names) {
  if (num_names != 0) require(names, "names");
  std::vector<std::string_view> out;
  out.reserve(num_names);
  for (const attest_host_name& name : std::span(names, num_names)) {
    out.push_back(attest::api::text(name.name, name.name_len));
  }
  return out;
}

}  // namespace

extern "C" {

attest_oat_dialect attest_oat_dialect_from_name(const char* name) {
  const auto dialect = name == nullptr ? std::nullopt : net::dialect_from_name(name);
  return dialect ? static_cast<attest_oat_dialect>(*dialect) : ATTEST_OAT_DIALECT_NONE;
}

attest_status attest_oat_new(attest_oat** out, const attest_oat_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    const attest_oat_options o =
        attest::api::options_of(options, attest_oat_options(ATTEST_OAT_OPTIONS_INIT));
    // It does not move: the cancelling thread has its address.
    *out = new attest_oat{net::Oat(to_options(o))};
  });
}

void attest_oat_cancel(attest_oat* oat) {
  if (oat != nullptr) oat->client.cancel();
}

void attest_oat_free(attest_oat* oat) { delete oat; }

attest_status attest_oat_poll(attest_oat_answer** out, const attest_oat* oat,
                              const attest_host_name* names, std::size_t num_names,
                              std::int64_t now, std::uint32_t timeout_ms) {
  return guard([&] {
    attest::api::clear_output(out);
    require(oat, "oat");
    const auto timeout = attest::api::timeout_of(timeout_ms);
    auto polled = oat->client.poll(names_of(names, num_names), now, timeout);
    attest::api::give(out, attest_oat_answer{std::move(polled)});
  });
}

const char* attest_oat_reason_name(attest_oat_reason reason) {
  const int number = attest::api::number_of(reason);
  if (number < ATTEST_OAT_ANSWERED || number > ATTEST_OAT_CONTRADICTION) return nullptr;
  return net::reason_name(static_cast<net::OatReason>(number)).data();  // a literal
}

std::size_t attest_oat_answer_num_hosts(const attest_oat_answer* answer) {
  return answer == nullptr ? 0 : answer->polled.hosts.size();
}

attest_status attest_oat_answer_host(attest_oat_host* out, const attest_oat_answer* answer,
                                     std::size_t index) {
  return guard([&] {
    attest_oat_host filled = ATTEST_OAT_HOST_INIT;
    attest::api::fill(out, filled);  // what it held must not be taken for this host
    require(answer, "answer");
    if (index >= answer->polled.hosts.size()) {
      throw std::invalid_argument("no host has this index");
    }
    const net::OatHost& host = answer->polled.hosts[index];
    filled.name = host.name.c_str();
    filled.name_len = host.name.size();
    filled.verdict = static_cast<attest_verdict>(host.verdict);
    filled.reason = static_cast<attest_oat_reason>(host.reason);
    filled.measured_at = host.measured_at.value_or(-1);
    attest::api::fill(out, filled);
  });
}

std::size_t attest_oat_answer_num_ignored(const attest_oat_answer* answer) {
  return answer == nullptr ? 0 : answer->polled.num_ignored;
}

void attest_oat_answer_free(attest_oat_answer* answer) { delete answer; }

}  // extern "C"
