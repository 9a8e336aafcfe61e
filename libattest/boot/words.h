// SPDX-License-Identifier: Apache-2.0

// A line of a boot configuration, word by word.

#ifndef LIBATTEST_BOOT_WORDS_H_
#define LIBATTEST_BOOT_WORDS_H_

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "libattest/base/text.h"

namespace attest::boot {

// Takes words off the front of a line. Words have white space between them.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(strip(line)) {}
  bool done() const noexcept { return rest_.empty(); }
  // The next word; empty at the end.
  std::string_view next() noexcept {
    std::size_t end = 0;
    while (end < rest_.size() && !is_space(rest_[end])) ++end;
    const std::string_view word = rest_.substr(0, end);
    rest_ = strip(rest_.substr(end));
    return word;
  }
  // All that is left, without white space around it.
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Whether `word` is `lower`, in upper or lower case.
constexpr bool is_keyword(std::string_view word, std::string_view lower) noexcept {
  if (word.size() != lower.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (to_lower(word[i]) != lower[i]) return false;
  }
  return true;
}

inline bool is_any(std::string_view word, std::initializer_list<std::string_view> of) noexcept {
  return std::ranges::find(of, word) != of.end();
}

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_WORDS_H_
