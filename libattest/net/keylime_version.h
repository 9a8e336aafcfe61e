// SPDX-License-Identifier: Apache-2.0

// Versions of Keylime's REST API, and which of them to speak with a service.

#ifndef LIBATTEST_NET_KEYLIME_VERSION_H_
#define LIBATTEST_NET_KEYLIME_VERSION_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attest::net {

// Compared as two numbers: 2.10 is newer than 2.9.
struct ApiVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;

  // Two decimal numbers with a dot between them.
  static std::optional<ApiVersion> parse(std::string_view text) noexcept;
  std::string text() const;

  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

// Keylime 6.2 to 7.14. Version 3 is the push model, where the verifier does not ask agents.
inline constexpr std::array kOurVersions{ApiVersion{1, 0}, ApiVersion{2, 0}, ApiVersion{2, 1},
                                         ApiVersion{2, 2}, ApiVersion{2, 3}, ApiVersion{2, 4},
                                         ApiVersion{2, 5}, ApiVersion{2, 6}};

// What is spoken with a service: a version, or none at all (Keylime 6.1).
struct Api {
  std::optional<ApiVersion> version;

  // "/v2.1/agents/" for "/agents/", and "/agents/" without a version.
  std::string path(std::string_view rest) const;
  std::string text() const;  // "2.1", "none (Keylime 6.1)"
  // Whether it is this version or a newer one.
  bool since(ApiVersion first) const noexcept { return version && *version >= first; }

  friend bool operator==(const Api&, const Api&) = default;
};

// The newest version of ours that is among `theirs`. Words that are no version are passed over.
// Throws NetError, which names both lists, when there is none. `who` names the service.
ApiVersion negotiate(const std::vector<std::string>& theirs, const std::string& who);

// The versions of an answer to GET /version: a verifier's or registrar's "current_version" and
// "supported_versions", an agent's "supported_version" and, from 2.5, "supported_versions". Throws
// ParseError for what is not such an answer.
std::vector<std::string> read_versions(std::string_view body);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_VERSION_H_
