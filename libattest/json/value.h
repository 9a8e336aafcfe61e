// SPDX-License-Identifier: Apache-2.0

// Reading untrusted JSON (RFC 8259), strictly: UTF-8, no duplicate keys, at most 64 levels and 2^23
// keys and values, nothing after the value. Every Value knows its path, so that errors name it:
// "/event_log/pcrs/3".

#ifndef LIBATTEST_JSON_VALUE_H_
#define LIBATTEST_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attest::json {

class Value;

class Document {
 public:
  // `format` names the text in errors ("appraisal policy") and must outlive the Document (a
  // literal). Throws ParseError with the byte offset for what is not JSON or larger than `max_size`
  // bytes, and with the path for a duplicate key.
  static Document parse(std::string_view text, std::string_view format,
                        std::size_t max_size = std::size_t{256} << 20U);
  Document(Document&& other) noexcept;
  Document& operator=(Document&& other) noexcept;
  ~Document();

  Value root() const;

 private:
  friend class Value;
  struct Tree;
  explicit Document(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

// A view of one value in a Document, which must outlive it; moving the Document keeps it. Every
// accessor throws ParseError, with the path, when the value is not of the type it asks for.
class Value {
 public:
  bool is_null() const noexcept;
  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_string() const noexcept;

  std::string_view string() const;  // may hold NULs; views into the Document
  bool boolean() const;
  std::uint64_t number(std::uint64_t max) const;  // an integer from 0 to max

  // Arrays, in their order.
  std::size_t size() const;
  Value at(std::size_t index) const;
  // Objects, in the text's order.
  std::vector<std::pair<std::string_view, Value>> members() const;
  std::optional<Value> find(std::string_view key) const;  // null values are found, too
  Value at(std::string_view key) const;                   // throws when there is none
  // Throws for the first member whose key is not among `keys`.
  void only(std::initializer_list<std::string_view> keys) const;

  std::string path() const;  // RFC 6901; "" is the root
  // Throws ParseError with the document's format and this value's path.
  [[noreturn]] void fail(std::string_view why) const;

 private:
  friend class Document;
  Value(const Document::Tree* tree, std::uint32_t node) noexcept : tree_(tree), node_(node) {}

  const Document::Tree* tree_;
  std::uint32_t node_;  // its number in the tree
};

}  // namespace attest::json

#endif  // LIBATTEST_JSON_VALUE_H_
