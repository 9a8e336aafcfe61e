// SPDX-License-Identifier: Apache-2.0

#include "libattest/json/value.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "libattest/base/error.h"
#include "libattest/base/text.h"

// RapidJSON's own checks must not abort the host process.
#define RAPIDJSON_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : throw std::logic_error("RapidJSON: " #condition))
// Its stack adds to a null pointer before the first allocation, which UBSan rightly reports.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

namespace attest::json {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = std::size_t{1} << 23U;

enum class Type : std::uint8_t {
  kNull,
  kFalse,
  kTrue,
  kNumber,       // 0 to 2^64 - 1
  kOtherNumber,  // any other
  kString,
  kKey,
  kArray,
  kObject,
};

struct Node {
  Type type = Type::kNull;
  std::uint32_t parent = 0;  // its container's number in the tree
  // A number itself; or, for strings and keys, where in the texts (upper half) and how long (lower
  // half); or, for containers, the first child's number and how many there are: an object's
  // children are its keys, each followed by its value.
  std::uint64_t data = 0;

  std::uint32_t first() const noexcept { return static_cast<std::uint32_t>(data >> 32U); }
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(data); }
  bool is_container() const noexcept { return type == Type::kArray || type == Type::kObject; }
};

constexpr std::uint64_t range(std::size_t first, std::size_t count) noexcept {
  return std::uint64_t{first} << 32U | count;
}

// RFC 6901, section 3.
void append_token(std::string& path, std::string_view token) {
  path.push_back('/');
  for (const char c : token) {
    if (c == '~') {
      path.append("~0");
    } else if (c == '/') {
      path.append("~1");
    } else {
      path.push_back(c);
    }
  }
}

std::string place_of(std::string_view path) { return path.empty() ? "top level" : printable(path); }

struct Nodes {
  std::string_view format;
  std::string texts;
  std::vector<Node> nodes;  // the root is the last

  std::string_view text(const Node& node) const {
    return std::string_view(texts).substr(node.first(), node.count());
  }
};

// RapidJSON takes null for an answer and writes to it. It calls these on an object.
// NOLINTBEGIN(readability-convert-member-functions-to-static)
class Allocator {
 public:
  [[maybe_unused]] static const bool kNeedFree = true;
  void* Malloc(std::size_t size) {
    if (size == 0) return nullptr;
    return checked(std::malloc(size));
  }
  void* Realloc(void* old, std::size_t /*old_size*/, std::size_t size) {
    if (size != 0) return checked(std::realloc(old, size));
    std::free(old);
    return nullptr;
  }
  static void Free(void* p) { std::free(p); }

 private:
  static void* checked(void* p) {
    if (p == nullptr) throw std::bad_alloc();
    return p;
  }
};
// NOLINTEND(readability-convert-member-functions-to-static)

// Takes RapidJSON's events and lays out the tree: the children of a container lie side by side, so
// that each is found by its number.
class Builder {
 public:
  explicit Builder(Nodes& tree) : tree_(tree) {}

  bool Null() { return add(Type::kNull, 0); }
  bool Bool(bool flag) { return add(flag ? Type::kTrue : Type::kFalse, 0); }
  bool Int(int /*number*/) { return add(Type::kOtherNumber, 0); }  // signed means negative, or "-0"
  bool Int64(std::int64_t /*number*/) { return add(Type::kOtherNumber, 0); }
  bool Uint(unsigned number) { return add(Type::kNumber, number); }
  bool Uint64(std::uint64_t number) { return add(Type::kNumber, number); }
  bool Double(double /*number*/) { return add(Type::kOtherNumber, 0); }
  // Never asked for.
  static bool RawNumber(const char* /*s*/, rapidjson::SizeType /*size*/, bool /*copy*/) {
    return false;
  }
  bool String(const char* s, rapidjson::SizeType size, bool /*copy*/) {
    return text(Type::kString, s, size);
  }
  bool Key(const char* s, rapidjson::SizeType size, bool /*copy*/) {
    return text(Type::kKey, s, size);
  }
  bool StartObject() { return start(Type::kObject); }
  bool StartArray() { return start(Type::kArray); }
  bool EndObject(rapidjson::SizeType /*count*/) { return refuse_duplicates() && end(); }
  bool EndArray(rapidjson::SizeType /*count*/) { return end(); }

