// SPDX-License-Identifier: Apache-2.0

// A client of Keylime's verifier, registrar and agents, 6.1 to 7.14, pull model. It keeps nothing
// between calls but where the services are, how to prove itself, and which version of its API each
// service spoke (keylime_service.h): any number of threads may use one, also after fork.
//
// Every call throws NetError when it could not do its work: an answer that is not understood is
// one of these, and never a verdict.

#ifndef LIBATTEST_NET_KEYLIME_H_
#define LIBATTEST_NET_KEYLIME_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/net/address.h"
#include "libattest/net/call.h"
#include "libattest/net/https.h"
#include "libattest/net/keylime_body.h"
#include "libattest/net/keylime_doctor.h"
#include "libattest/net/keylime_record.h"
#include "libattest/net/keylime_service.h"
#include "libattest/net/keylime_status.h"
#include "libattest/net/keylime_version.h"

namespace attest::net {

enum class StoredPolicy : std::uint8_t { kRuntime, kMeasuredBoot };

class Keylime {
 public:
  using Timeout = std::chrono::milliseconds;

  struct Versions {
    std::optional<std::string> verifier;   // "2.6"; "none (Keylime 6.1)"
    std::optional<std::string> registrar;  // the same; nothing where none is configured
  };

  // Either service may be left out; calls that need it throw std::invalid_argument then. Throws
  // the same for credentials that can not be any.
  Keylime(std::optional<Endpoint> verifier, std::optional<Endpoint> registrar,
          Credentials credentials);

  // What is spoken with each service that there is: both are asked.
  Versions versions(Timeout timeout) const;

  // Asks both services, looks at the dates of our certificates at `now` (seconds since 1970-01-01
  // UTC) and at a configuration (check_configuration). What is wrong is in the list: only a call
  // that was cancelled throws.
  std::vector<HealthCheck> diagnose(std::string_view configuration, std::int64_t now,
                                    Timeout timeout) const;

  // Registrar. Nothing when it does not know the agent.
  std::optional<KeylimeAgent> lookup(std::string_view uuid, Timeout timeout) const;
  void delete_registration(std::string_view uuid, Timeout timeout) const;  // done when it is gone

  // Verifier.
  void add(const KeylimeAgent& node, const KeylimePolicies& policies, Timeout timeout) const;
  // Nothing when it does not know the agent. Where the verifier counts no attestations (before
  // 6.4), a good state is watched for SettledState::kSettle before it is trusted.
  std::optional<KeylimeStatus> status(std::string_view uuid, Timeout timeout) const;
  // Asks until the verdict is final; NetError kTimeout when the time is over before.
  KeylimeStatus wait(std::string_view uuid, Timeout timeout) const;
  void remove(std::string_view uuid, Timeout timeout) const;  // done when it is gone
  std::vector<std::string> list(Timeout timeout) const;

  void create_policy(StoredPolicy kind, std::string_view name, std::string_view policy,
                     Timeout timeout) const;
  // Its JSON text, as it is stored; nothing when there is none of that name.
  std::optional<std::string> read_policy(StoredPolicy kind, std::string_view name,
                                         Timeout timeout) const;
  std::vector<std::string> list_policies(StoredPolicy kind, Timeout timeout) const;
  void delete_policy(StoredPolicy kind, std::string_view name, Timeout timeout) const;

  // Agent, whose TLS certificate must be the one in `agent`. `nonce`: 16 to 64 letters and digits.
  KeylimeQuote identity_quote(const KeylimeAgent& node, std::string_view nonce,
                              Timeout timeout) const;
  KeylimeQuote integrity_quote(const KeylimeAgent& node, std::string_view nonce, std::uint32_t mask,
                               std::uint64_t ima_entry, bool partial, Timeout timeout) const;

  // Ends the calls that other threads are in.
  void cancel() noexcept { canceller_.cancel(); }

 private:
  Service verifier(const Call& call) const;
  Service registrar(const Call& call) const;
  template <typename Ask>
  static HealthCheck ask_health(const char* id, const Call& call, const Ask& ask);
  Https agent(const KeylimeAgent& agent, const Call& call) const;
  static std::optional<KeylimeStatus> poll(Service& service, std::string_view uuid);
  static std::string stored_path(Service& service, StoredPolicy kind, std::string_view name);

  std::optional<Endpoint> verifier_;
  std::optional<Endpoint> registrar_;
  Credentials credentials_;
  Canceller canceller_;
  mutable KnownApi verifier_api_;
  mutable KnownApi registrar_api_;
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_H_
