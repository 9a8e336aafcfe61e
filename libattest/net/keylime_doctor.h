// SPDX-License-Identifier: Apache-2.0

// Whether a Keylime is set up as Ironic's attestation wants it: versions, certificates, the
// revocation service off, check_ek_cert off, no service on 0.0.0.0. What the network does not show
// is read in Keylime's own configuration where there is one, and otherwise said to be unknown.

#ifndef LIBATTEST_NET_KEYLIME_DOCTOR_H_
#define LIBATTEST_NET_KEYLIME_DOCTOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/net/https.h"

namespace attest::net {

enum class Health : std::uint8_t { kOk = 1, kWarning = 2, kBad = 3, kUnknown = 4 };

struct HealthCheck {
  std::string id;  // stable: "verifier", "client-certificate", "revocation"
  Health health = Health::kUnknown;
  std::string message;  // one line, for people
};

// The dates of a certificate (PEM, the first of them) at `now`, in seconds since 1970-01-01 UTC.
HealthCheck check_dates(std::string_view id, std::string_view pem, std::int64_t now);

// What Keylime's configuration says of revocation, EK certificates and addresses: the texts of
// keylime.conf (6.1 to 6.4), or of verifier.conf, registrar.conf and tenant.conf one after the
// other. An empty text makes all three unknown.
std::vector<HealthCheck> check_configuration(std::string_view text);

// The name of a health: "ok", "warning", "bad", "unknown".
std::string_view health_name(Health health) noexcept;

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_DOCTOR_H_
