// SPDX-License-Identifier: Apache-2.0

// The envelope of Keylime's answers, and what an error answer says. A client decides by the HTTP
// status alone: bodies of refusals may have three forms, or be empty.

#ifndef LIBATTEST_NET_KEYLIME_ANSWER_H_
#define LIBATTEST_NET_KEYLIME_ANSWER_H_

#include <string>
#include <string_view>

#include "libattest/json/value.h"

namespace attest::net {

inline constexpr std::string_view kAnswerFormat = "answer";

// Throws ParseError for what is not a JSON object.
json::Document parse_answer(std::string_view body);

// {"code": 200, "status": …, "results": {…}}: the results. Throws ParseError when the envelope is
// another, or says that the call failed.
json::Value results_of(const json::Document& document);

// Why, in the peer's own words, escaped and cut: the envelope's "status", or JSON:API's
// {"errors": [{"title", "detail"}]}; "" when it does not say.
std::string refusal_words(std::string_view body);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_ANSWER_H_
