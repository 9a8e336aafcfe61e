// SPDX-License-Identifier: Apache-2.0

// Names that go into URLs and messages. What is not of these forms never gets there.

#ifndef LIBATTEST_NET_ADDRESS_H_
#define LIBATTEST_NET_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace attest::net {

// Where a service listens.
struct Endpoint {
  std::string host;  // a name or an address, IPv6 without its brackets
  std::uint16_t port = 0;

  // "HOST:PORT" or "[ADDRESS]:PORT". Throws std::invalid_argument, with `what` in its text.
  static Endpoint parse(std::string_view text, std::string_view what);
  // From a host and a number; the same checks.
  static Endpoint make(std::string_view host, std::uint64_t port, std::string_view what);

  std::string text() const;  // "host:8881", "[::1]:8881": as in a URL
};

// A Keylime agent id: a UUID or whatever else an operator chose. Keylime's own rule ([\w.-]+), made
// ASCII, at most 80 characters, and beginning with a letter or a digit: never "." or "..".
bool is_agent_id(std::string_view text) noexcept;
// Returns it, or throws std::invalid_argument.
std::string_view agent_id(std::string_view text);

// The name of a stored policy: the same characters.
std::string_view policy_name(std::string_view text);

}  // namespace attest::net

#endif  // LIBATTEST_NET_ADDRESS_H_