  // The root is what is left.
  void finish() { adopt(pending_.front()); }

  // Why an event was refused, and the path where that says more than the offset.
  const std::string& why() const noexcept { return why_; }
  const std::optional<std::string>& path() const noexcept { return path_; }

 private:
  struct Open {
    Type type;
    std::size_t start;  // of its children in pending_
  };

  bool refuse(std::string_view why) {
    why_ = why;
    return false;
  }

  bool add(Type type, std::uint64_t data) {
    if (tree_.nodes.size() + pending_.size() >= kMaxNodes) return refuse("too many values");
    pending_.push_back(Node{type, 0, data});
    return true;
  }

  bool text(Type type, const char* s, std::size_t size) {
    const std::string_view view(s, size);
    // RapidJSON 1.1 lets the escape of a lone low surrogate through.
    if (!is_utf8(view)) return refuse("a string that is not UTF-8");
    const std::size_t at = tree_.texts.size();
    tree_.texts.append(view);
    return add(type, range(at, size));
  }

  bool start(Type type) {
    if (open_.size() == kMaxDepth) return refuse("nested too deeply");
    open_.push_back({type, pending_.size()});
    return true;
  }

  bool end() {
    const Open container = open_.back();
    const std::size_t first = tree_.nodes.size();
    const std::size_t count = pending_.size() - container.start;
    for (std::size_t i = container.start; i < pending_.size(); ++i) adopt(pending_[i]);
    pending_.resize(container.start);
    open_.pop_back();
    return add(container.type, range(first, count));
  }

  // Gives a node its place in the tree; only now can its children know where their parent is.
  void adopt(const Node& node) {
    const auto number = static_cast<std::uint32_t>(tree_.nodes.size());
    if (node.is_container()) set_parent(node, number);
    tree_.nodes.push_back(node);
  }
  void set_parent(const Node& node, std::uint32_t number) {
    for (std::uint32_t i = 0; i < node.count(); ++i) tree_.nodes[node.first() + i].parent = number;
  }

  // By sorting: quadratic work would be a hostile text's to ask for, and so would hash collisions.
  bool refuse_duplicates() {
    keys_.clear();
    for (std::size_t i = open_.back().start; i < pending_.size(); i += 2) {
      keys_.push_back(tree_.text(pending_[i]));
    }
    std::sort(keys_.begin(), keys_.end());
    const auto twice = std::adjacent_find(keys_.begin(), keys_.end());
    if (twice == keys_.end()) return true;
    path_ = open_path();
    append_token(*path_, *twice);
    return refuse("this key is there twice");
  }

  // Path of the innermost open container.
  std::string open_path() const {
    std::string path;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      const std::size_t child = open_[i + 1].start;
      if (open_[i].type == Type::kObject) {
        append_token(path, tree_.text(pending_[child - 1]));
      } else {
        append_token(path, std::to_string(child - open_[i].start));
      }
    }
    return path;
  }

  Nodes& tree_;
  std::vector<Node> pending_;  // values whose container is still open
  std::vector<Open> open_;
  std::vector<std::string_view> keys_;
  std::string why_;
  std::optional<std::string> path_;
};

}  // namespace

