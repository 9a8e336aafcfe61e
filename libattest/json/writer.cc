// SPDX-License-Identifier: Apache-2.0

#include "libattest/json/writer.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "libattest/base/text.h"

namespace attest::json {

struct Writer::State {
  struct Level {
    bool object;
    bool empty = true;
  };

  Style style;
  std::string out;
  std::vector<Level> open;
  bool after_key = false;

  static void require(bool condition, const char* what) {
    if (!condition) throw std::logic_error(what);
  }

  // What separates the next key or element from what stands before it.
  void separate() {
    Level& level = open.back();
    if (!level.empty) out.push_back(',');
    level.empty = false;
    break_line();
  }

  void break_line() {
    if (style == Style::kCompact) return;
    out.push_back('\n');
    out.append(open.size() * 2, ' ');
  }

  void before_value() {
    if (open.empty()) {
      require(out.empty(), "JSON has one value at its top level");
    } else if (open.back().object) {
      require(after_key, "a value in a JSON object follows a key");
    } else {
      separate();
    }
    after_key = false;
  }

  void begin(char bracket, bool object) {
    before_value();
    out.push_back(bracket);
    open.push_back({object});
  }

  void end(char bracket, bool object) {
    require(!open.empty() && open.back().object == object && !after_key,
            "the end of a JSON object or array that was not begun");
    const bool empty = open.back().empty;
    open.pop_back();
    if (!empty) break_line();
    out.push_back(bracket);
  }

  // RFC 8259, section 7. `text` is UTF-8.
  void string(std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
      const CodePoint c = front_code_point(text);
      character(c.value, text.substr(0, c.length));
      text.remove_prefix(c.length);
    }
    out.push_back('"');
  }

  void character(std::uint32_t c, std::string_view utf8) {
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        // JSON is shown on terminals, too, and file names of a node's choosing are in it.
        if (is_deceptive(c)) {
          escape(c);
        } else {
          out.append(utf8);
        }
    }
  }

  // Beyond 16 bits as a surrogate pair.
  void escape(std::uint32_t c) {
    if (c > 0xffff) {
      c -= 0x10000;
      escape(0xd800U + (c >> 10U));
      c = 0xdc00U + (c & 0x3ffU);
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    out.append("\\u");
    for (const unsigned shift : {12U, 8U, 4U, 0U}) out.push_back(kHex[c >> shift & 0xfU]);
  }
};

Writer::Writer(Style style) : state_(new State{style, {}, {}}) {}
Writer::~Writer() = default;

Writer& Writer::begin_object() {
  state_->begin('{', true);
  return *this;
}
Writer& Writer::end_object() {
  state_->end('}', true);
  return *this;
}
Writer& Writer::begin_array() {
  state_->begin('[', false);
  return *this;
}
Writer& Writer::end_array() {
  state_->end(']', false);
  return *this;
}

Writer& Writer::key(std::string_view name) {
  if (!is_utf8(name)) throw std::invalid_argument("a JSON key that is not UTF-8");
  State::require(!state_->open.empty() && state_->open.back().object && !state_->after_key,
                 "a JSON key outside an object");
  state_->separate();
  state_->string(name);
  state_->out.append(state_->style == Style::kCompact ? ":" : ": ");
  state_->after_key = true;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  if (!is_utf8(text)) throw std::invalid_argument("a JSON string that is not UTF-8");
  state_->before_value();
  state_->string(text);
  return *this;
}
Writer& Writer::value(bool flag) {
  state_->before_value();
  state_->out.append(flag ? "true" : "false");
  return *this;
}
Writer& Writer::value(std::uint64_t number) {
  state_->before_value();
  state_->out.append(std::to_string(number));
  return *this;
}
Writer& Writer::null() {
  state_->before_value();
  state_->out.append("null");
  return *this;
}

std::string Writer::take() {
  State::require(state_->open.empty() && !state_->out.empty(), "JSON that is not complete");
  return std::move(state_->out);
}

}  // namespace attest::json
