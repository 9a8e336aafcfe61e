// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_request.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "libattest/base/text.h"
#include "libattest/json/writer.h"

namespace attest::net {
namespace {

constexpr std::array<std::string_view, 3> kDialects{"1.0", "1.5", "2"};

std::string_view without_slashes(std::string_view api_url) noexcept {
  while (api_url.ends_with('/')) api_url.remove_suffix(1);
  return api_url;
}

constexpr bool is_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// pchar and "/" of RFC 3986.
bool is_path(std::string_view text) noexcept {
  constexpr std::string_view kOthers = "/-._~!$&'()*+,;=:@";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kOthers.find(c) != std::string_view::npos) continue;
    if (c != '%' || i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

std::optional<OatDialect> dialect_from_name(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kDialects, name);
  if (found == kDialects.end()) return std::nullopt;
  return static_cast<OatDialect>(found - kDialects.begin() + 1);
}

OatDialect dialect_of(std::string_view api_url) noexcept {
  return without_slashes(api_url) == kOatDefaultUrl ? OatDialect::kV1_0 : OatDialect::kV1_5;
}

std::string poll_path(std::string_view api_url) {
  constexpr std::size_t kMax = 1024;
  if (!api_url.starts_with('/') || api_url.size() > kMax || !is_path(api_url)) {
    throw std::invalid_argument("the API's URL '" + printable(api_url) +
                                "' is not a path such as " + std::string(kOatDefaultUrl));
  }
  return std::string(without_slashes(api_url)) + "/PollHosts";
}

bool may_ask(std::string_view name, OatDialect dialect) noexcept {
  constexpr std::size_t kMax = 253;       // RFC 1035, section 2.3.4
  constexpr std::size_t kMaxOfV1_5 = 50;  // v1.5 to v1.7: HTTP status 500 for all of the request
  constexpr std::string_view kRefused = "#&+:\"'";
  const std::size_t max = dialect == OatDialect::kV1_5 ? kMaxOfV1_5 : kMax;
  return !name.empty() && name.size() <= max && std::ranges::all_of(name, [&](char c) {
    return c > ' ' && c <= '~' && kRefused.find(c) == std::string_view::npos;
  });
}

std::string poll_body(std::span<const std::string_view> names) {
  json::Writer out;
  out.begin_object().member("count", std::uint64_t{names.size()}).key("hosts").begin_array();
  for (const std::string_view name : names) out.value(name);
  out.end_array().end_object();
  return out.take();
}

}  // namespace attest::net
