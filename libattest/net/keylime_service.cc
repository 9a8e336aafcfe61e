// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_service.h"

#include <utility>

namespace attest::net {
namespace {

constexpr std::uint64_t kKnown = std::uint64_t{1} << 63U;
constexpr std::uint64_t kVersioned = std::uint64_t{1} << 62U;
constexpr unsigned kMajor = 16;

// What services answer to a path of a version that they lack; they answer it for other reasons,
// too.
bool may_lack_version(const Answer& answer) noexcept {
  return answer.status == 400 || answer.status == 404 || answer.status == 405 ||
         answer.status == 410;
}

}  // namespace

std::optional<Api> KnownApi::get() const noexcept {
  const std::uint64_t packed = packed_.load(std::memory_order_relaxed);
  if ((packed & kKnown) == 0) return std::nullopt;
  if ((packed & kVersioned) == 0) return Api{};
  return Api{ApiVersion{static_cast<std::uint32_t>(packed >> kMajor & 0xffffU),
                        static_cast<std::uint32_t>(packed & 0xffffU)}};
}

void KnownApi::set(const Api& api) noexcept {
  std::uint64_t packed = kKnown;
  if (api.version) {
    // At most 9999 each: ApiVersion::parse.
    packed |= kVersioned | std::uint64_t{api.version->major} << kMajor | api.version->minor;
  }
  packed_.store(packed, std::memory_order_relaxed);
}

Service::Service(Https peer, Negotiation* negotiation, KnownApi& known)
    : peer_(std::move(peer)), negotiation_(negotiation), known_(known), api_(known.get()) {}

const Api& Service::api() { return api_ ? *api_ : negotiate(); }

const Api& Service::negotiate() {
  api_ = negotiation_(peer_);
  known_.set(*api_);
  fresh_ = true;
  return *api_;
}

template <typename Ask>
Answer Service::ask(const Ask& ask) {
  const Api first = api();
  Answer answer = ask(first);
  if (fresh_ || !may_lack_version(answer)) return answer;
  return negotiate() == first ? answer : ask(*api_);
}

Answer Service::get(std::string_view rest, std::size_t max_size) {
  return ask([&](const Api& api) { return peer_.get(api.path(rest), max_size); });
}

Answer Service::post(std::string_view rest, const Body& body, std::size_t max_size) {
  return ask([&](const Api& api) { return peer_.post(api.path(rest), body(api), max_size); });
}

Answer Service::remove(std::string_view rest, std::size_t max_size) {
  return ask([&](const Api& api) { return peer_.remove(api.path(rest), max_size); });
}

}  // namespace attest::net
