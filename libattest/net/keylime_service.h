// SPDX-License-Identifier: Apache-2.0

// A verifier or registrar in one call, spoken with in the version that an earlier call negotiated,
// so that most calls are one request. A service that was upgraded or put back refuses what it is
// asked in a version that it lacks: then the version is negotiated anew, once a call, and the
// question asked again if there is another one. What was refused was not done.

#ifndef LIBATTEST_NET_KEYLIME_SERVICE_H_
#define LIBATTEST_NET_KEYLIME_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/net/https.h"
#include "libattest/net/keylime_version.h"

namespace attest::net {

// What a client remembers of one service between calls. Lock-free: threads share it, and it works
// in a child of fork.
class KnownApi {
 public:
  std::optional<Api> get() const noexcept;
  void set(const Api& api) noexcept;

 private:
  std::atomic<std::uint64_t> packed_{0};
};

class Service {
 public:
  using Negotiation = Api(Https&);
  using Body = std::function<std::string(const Api&)>;

  // `known` must outlive it.
  Service(Https peer, Negotiation* negotiation, KnownApi& known);

  const Api& api();
  // Asks the service now, whatever is remembered.
  const Api& negotiate();

  // As Https's, with `rest` behind the version in the path.
  Answer get(std::string_view rest, std::size_t max_size);
  Answer post(std::string_view rest, const Body& body, std::size_t max_size);
  Answer remove(std::string_view rest, std::size_t max_size);

  const Https& peer() const noexcept { return peer_; }

 private:
  template <typename Ask>
  Answer ask(const Ask& ask);

  Https peer_;
  Negotiation* negotiation_;
  KnownApi& known_;
  std::optional<Api> api_;
  bool fresh_ = false;  // negotiated in this call
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_SERVICE_H_
