// SPDX-License-Identifier: Apache-2.0

// Writing JSON. Strings that are not UTF-8 are made so by base/text's printable(): the caller does
// that where a string comes from evidence; here they are refused.

#ifndef LIBATTEST_JSON_WRITER_H_
#define LIBATTEST_JSON_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace attest::json {

// Calls out of order (a value without its key, two roots, a bracket that closes nothing) throw
// std::logic_error.
class Writer {
 public:
  enum class Style : std::uint8_t { kCompact, kIndented };
  explicit Writer(Style style = Style::kCompact);
  ~Writer();

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);  // std::invalid_argument for what is not UTF-8
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(bool flag);
  Writer& value(std::uint64_t number);
  Writer& value(std::uint32_t number) { return value(std::uint64_t{number}); }
  Writer& null();

  // key() and value(), or null() where there is no value.
  template <typename T>
  Writer& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  template <typename T>
  Writer& member(std::string_view name, const std::optional<T>& v) {
    key(name);
    return v ? value(*v) : null();
  }

  // The whole text. Every object and array must be closed.
  std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace attest::json

#endif  // LIBATTEST_JSON_WRITER_H_