struct Document::Tree : Nodes {};

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Document Document::parse(std::string_view text, std::string_view format, std::size_t max_size) {
  constexpr std::size_t kMostSize = 0xffffffff;  // Node's offsets have 32 bits
  max_size = std::min(max_size, kMostSize);
  if (text.size() > max_size) {
    throw ParseError(format, max_size, "JSON",
                     "longer than " + std::to_string(max_size) + " bytes");
  }
  auto tree = std::make_unique<Tree>();
  tree->format = format;
  Builder builder(*tree);
  rapidjson::MemoryStream stream(text.data(), text.size());
  Allocator allocator;
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, Allocator> reader(&allocator);
  // Iterative: the depth of untrusted text must not become depth of the thread's stack.
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (result.IsError()) {
    if (builder.path()) throw ParseError(format, place_of(*builder.path()), builder.why());
    std::string_view why = builder.why();
    if (why.empty()) why = rapidjson::GetParseError_En(result.Code());
    if (why.ends_with('.')) why.remove_suffix(1);
    throw ParseError(format, std::min(result.Offset(), text.size()), "JSON", why);
  }
  // RapidJSON takes a NUL for the end of its input.
  if (stream.Tell() != text.size()) {
    throw ParseError(format, stream.Tell(), "JSON", "has bytes after its end");
  }
  builder.finish();
  return Document(std::move(tree));
}

Value Document::root() const {
  return {tree_.get(), static_cast<std::uint32_t>(tree_->nodes.size() - 1)};
}

bool Value::is_null() const noexcept { return tree_->nodes[node_].type == Type::kNull; }
bool Value::is_object() const noexcept { return tree_->nodes[node_].type == Type::kObject; }
bool Value::is_array() const noexcept { return tree_->nodes[node_].type == Type::kArray; }
bool Value::is_string() const noexcept { return tree_->nodes[node_].type == Type::kString; }

std::string_view Value::string() const {
  if (!is_string()) fail("is not a string");
  return tree_->text(tree_->nodes[node_]);
}

bool Value::boolean() const {
  const Type type = tree_->nodes[node_].type;
  if (type != Type::kTrue && type != Type::kFalse) fail("is not true or false");
  return type == Type::kTrue;
}

std::uint64_t Value::number(std::uint64_t max) const {
  const Node& node = tree_->nodes[node_];
  if (node.type != Type::kNumber || node.data > max) {
    fail("is not a whole number from 0 to " + std::to_string(max));
  }
  return node.data;
}

std::size_t Value::size() const {
  if (!is_array()) fail("is not an array");
  return tree_->nodes[node_].count();
}

Value Value::at(std::size_t index) const {
  if (index >= size()) fail("has no element " + std::to_string(index));
  return {tree_, static_cast<std::uint32_t>(tree_->nodes[node_].first() + index)};
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  if (!is_object()) fail("is not an object");
  const Node& node = tree_->nodes[node_];
  std::vector<std::pair<std::string_view, Value>> out;
  out.reserve(node.count() / 2);
  for (std::uint32_t i = 0; i < node.count(); i += 2) {
    out.emplace_back(tree_->text(tree_->nodes[node.first() + i]),
                     Value(tree_, node.first() + i + 1));
  }
  return out;
}

std::optional<Value> Value::find(std::string_view key) const {
  if (!is_object()) fail("is not an object");
  const Node& node = tree_->nodes[node_];
  for (std::uint32_t i = 0; i < node.count(); i += 2) {
    if (tree_->text(tree_->nodes[node.first() + i]) == key) {
      return Value(tree_, node.first() + i + 1);
    }
  }
  return std::nullopt;
}

Value Value::at(std::string_view key) const {
  const std::optional<Value> value = find(key);
  if (!value) fail("has no \"" + printable(key) + "\"");
  return *value;
}

void Value::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : members()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) value.fail("unknown key");
  }
}

std::string Value::path() const {
  std::vector<std::uint32_t> way;
  const auto root = static_cast<std::uint32_t>(tree_->nodes.size() - 1);
  for (std::uint32_t n = node_; n != root; n = tree_->nodes[n].parent) way.push_back(n);
  std::string path;
  for (auto n = way.rbegin(); n != way.rend(); ++n) {
    const Node& parent = tree_->nodes[tree_->nodes[*n].parent];
    if (parent.type == Type::kObject) {
      append_token(path, tree_->text(tree_->nodes[*n - 1]));
    } else {
      append_token(path, std::to_string(*n - parent.first()));
    }
  }
  return path;
}

void Value::fail(std::string_view why) const {
  throw ParseError(tree_->format, place_of(path()), why);
}

}  // namespace attest::json
