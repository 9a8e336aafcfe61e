// SPDX-License-Identifier: Apache-2.0

// Target: attest::policy::parse_allowlist. Input: allowlist, checksum, excludelist, separated by
// lines of "----"; the latter two optional.
// Property: with a checksum, an accepted allowlist has it; every line of an accepted allowlist is
// found in the table (or among the keyrings), by a plain reading of the lines; no other path is.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/policy/runtime_policy.h"

using namespace attest;

namespace {

std::optional<std::string_view> split(std::string_view& text) {
  constexpr std::string_view kSeparator = "\n----\n";
  const std::size_t at = text.find(kSeparator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + kSeparator.size());
  text = text.substr(0, at);
  return rest;
}

void check_line(const policy::RuntimePolicy& rules, std::string_view line,
                std::set<std::string>& paths) {
  const std::size_t end = line.find_first_of(" \t\r\v\f");
  std::string_view digest = line.substr(0, end);
  const std::string path(strip(line.substr(end)));
  if (path.starts_with("%keyring:")) {
    if (!rules.keyrings.contains(path.substr(9))) std::abort();
    return;
  }
  paths.insert(path);
  std::string algorithm;
  if (const std::size_t colon = digest.find(':'); colon != std::string_view::npos) {
    algorithm = digest.substr(0, colon);
    if (algorithm == "sm3-256") algorithm = "sm3";
    digest.remove_prefix(colon + 1);
  } else {
    algorithm = "sha" + std::to_string(digest.size() * 4);
    if (algorithm == "sha160") algorithm = "sha1";
  }
  const auto value = from_hex(digest);
  if (!value) std::abort();
  if (rules.files.find(path, algorithm, *value) != policy::Listed::kYes) std::abort();
  auto other = *value;
  other.push_back(0);
  if (rules.files.find(path, algorithm, other) != policy::Listed::kOtherDigest) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view allowlist = as_text({data, size});
  std::optional<std::string_view> checksum = split(allowlist);
  std::optional<std::string_view> excludelist;
  if (checksum) excludelist = split(*checksum);
  if (checksum && checksum->empty()) checksum.reset();
  policy::RuntimePolicyOptions options;
  options.allow_sha1 = size % 2 == 0;
  policy::RuntimePolicy rules;
  try {
    rules = policy::parse_allowlist(allowlist, checksum, excludelist, options);
  } catch (const ParseError&) {
    return 0;
  }
  std::set<std::string> paths;
  Lines lines(allowlist);
  while (const auto line = lines.next()) {
    if (!strip(*line).empty()) check_line(rules, strip(*line), paths);
  }
  if (rules.files.num_paths() != paths.size()) std::abort();
  if (rules.files.entries().size() != rules.files.num_digests()) std::abort();
  if (!options.allow_sha1 && rules.files.has_algorithm("sha1")) std::abort();
  return 0;
}
