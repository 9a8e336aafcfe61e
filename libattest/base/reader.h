// SPDX-License-Identifier: Apache-2.0

// Reading untrusted bytes.
//
// Every parser in libattest takes a Reader and names each field in the order
// the specification lists it, so that a parser can be checked against the
// specification's table line by line. A Reader never reads past its end: it
// throws ParseError, which carries the format, the offset and the field's name.

#ifndef LIBATTEST_BASE_READER_H_
#define LIBATTEST_BASE_READER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "libattest/base/error.h"

namespace attest {

using Bytes = std::span<const std::uint8_t>;

class Reader {
 public:
  // `format` names what is read, in errors; it must outlive the Reader (a literal).
  // `base` is the offset of `data` in the outermost input.
  Reader(Bytes data, std::string_view format, std::size_t base = 0)
      : data_(data), format_(format), base_(base) {}

  std::size_t remaining() const noexcept { return data_.size() - pos_; }
  bool done() const noexcept { return remaining() == 0; }
  // Offset of the next byte from the start of the outermost input.
  std::size_t offset() const noexcept { return base_ + pos_; }

  std::uint8_t u8(std::string_view field) { return take(1, field)[0]; }
  std::uint16_t u16be(std::string_view field) { return big<std::uint16_t>(field); }
  std::uint32_t u32be(std::string_view field) { return big<std::uint32_t>(field); }
  std::uint64_t u64be(std::string_view field) { return big<std::uint64_t>(field); }
  std::uint16_t u16le(std::string_view field) { return little<std::uint16_t>(field); }
  std::uint32_t u32le(std::string_view field) { return little<std::uint32_t>(field); }
  std::uint64_t u64le(std::string_view field) { return little<std::uint64_t>(field); }

  // The next `n` bytes, a view into the input.
  Bytes take(std::size_t n, std::string_view field) {
    if (n > remaining()) fail(field, "input ends inside this field");
    const Bytes out = data_.subspan(pos_, n);
    pos_ += n;
    return out;
  }
  // The next `n` bytes as a Reader of their own: nothing read through it can
  // reach past them.
  Reader sub(std::size_t n, std::string_view field) {
    const std::size_t at = offset();
    return {take(n, field), format_, at};
  }
  // All that is left, which may be nothing.
  Bytes rest() { return take(remaining(), "rest"); }
  // Throws unless every byte was read.
  void expect_end(std::string_view what) const {
    if (!done()) fail(what, "has bytes after its end");
  }
  [[noreturn]] void fail(std::string_view field, std::string_view why) const;

 private:
  template <std::unsigned_integral T>
  T big(std::string_view field) {
    return big<T>(take(sizeof(T), field), std::make_index_sequence<sizeof(T)>{});
  }
  template <std::unsigned_integral T>
  T little(std::string_view field) {
    return little<T>(take(sizeof(T), field), std::make_index_sequence<sizeof(T)>{});
  }
  // Without loops, so that compilers see that each is one load.
  template <std::unsigned_integral T, std::size_t... kAt>
  static T big(Bytes b, std::index_sequence<kAt...> /*places*/) {
    return static_cast<T>(((std::uint64_t{b[kAt]} << (8 * (sizeof(T) - 1 - kAt))) | ...));
  }
  template <std::unsigned_integral T, std::size_t... kAt>
  static T little(Bytes b, std::index_sequence<kAt...> /*places*/) {
    return static_cast<T>(((std::uint64_t{b[kAt]} << (8 * kAt)) | ...));
  }

  Bytes data_;
  std::string_view format_;
  std::size_t base_;
  std::size_t pos_ = 0;
};

}  // namespace attest

#endif  // LIBATTEST_BASE_READER_H_
