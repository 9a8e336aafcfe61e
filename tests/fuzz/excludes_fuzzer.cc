// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::Excludes. Input: a pattern, a second pattern and a path, by newlines.
// Property: joined patterns match what one of them matches; answers are the same every time; what
// only literals make matches exactly what begins with them; nothing takes long (libFuzzer's
// -timeout).

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/excludes.h"

using namespace attest;

namespace {

std::optional<policy::Excludes> compile(const std::vector<std::string_view>& patterns) {
  std::vector<policy::Excludes::Pattern> list;
  for (const std::string_view pattern : patterns) list.push_back({std::string(pattern), "line 1"});
  try {
    return policy::Excludes(std::move(list), "excludelist", true);
  } catch (const ParseError&) {
    return std::nullopt;
  }
}

bool is_literal(std::string_view pattern) {
  return pattern.find_first_of("\\[](){}.*+?|^$") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = as_text({data, size});
  const auto take = [&rest] {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
  };
  const std::string_view first = take();
  const std::string_view second = take();
  const std::string_view path = rest;

  const auto a = compile({first});
  const auto b = compile({second});
  const auto both = compile({first, second});
  if (!a || !b) {
    if (both) std::abort();
    return 0;
  }
  const bool matches = a->match(path);
  if (matches != a->match(path)) std::abort();
  if (is_literal(first) && matches != path.starts_with(first)) std::abort();
  // Together they may need more memory than is allowed; what compiles agrees.
  if (both && both->match(path) != (matches || b->match(path))) std::abort();
  return 0;
}
