// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/pattern.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "libattest/base/text.h"

namespace attest::policy {
namespace {

constexpr std::size_t kMaxPattern = 8192;  // twice Linux's PATH_MAX
constexpr std::size_t kMaxDepth = 100;
constexpr std::uint64_t kMaxRepeat = 1000;  // RE2's own limit

using Set = std::bitset<256>;

constexpr bool is_ascii(char c) noexcept { return static_cast<std::uint8_t>(c) < 0x80; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void insert(Set& set, char from, char to) {
  for (unsigned b = static_cast<std::uint8_t>(from); b <= static_cast<std::uint8_t>(to); ++b) {
    set.set(b);
  }
}

// The set of \d, \w, \s, \D, \W or \S; nothing for any other letter.
std::optional<Set> class_of(char letter) {
  Set set;
  switch (letter) {
    case 'd':
    case 'D':
      insert(set, '0', '9');
      break;
    case 'w':
    case 'W':
      insert(set, '0', '9');
      insert(set, 'A', 'Z');
      insert(set, 'a', 'z');
      insert(set, '_', '_');
      break;
    case 's':
    case 'S':
      insert(set, '\t', '\r');  // with \v, which RE2's \s lacks
      insert(set, ' ', ' ');
      break;
    default:
      return std::nullopt;
  }
  return letter >= 'a' ? set : ~set;
}

void append_byte(std::string& out, std::size_t byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.append("\\x");
  out.push_back(kHex[byte >> 4U]);
  out.push_back(kHex[byte & 0xfU]);
}

void append_set(std::string& out, const Set& set) {
  out.push_back('[');
  for (std::size_t b = 0; b < set.size(); ++b) {
    if (!set[b]) continue;
    std::size_t last = b;
    while (last + 1 < set.size() && set[last + 1]) ++last;
    append_byte(out, b);
    if (last != b) {
      out.push_back('-');
      append_byte(out, last);
    }
    b = last;
  }
  out.push_back(']');
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  std::string translate() {
    while (!done()) element();
    if (!open_.empty()) fail("a ( that is never closed", open_.back());
    return std::move(out_);
  }

 private:
  // What a repetition would repeat.
  enum class Before : std::uint8_t { kNothing, kAnchor, kElement, kRepetition };

  bool done() const noexcept { return at_ == in_.size(); }
  char peek() const noexcept { return in_[at_]; }
  bool ahead(std::string_view text) const noexcept { return in_.substr(at_).starts_with(text); }
  bool skip(std::string_view text) noexcept {
    if (!ahead(text)) return false;
    at_ += text.size();
    return true;
  }
  [[noreturn]] void fail(std::string_view what) const { fail(what, at_); }
  [[noreturn]] static void fail(std::string_view what, std::size_t at) {
    throw PatternError("column " + std::to_string(at + 1) + ": " + std::string(what));
  }

  void element() {
    switch (peek()) {
      case '(':
        return group();
      case ')':
        return close();
      case '|':
        ++at_;
        out_.push_back('|');
        before_ = Before::kNothing;
        return;
      case '[':
        return set();
      case '\\':
        return escape();
      case '*':
      case '+':
      case '?':
      case '{':
        return repetition();
      case '^':
        ++at_;
        return anchor("\\A");
      case '$':
        ++at_;
        return anchor("\\z");
      case '.':
        ++at_;
        out_.append("[^\\n]");
        before_ = Before::kElement;
        return;
      default:
        return literal();
    }
  }

  void anchor(std::string_view translation) {
    out_.append(translation);
    before_ = Before::kAnchor;
  }

  void group() {
    if (open_.size() == kMaxDepth) fail("groups nested too deeply");
    open_.push_back(at_);
    if (ahead("(?")) {
      if (!ahead("(?:")) fail(extension());
      at_ += 3;
    } else {
      ++at_;
    }
    out_.append("(?:");
    before_ = Before::kNothing;
  }

  // Name of the group that begins with "(?" here.
  std::string_view extension() const {
    if (ahead("(?=") || ahead("(?!") || ahead("(?<=") || ahead("(?<!")) return "look-around";
    if (ahead("(?P=")) return "a back-reference";
    if (ahead("(?P<") || ahead("(?<")) return "a named group";
    if (ahead("(?>")) return "an atomic group";
    if (ahead("(?(")) return "a conditional";
    if (ahead("(?#")) return "a comment";
    return "inline flags";
  }

  void close() {
    if (open_.empty()) fail("a ) without its (");
    open_.pop_back();
    ++at_;
    out_.push_back(')');
    before_ = Before::kElement;
  }

  void literal() {
    if (is_ascii(peek())) {
      append_literal(peek());
      ++at_;
    } else {
      // What repeats is a letter, not the last of its bytes.
      out_.append("(?:");
      do {
        append_byte(out_, static_cast<std::uint8_t>(peek()));
        ++at_;
      } while (!done() && (static_cast<std::uint8_t>(peek()) & 0xc0U) == 0x80);
      out_.push_back(')');
    }
    before_ = Before::kElement;
  }

  void append_literal(char c) {
    if (is_letter(c) || is_digit(c) || c == '/' || c == '_') {
      out_.push_back(c);
    } else {
      append_byte(out_, static_cast<std::uint8_t>(c));
    }
  }

  void escape() {
    const std::size_t start = at_++;
    if (done()) fail("a \\ at the end", start);
    const char c = peek();
    if (const auto set = class_of(c)) {
      append_set(out_, *set);
      before_ = Before::kElement;
    } else if (c == 'A') {
      anchor("\\A");
    } else if (c == 'Z') {
      anchor("\\z");
    } else {
      append_literal(escaped(start));
      before_ = Before::kElement;
    }
    ++at_;
  }

  // The character that an escape stands for, which begins at `start` and whose second character is
  // the next one.
  char escaped(std::size_t start) const {
    const char c = peek();
    if (c >= '1' && c <= '9') fail("a back-reference", start);
    if (c == 'b' || c == 'B') fail("a word boundary", start);
    if (is_letter(c) || is_digit(c)) fail(std::string("the escape \\") + c, start);
    if (!is_ascii(c) || c < ' ') fail("an escape of what needs none", start);
    return c;
  }

  void repetition() {
    const std::size_t start = at_;
    if (before_ == Before::kNothing) fail("a repetition of nothing");
    if (before_ == Before::kAnchor) fail("a repetition of an anchor");
    if (before_ == Before::kRepetition) fail("a repetition of a repetition");
    if (peek() == '{') {
      count();
    } else {
      out_.push_back(peek());
      ++at_;
    }
    if (skip("?")) out_.push_back('?');
    if (!done() && peek() == '+') fail("a possessive repetition", start);
    before_ = Before::kRepetition;
  }

  // {m}, {m,} or {m,n}
  void count() {
    const std::size_t start = at_++;
    if (ahead(",")) fail("a repetition without its least count", start);
    const std::uint64_t least = number(start);
    out_.append("{").append(std::to_string(least));
    if (skip(",")) {
      out_.push_back(',');
      if (!ahead("}")) {
        const std::uint64_t most = number(start);
        if (most < least) fail("a repetition whose least count is above its most", start);
        out_.append(std::to_string(most));
      }
    }
    if (!skip("}")) fail("a { that begins no repetition (write \\{)", start);
    out_.push_back('}');
  }

  std::uint64_t number(std::size_t start) {
    std::uint64_t value = 0;
    const std::size_t first = at_;
    while (!done() && is_digit(peek())) {
      value = value * 10 + static_cast<std::uint64_t>(peek() - '0');
      if (value > kMaxRepeat) fail("a repetition count above 1000", start);
      ++at_;
    }
    if (at_ == first) fail("a { that begins no repetition (write \\{)", start);
    return value;
  }

  void set() {
    const std::size_t start = at_++;
    const bool negated = skip("^");
    Set set;
    bool first = true;
    while (first || done() || peek() != ']') {
      if (done()) fail("a [ that is never closed", start);
      set_item(set, start);
      first = false;
    }
    ++at_;
    if (negated) set = ~set;
    if (set.none()) fail("a set that holds nothing", start);
    append_set(out_, set);
    before_ = Before::kElement;
  }

  // A character, a range of them or a class.
  void set_item(Set& set, std::size_t start) {
    const std::size_t item = at_;
    if (ahead("[:") || ahead("[.") || ahead("[=")) fail("a POSIX class");
    // Python warns that a later version may read these as operations on sets.
    if (ahead("--") || ahead("&&") || ahead("~~") || ahead("||")) fail("a set operation");
    if (peek() == '\\' && at_ + 1 < in_.size()) {
      if (const auto named = class_of(in_[at_ + 1])) {
        at_ += 2;
        if (range_follows()) fail("a range that begins with a class", item);
        set |= *named;
        return;
      }
    }
    const char from = set_character(start);
    char to = from;
    if (range_follows()) {
      ++at_;
      to = set_character(start);
    }
    if (to < from) fail("a range that ends before it begins", item);
    insert(set, from, to);
  }

  bool range_follows() const noexcept {
    return ahead("-") && at_ + 1 < in_.size() && in_[at_ + 1] != ']';
  }

  char set_character(std::size_t start) {
    char c = peek();
    if (!is_ascii(c)) fail("a character outside ASCII in a set");
    if (c == '\\') {
      const std::size_t escape = at_++;
      if (done()) fail("a [ that is never closed", start);
      if (class_of(peek())) fail("a range that ends with a class", escape);
      c = escaped(escape);
    }
    ++at_;
    return c;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<std::size_t> open_;  // where the open groups began
  Before before_ = Before::kNothing;
};

}  // namespace

std::string translate_pattern(std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    throw PatternError("longer than " + std::to_string(kMaxPattern) + " bytes");
  }
  return Translator(pattern).translate();
}

}  // namespace attest::policy
