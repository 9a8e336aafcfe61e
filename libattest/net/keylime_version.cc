// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_version.h"

#include <algorithm>

#include "libattest/base/text.h"
#include "libattest/net/error.h"
#include "libattest/net/keylime_answer.h"

namespace attest::net {
namespace {

template <typename List, typename Text>
std::string listed(const List& list, Text text) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + std::string(text(one));
  return out;
}

}  // namespace

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) noexcept {
  constexpr std::uint64_t kMax = 9999;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = parse_decimal(text.substr(0, dot), kMax);
  const auto minor = parse_decimal(text.substr(dot + 1), kMax);
  if (!major || !minor) return std::nullopt;
  return ApiVersion{static_cast<std::uint32_t>(*major), static_cast<std::uint32_t>(*minor)};
}

std::string ApiVersion::text() const { return std::to_string(major) + '.' + std::to_string(minor); }

std::string Api::path(std::string_view rest) const {
  return (version ? "/v" + version->text() : "") + std::string(rest);
}

std::string Api::text() const { return version ? version->text() : "none (Keylime 6.1)"; }

ApiVersion negotiate(const std::vector<std::string>& theirs, const std::string& who) {
  std::optional<ApiVersion> best;
  for (const std::string& text : theirs) {
    const auto version = ApiVersion::parse(text);
    if (version && std::ranges::find(kOurVersions, *version) != kOurVersions.end()) {
      best = std::max(best, version);
    }
  }
  if (best) return *best;
  throw NetError(Failure::kAnswer,
                 who + ": no version of its API is known here: it has " +
                     printable(listed(theirs, [](const std::string& t) { return t; })) +
                     "; known are " +
                     listed(kOurVersions, [](const ApiVersion& v) { return v.text(); }));
}

std::vector<std::string> read_versions(std::string_view body) {
  const json::Document document = parse_answer(body);
  const json::Value results = results_of(document);
  std::vector<std::string> out;
  for (const char* key : {"current_version", "supported_version"}) {
    if (const auto one = results.find(key)) out.emplace_back(one->string());
  }
  if (const auto list = results.find("supported_versions"); list && !list->is_null()) {
    for (std::size_t i = 0; i < list->size(); ++i) out.emplace_back(list->at(i).string());
  }
  if (out.empty()) results.fail("names no version");
  return out;
}

}  // namespace attest::net
