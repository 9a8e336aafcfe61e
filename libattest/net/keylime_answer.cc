// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_answer.h"

#include "libattest/base/error.h"
#include "libattest/base/text.h"

namespace attest::net {
namespace {

// The member's text, or nothing for what is none.
std::string_view text_at(const json::Value& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->is_string() ? value->string() : std::string_view();
}

}  // namespace

json::Document parse_answer(std::string_view body) {
  json::Document document = json::Document::parse(body, kAnswerFormat);
  if (!document.root().is_object()) document.root().fail("is not an object");
  return document;
}

json::Value results_of(const json::Document& document) {
  constexpr std::uint64_t kMaxCode = 599;
  const json::Value root = document.root();
  const json::Value code = root.at("code");
  const std::uint64_t number = code.number(kMaxCode);
  if (number < 200 || number > 299) code.fail("is not a success, as the HTTP status is");
  const json::Value results = root.at("results");
  if (!results.is_object()) results.fail("is not an object");
  return results;
}

std::string refusal_words(std::string_view body) {
  constexpr std::size_t kMaxBody = 65536;  // more is no explanation
  if (body.empty() || body.size() > kMaxBody) return "";
  try {
    const json::Document document = parse_answer(body);
    const json::Value root = document.root();
    if (const std::string_view status = text_at(root, "status"); !status.empty()) {
      return printable(status);
    }
    const auto errors = root.find("errors");
    if (!errors || !errors->is_array() || errors->size() == 0) return "";
    const json::Value first = errors->at(0);
    if (!first.is_object()) return "";
    const std::string_view detail = text_at(first, "detail");
    return printable(detail.empty() ? text_at(first, "title") : detail);
  } catch (const ParseError&) {
    return "";  // a page of a proxy, say: the HTTP status has decided
  }
}

}  // namespace attest::net
