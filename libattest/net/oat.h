// SPDX-License-Identifier: Apache-2.0

// A client of OpenAttestation (OAT) servers, v1.0, v1.5 to v1.7 and v2.x: PollHosts, and nothing
// else. It keeps nothing between calls: any number of threads may use one, also after fork.
//
// A call throws NetError when it could not do its work: an answer that is not understood as a whole
// is one of these, and never a verdict.

#ifndef LIBATTEST_NET_OAT_H_
#define LIBATTEST_NET_OAT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/crypto/secret.h"
#include "libattest/net/address.h"
#include "libattest/net/call.h"
#include "libattest/net/https.h"
#include "libattest/net/oat_answer.h"
#include "libattest/net/oat_request.h"

namespace attest::net {

class Oat {
 public:
  using Timeout = std::chrono::milliseconds;

  static constexpr std::size_t kDefaultBatch = 100;
  static constexpr std::size_t kMaxBatch = 500;

  struct Options {
    Endpoint server;
    std::string path;  // poll_path()
    OatDialect dialect = OatDialect::kV1_0;
    Credentials credentials;            // a certificate of ours is optional
    crypto::Secret auth_blob;           // empty: none
    std::size_t batch = kDefaultBatch;  // hosts in a request, 1 to kMaxBatch
  };
  // Throws std::invalid_argument for options that make no sense, an auth blob with control
  // characters among them.
  explicit Oat(Options options);

  struct Polled {
    std::vector<OatHost> hosts;   // one for each name that was given, in that order
    std::size_t num_ignored = 0;  // entries about hosts that were not asked for
  };
  // One request a batch, one after the other, of each name once. `now`: seconds since 1970-01-01
  // UTC, for times that are not yet. A request that fails fails the call.
  Polled poll(std::span<const std::string_view> names, std::int64_t now, Timeout timeout) const;

  // Ends the calls that other threads are in.
  void cancel() noexcept { canceller_.cancel(); }

 private:
  Https connect(const Call& call) const;
  std::size_t ask(Https& peer, std::int64_t now, std::span<OatHost> hosts) const;
  [[noreturn]] void refused(const Https& peer, const Answer& answer) const;
  bool is_secret(std::string_view words) const;

  Options options_;
  Canceller canceller_;
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_OAT_H_
