// SPDX-License-Identifier: Apache-2.0

// Target: attest::boot::parse_config and check. Input: a configuration; its format is found out.
// Property: each problem is one printable line about a line that there is; each entry's lines are
// in order and within the text; what starts tboot has images; the same text has the same problems.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/boot/check.h"

using namespace attest;

namespace {

std::optional<boot::Config> checked(std::string_view text) {
  try {
    boot::Config config = boot::parse_config(text, std::nullopt);
    boot::check(config, text, {});
    return config;
  } catch (const ParseError&) {
    return std::nullopt;
  }
}

void check_problem(const boot::Problem& problem, std::size_t num_lines) {
  if (boot::id_of(problem.code) == "?" || problem.message.empty()) std::abort();
  if (problem.line && (*problem.line == 0 || *problem.line > num_lines)) std::abort();
  const bool one_line = std::none_of(problem.message.begin(), problem.message.end(),
                                     [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (!one_line || !is_utf8(problem.message)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const auto config = checked(text);
  if (!config) return 0;
  const auto num_lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const boot::Problem& problem : config->problems.all()) check_problem(problem, num_lines);
  for (const boot::Entry& entry : config->entries) {
    if (entry.line == 0 || entry.end_line < entry.line || entry.end_line > num_lines) std::abort();
    if (boot::starts_tboot(entry) && entry.images.empty()) std::abort();
    if (entry.starts == boot::Starts::kLinux && entry.images.empty()) std::abort();
  }
  const auto again = checked(text);
  if (!again || again->problems.all().size() != config->problems.all().size()) std::abort();
  return 0;
}
