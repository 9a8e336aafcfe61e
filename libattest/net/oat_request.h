// SPDX-License-Identifier: Apache-2.0

// What is asked of an OpenAttestation (OAT) server: PollHosts, in the form that all of its versions
// take.

#ifndef LIBATTEST_NET_OAT_REQUEST_H_
#define LIBATTEST_NET_OAT_REQUEST_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace attest::net {

// Versions that differ in what they take. The numbers are attest_oat_dialect's.
enum class OatDialect : std::uint8_t { kV1_0 = 1, kV1_5 = 2, kV2 = 3 };

// "1.0", "1.5" and "2".
std::optional<OatDialect> dialect_from_name(std::string_view name) noexcept;

inline constexpr std::string_view kOatDefaultUrl = "/OpenAttestationWebServices/V1.0";

// The dialect that an API's path says, and what it does not say: v1.5 to v1.7 and v2.x have the
// same one, and the former refuse more.
OatDialect dialect_of(std::string_view api_url) noexcept;

// "/AttestationService/resources" with or without slashes at its end -> ".../PollHosts". Throws
// std::invalid_argument for what is not an absolute path of a URL (RFC 3986, section 3.3).
std::string poll_path(std::string_view api_url);

// Whether a host may be asked about by its name: not empty, printable ASCII without spaces, and
// nothing that a server refuses. One such name would fail a whole request (v1.5 to v1.7).
bool may_ask(std::string_view name, OatDialect dialect) noexcept;

// {"count": N, "hosts": [...]}: v1.0 counts by `count`, v2.x looks at the array alone.
std::string poll_body(std::span<const std::string_view> names);

}  // namespace attest::net

#endif  // LIBATTEST_NET_OAT_REQUEST_H_
