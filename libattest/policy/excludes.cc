// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/excludes.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/pattern.h"

namespace attest::policy {
namespace {

// RE2 compiles patterns to programs. One whose state machine does not fit its cache is run without
// one, a thousand times slower: patterns are joined up to a size that leaves the cache room, at
// this memory, and there are not more joined programs than cost a microsecond or so.
constexpr std::int64_t kMemory = std::int64_t{64} << 20U;
constexpr int kMaxProgram = 50'000;
constexpr int kMaxPrograms = 500'000;  // of all patterns

re2::RE2::Options options() {
  re2::RE2::Options o(
      re2::RE2::Latin1);  // a byte of a path is a character: paths need not be UTF-8
  o.set_log_errors(false);
  o.set_never_capture(true);
  o.set_max_mem(kMemory);
  return o;
}

bool matches(const re2::RE2& pattern, std::string_view path) {
  return pattern.Match(re2::StringPiece(path.data(), path.size()), 0, path.size(),
                       re2::RE2::ANCHOR_START, nullptr, 0);
}

struct Compiled {
  std::string text;  // in RE2's syntax
  int program = 0;   // size
};

// Compiles the pattern alone, so that it stands for itself when joined.
Compiled compile(const Excludes::Pattern& pattern, std::string_view format, bool allow_match_all) {
  const auto fail = [&](const std::string& why) {
    throw ParseError(format, pattern.place,
                     "exclude pattern \"" + printable(pattern.text, 80) + "\": " + why);
  };
  Compiled out;
  try {
    out.text = translate_pattern(pattern.text);
  } catch (const PatternError& e) {
    fail(e.what() + std::string(", which exclude patterns may not have"));
  }
  const re2::RE2 alone(out.text, options());
  if (!alone.ok()) fail("does not compile: " + alone.error());
  out.program = alone.ProgramSize();
  if (out.program > kMaxProgram) fail("too large when compiled");
  if (!allow_match_all && matches(alone, "")) fail("matches every path");
  return out;
}

}  // namespace

Excludes::Excludes() = default;

Excludes::Excludes(std::vector<Pattern> patterns, std::string_view format, bool allow_match_all) {
  std::string joined;
  int program = 0;
  int programs = 0;
  const auto finish = [&](const std::string& place) {
    auto all = std::make_shared<const re2::RE2>(joined, options());
    if (!all->ok()) throw ParseError(format, place, "joined patterns: " + all->error());
    joined_.push_back(std::move(all));
    joined.clear();
    program = 0;
  };
  for (Pattern& pattern : patterns) {
    const Compiled compiled = compile(pattern, format, allow_match_all);
    programs += compiled.program;
    if (programs > kMaxPrograms) {
      throw ParseError(format, pattern.place, "the exclude patterns are too many");
    }
    if (!joined.empty() && program + compiled.program > kMaxProgram) finish(pattern.place);
    joined.append(joined.empty() ? "(?:" : "|(?:").append(compiled.text).push_back(')');
    program += compiled.program;
    patterns_.push_back(std::move(pattern.text));
  }
  if (!joined.empty()) finish(patterns.back().place);
}

bool Excludes::match(std::string_view path) const {
  return std::any_of(joined_.begin(), joined_.end(),
                     [path](const auto& pattern) { return matches(*pattern, path); });
}

}  // namespace attest::policy
