// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/address.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "libattest/base/text.h"

namespace attest::net {
namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035, section 2.3.4, without the root's dot
constexpr std::size_t kMaxId = 80;

constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[noreturn]] void refuse(std::string_view what, std::string_view text, std::string_view why) {
  throw std::invalid_argument(std::string(what) + " '" + printable(text) + "' " + std::string(why));
}

// A name (RFC 1123, section 2.1, and the underscore that real networks have) or an IPv4 address.
bool is_host_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxHost && is_alphanumeric(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; });
}

// Characters of an IPv6 address (RFC 4291, section 2.2). That it is one is the resolver's to say.
bool is_ipv6(std::string_view text) noexcept {
  constexpr std::size_t kMax = 45;
  return text.size() <= kMax && text.find(':') != std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
                  c == ':' || c == '.';
         });
}

}  // namespace

Endpoint Endpoint::make(std::string_view host, std::uint64_t port, std::string_view what) {
  if (!is_host_name(host) && !is_ipv6(host)) refuse(what, host, "is not a host name or address");
  if (port == 0 || port > 0xffff) {
    throw std::invalid_argument(std::string(what) + " has a port that is not from 1 to 65535");
  }
  return {std::string(host), static_cast<std::uint16_t>(port)};
}

Endpoint Endpoint::parse(std::string_view text, std::string_view what) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) refuse(what, text, "is not HOST:PORT");
  const auto port = parse_decimal(text.substr(colon + 1), 0xffff);
  if (!port) refuse(what, text, "does not end in a port");
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets != is_ipv6(host)) refuse(what, text, "is not HOST:PORT or [ADDRESS]:PORT");
  return make(host, *port, what);
}

std::string Endpoint::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

bool is_agent_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxId && is_alphanumeric(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; });
}

std::string_view agent_id(std::string_view text) {
  if (!is_agent_id(text)) refuse("agent UUID", text, "is not of letters, digits, '.', '-' and '_'");
  return text;
}

std::string_view policy_name(std::string_view text) {
  if (!is_agent_id(text)) {
    refuse("policy name", text, "is not of letters, digits, '.', '-' and '_'");
  }
  return text;
}

}  // namespace attest::net
