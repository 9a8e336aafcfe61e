// SPDX-License-Identifier: Apache-2.0

// Untrusted text: made harmless for messages, and read in lines and numbers.

#ifndef LIBATTEST_BASE_TEXT_H_
#define LIBATTEST_BASE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/base/reader.h"

namespace attest {

inline std::string_view as_text(Bytes bytes) noexcept {
  // char may alias anything ([basic.lval]); this is the one place that says so.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A code point and how many bytes of UTF-8 it takes (RFC 3629, section 4); 0: not well formed.
struct CodePoint {
  std::size_t length = 0;
  std::uint32_t value = 0;
};
// That at the front of `text`, which is not empty.
CodePoint front_code_point(std::string_view text) noexcept;

// Whether it is a control character, changes how the text around it is shown, or shows as nothing.
bool is_deceptive(std::uint32_t code_point) noexcept;

// `text` for a log line or a message: printable ASCII and well-formed UTF-8 letters stay, the
// rest (control characters, bidirectional overrides, broken UTF-8) becomes \xNN, a backslash is
// doubled, and what is longer than `max` bytes of output ends in "...".
std::string printable(std::string_view text, std::size_t max = 256);

// Whether all of `text` is well-formed UTF-8 (RFC 3629); it may hold any code point, NUL included.
bool is_utf8(std::string_view text) noexcept;

// A decimal number without sign, leading zeros or anything around it, at most `max`.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) noexcept;

// Space, tab, CR, LF, VT and FF, as C's isspace in the "C" locale: the caller's locale is not ours.
constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
std::string_view strip(std::string_view text) noexcept;

// Takes lines off the front of a text. The last line may lack its newline.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  // The next line without its '\n'; nothing at the end.
  std::optional<std::string_view> next() noexcept;
  // Number of the line that next() returned last, from 1.
  std::size_t number() const noexcept { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

}  // namespace attest

#endif  // LIBATTEST_BASE_TEXT_H_
