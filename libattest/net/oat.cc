// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/net/error.h"

namespace attest::net {
namespace {

// 500 hosts, each with the PCR values and the analysis of v1.5 to v1.7.
constexpr std::size_t kMaxAnswer = std::size_t{16} << 20U;

// Of what is there, a header is one line of visible ASCII (RFC 9110, section 5.5).
void check_auth_blob(Bytes blob) {
  constexpr std::size_t kMax = 8192;
  if (blob.empty()) return;
  if (blob.size() > kMax) throw std::invalid_argument("the auth blob is too long");
  if (!std::ranges::all_of(blob, [](std::uint8_t c) { return c >= ' ' && c <= '~'; }) ||
      blob.front() == ' ' || blob.back() == ' ') {
    throw std::invalid_argument(
        "the auth blob is not one line of printable ASCII without spaces around it");
  }
}

}  // namespace

Oat::Oat(Options options) : options_(std::move(options)) {
  options_.credentials.check(OurCertificate::kOptional);
  check_auth_blob(options_.auth_blob.bytes());
  if (options_.batch == 0 || options_.batch > kMaxBatch) {
    throw std::invalid_argument("a batch is not of 1 to 500 hosts");
  }
}

Https Oat::connect(const Call& call) const {
  Https peer("OAT server", options_.server, options_.credentials, call);
  peer.add_post_header("Accept: application/json");
  const Bytes blob = options_.auth_blob.bytes();
  if (!blob.empty()) {
    constexpr std::string_view kName = "x-auth-blob: ";
    crypto::Secret line(kName.size() + blob.size() + 1);
    const auto value = std::ranges::copy(kName, line.room().begin()).out;
    std::ranges::copy(blob, value);
    peer.add_post_header(as_text(line.bytes()).data());  // its last byte is a NUL
  }
  return peer;
}

// A server may say anything, what it was sent among it; a message ends in a log.
bool Oat::is_secret(std::string_view words) const {
  const std::string_view blob = as_text(options_.auth_blob.bytes());
  return !blob.empty() && words.find(blob) != std::string_view::npos;
}

void Oat::refused(const Https& peer, const Answer& answer) const {
  const std::string words = poll_refusal_words(answer.body);
  const bool shown = !words.empty() && !is_secret(words);
  throw NetError(Failure::kRefused,
                 peer.who() + ": refuses to poll hosts: HTTP status " +
                     std::to_string(answer.status) + (shown ? ": " + printable(words) : ""),
                 answer.status);
}

std::size_t Oat::ask(Https& peer, std::int64_t now, std::span<OatHost> hosts) const {
  std::vector<std::string_view> names;
  names.reserve(hosts.size());
  for (const OatHost& host : hosts) names.push_back(host.name);
  const Answer answer = peer.post(options_.path, poll_body(names), kMaxAnswer);
  if (answer.status >= 400) refused(peer, answer);
  // What clients of OAT have taken for an answer, but for 204, which has none.
  if (answer.status < 200 || answer.status > 202) {
    throw NetError(Failure::kAnswer, peer.who() + ": HTTP status " + std::to_string(answer.status) +
                                         " is no answer to PollHosts");
  }
  try {
    return read_poll_answer(answer.body, now, hosts);
  } catch (const ParseError& e) {
    const bool shown = !is_secret(answer.body) && !is_secret(e.what());
    throw NetError(Failure::kAnswer,
                   peer.who() + ": " + (shown ? e.what() : "its answer is not understood"));
  }
}

Oat::Polled Oat::poll(std::span<const std::string_view> names, std::int64_t now,
                      Timeout timeout) const {
  if (now <= 0) throw std::invalid_argument("now is not a time");
  const Call call(timeout, canceller_);
  std::vector<OatHost> asked;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const std::string_view name : names) {
    if (!may_ask(name, options_.dialect) || !places.try_emplace(name, asked.size()).second) {
      continue;
    }
    asked.push_back({std::string(name)});
  }
  Polled out;
  std::optional<Https> peer;
  for (std::span<OatHost> rest(asked); !rest.empty();) {
    const auto batch = rest.first(std::min(options_.batch, rest.size()));
    if (!peer) peer.emplace(connect(call));
    out.num_ignored += ask(*peer, now, batch);
    rest = rest.subspan(batch.size());
  }
  out.hosts.reserve(names.size());
  for (const std::string_view name : names) {
    const auto place = places.find(name);
    out.hosts.push_back(place != places.end() ? asked[place->second]
                                              : OatHost{std::string(name), OatVerdict::kUnknown,
                                                        OatReason::kNameRefused});
  }
  return out;
}

}  // namespace attest::net
