// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

namespace attest::net {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Takes what it is asked for off the front of a text, or fails for good.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}

  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return rest_.empty(); }
  bool next_is(char c) const noexcept { return rest_.starts_with(c); }
  void fail() noexcept { good_ = false; }
  void expect(char c) noexcept { good_ = accept(c) && good_; }
  bool accept(char c) noexcept {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A number of exactly so many digits.
  unsigned number(std::size_t digits) noexcept {
    const std::string_view text = rest_.substr(0, digits);
    if (text.size() != digits || !std::ranges::all_of(text, is_digit)) {
      good_ = false;
      return 0;
    }
    rest_.remove_prefix(digits);
    unsigned value = 0;
    for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
    return value;
  }
  // The place of a word of three letters among `words`.
  unsigned word(Words words) noexcept {
    const auto found = std::ranges::find(words, rest_.substr(0, 3));
    if (found == words.end()) {
      good_ = false;
      return 0;
    }
    rest_.remove_prefix(3);
    return static_cast<unsigned>(found - words.begin());
  }
  void skip_digits(std::size_t at_most) noexcept {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    good_ = good_ && count > 0 && count <= at_most;
    rest_.remove_prefix(count);
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct Clock {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;

  bool ok() const noexcept { return hour < 24 && minute < 60 && second <= 60; }  // a leap second
  std::int64_t seconds() const noexcept { return (hour * 60 + minute) * 60 + second; }
};

Clock read_clock(Cursor& in) noexcept {
  Clock clock;
  clock.hour = in.number(2);
  in.expect(':');
  clock.minute = in.number(2);
  in.expect(':');
  clock.second = in.number(2);
  return clock;
}

// Seconds east of UTC.
std::int64_t read_offset(Cursor& in) noexcept {
  if (in.at_end() || in.accept('Z')) return 0;
  const bool west = in.accept('-');
  if (!west) in.expect('+');
  Clock offset;
  offset.hour = in.number(2);
  const bool colon = in.accept(':');
  if (colon || !in.at_end()) offset.minute = in.number(2);
  if (!offset.ok()) in.fail();
  return west ? -offset.seconds() : offset.seconds();
}

std::optional<std::int64_t> join(const std::chrono::year_month_day& date, const Clock& clock,
                                 std::int64_t offset) noexcept {
  if (!date.ok() || !clock.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * 86400 + clock.seconds() - offset;
  return seconds < 0 ? std::nullopt : std::optional(seconds);
}

std::chrono::year_month_day date_of(unsigned year, unsigned month, unsigned day) noexcept {
  return std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) /
         std::chrono::day(day);
}

std::optional<std::int64_t> parse_iso(std::string_view text) noexcept {
  constexpr std::size_t kFraction = 9;
  Cursor in(text);
  const unsigned year = in.number(4);
  in.expect('-');
  const unsigned month = in.number(2);
  in.expect('-');
  const unsigned day = in.number(2);
  if (!in.accept(' ')) in.expect('T');
  const Clock clock = read_clock(in);
  if (in.accept('.') || in.accept(',')) in.skip_digits(kFraction);
  const std::int64_t offset = read_offset(in);
  if (!in.good() || !in.at_end()) return std::nullopt;
  return join(date_of(year, month, day), clock, offset);
}

// A weekday that is not the date's says that something else was meant.
std::optional<std::int64_t> parse_asctime(std::string_view text) noexcept {
  Cursor in(text);
  const unsigned weekday = in.word(kWeekdays);
  in.expect(' ');
  const unsigned month = in.word(kMonths) + 1;
  in.expect(' ');
  const unsigned day = in.number(in.accept(' ') ? 1 : 2);
  in.expect(' ');
  const Clock clock = read_clock(in);
  in.expect(' ');
  const unsigned year = in.number(4);
  if (!in.good() || !in.at_end()) return std::nullopt;
  const auto date = date_of(year, month, day);
  const auto seconds = join(date, clock, 0);
  if (!seconds || std::chrono::weekday(std::chrono::sys_days(date)).c_encoding() != weekday) {
    return std::nullopt;
  }
  return seconds;
}

}  // namespace

std::optional<std::int64_t> parse_oat_time(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  return is_digit(text.front()) ? parse_iso(text) : parse_asctime(text);
}

}  // namespace attest::net
