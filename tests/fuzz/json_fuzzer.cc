// SPDX-License-Identifier: Apache-2.0

// Target: attest::json::Document, Value, Writer.
// Property: a document is written again, in both styles, as text that is read as the same tree; a
// value is found under its own path; errors lie within the input.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/json/value.h"
#include "libattest/json/writer.h"

using namespace attest;

namespace {

constexpr std::uint64_t kMax = ~std::uint64_t{0};

bool is_number(const json::Value& value) {
  try {
    value.number(kMax);
    return true;
  } catch (const ParseError&) {
    return false;
  }
}

bool is_flag(const json::Value& value) {
  try {
    value.boolean();
    return true;
  } catch (const ParseError&) {
    return false;
  }
}

// Numbers that Writer has no form for become null.
void write(json::Writer& w, const json::Value& value) {
  if (value.is_object()) {
    w.begin_object();
    for (const auto& [key, member] : value.members()) {
      if (value.at(key).path() != member.path()) std::abort();
      w.key(key);
      write(w, member);
    }
    w.end_object();
  } else if (value.is_array()) {
    w.begin_array();
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value.at(i).path() != value.path() + "/" + std::to_string(i)) std::abort();
      write(w, value.at(i));
    }
    w.end_array();
  } else if (value.is_string()) {
    w.value(value.string());
  } else if (is_number(value)) {
    w.value(value.number(kMax));
  } else if (is_flag(value)) {
    w.value(value.boolean());
  } else {
    w.null();
  }
}

std::string written(const json::Document& document, json::Writer::Style style) {
  json::Writer w(style);
  write(w, document.root());
  return w.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<json::Document> document;
  try {
    document = json::Document::parse(as_text({data, size}), "JSON text");
  } catch (const ParseError& e) {
    if (e.offset() > size) std::abort();
    return 0;
  }
  const std::string compact = written(*document, json::Writer::Style::kCompact);
  const std::string indented = written(*document, json::Writer::Style::kIndented);
  const auto a = json::Document::parse(compact, "JSON text");
  const auto b = json::Document::parse(indented, "JSON text");
  if (written(a, json::Writer::Style::kCompact) != compact) std::abort();
  if (written(b, json::Writer::Style::kCompact) != compact) std::abort();
  return 0;
}
