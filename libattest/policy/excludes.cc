// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/excludes.h"

#include <re2/re2.h>

#include <utility>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/pattern.h"

namespace attest::policy {
namespace {

constexpr std::size_t kMaxText = std::size_t{8} << 20U;  // of all patterns together
constexpr std::int64_t kMemory = std::int64_t{64} << 20U;
constexpr std::int64_t kMemoryAlone = std::int64_t{8} << 20U;

re2::RE2::Options options(std::int64_t memory) {
  re2::RE2::Options o(
      re2::RE2::Latin1);  // a byte of a path is a character: paths need not be UTF-8
  o.set_log_errors(false);
  o.set_never_capture(true);
  o.set_max_mem(memory);
  return o;
}

bool matches(const re2::RE2& pattern, std::string_view path) {
  return pattern.Match(re2::StringPiece(path.data(), path.size()), 0, path.size(),
                       re2::RE2::ANCHOR_START, nullptr, 0);
}

// The pattern in RE2's syntax. It is compiled alone, so that it stands for itself when joined.
std::string checked(const Excludes::Pattern& pattern, std::string_view format,
                    bool allow_match_all) {
  const auto fail = [&](const std::string& why) {
    throw ParseError(format, pattern.place,
                     "exclude pattern \"" + printable(pattern.text, 80) + "\": " + why);
  };
  std::string translated;
  try {
    translated = translate_pattern(pattern.text);
  } catch (const PatternError& e) {
    fail(e.what() + std::string(", which exclude patterns may not have"));
  }
  const re2::RE2 alone(translated, options(kMemoryAlone));
  if (!alone.ok()) fail("does not compile: " + alone.error());
  if (!allow_match_all && matches(alone, "")) fail("matches every path");
  return translated;
}

}  // namespace

Excludes::Excludes() = default;

Excludes::Excludes(std::vector<Pattern> patterns, std::string_view format, bool allow_match_all) {
  std::string joined;
  for (Pattern& pattern : patterns) {
    const std::string translated = checked(pattern, format, allow_match_all);
    joined.append(joined.empty() ? "(?:" : "|(?:").append(translated).push_back(')');
    if (joined.size() > kMaxText) throw ParseError(format, pattern.place, "too many patterns");
    patterns_.push_back(std::move(pattern.text));
  }
  if (patterns.empty()) return;
  auto all = std::make_shared<const re2::RE2>(joined, options(kMemory));
  if (!all->ok()) {
    throw ParseError(format, patterns.back().place,
                     "the exclude patterns together do not compile: " + all->error());
  }
  all_ = std::move(all);
}

// When the engine's cache is full it goes on without one, as linear and slower: the answer is right
// whenever there is one.
bool Excludes::match(std::string_view path) const {
  return all_ != nullptr && matches(*all_, path);
}

}  // namespace attest::policy
