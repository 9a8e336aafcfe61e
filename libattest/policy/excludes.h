// SPDX-License-Identifier: Apache-2.0

// Exclude patterns: regular expressions that begin to match at the start of a path, as Keylime's do
// (Python's re.match), in a subset that Python and RE2 read alike. The paths come from the node, so
// the engine is linear in their length.

#ifndef LIBATTEST_POLICY_EXCLUDES_H_
#define LIBATTEST_POLICY_EXCLUDES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace attest::policy {

// Immutable and cheap to copy; any number of threads may ask.
class Excludes {
 public:
  struct Pattern {
    std::string text;
    std::string place;  // "line 3" or a JSON path, for errors
  };

  Excludes();  // excludes nothing
  // Throws ParseError(format, place, why) for the first pattern that is outside the subset
  // (pattern.h), does not compile, or, without `allow_match_all`, matches the empty path and so
  // every path.
  Excludes(std::vector<Pattern> patterns, std::string_view format, bool allow_match_all);

  bool empty() const noexcept { return patterns_.empty(); }
  const std::vector<std::string>& patterns() const noexcept { return patterns_; }
  // Throws std::bad_alloc when memory runs out: neither answer would be true.
  bool match(std::string_view path) const;

 private:
  std::vector<std::string> patterns_;
  std::vector<std::shared_ptr<const re2::RE2>> joined_;  // most often one
};

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_EXCLUDES_H_
