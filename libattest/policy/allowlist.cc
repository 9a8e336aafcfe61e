// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/policy/allowed_digest.h"
#include "libattest/policy/runtime_policy.h"

namespace attest::policy {
namespace {

constexpr std::string_view kAllowlist = "allowlist";
constexpr std::string_view kChecksum = "allowlist checksum";
constexpr std::string_view kExcludelist = "excludelist";
constexpr std::string_view kKeyring = "%keyring:";
constexpr std::size_t kMaxAllowlist = std::size_t{1} << 30U;
constexpr std::size_t kMaxExcludelist = std::size_t{16} << 20U;

std::string line_place(std::size_t number) { return "line " + std::to_string(number); }

// One line as sha256sum writes it, the file's name and the newline optional.
crypto::Digest parse_checksum(std::string_view text) {
  const auto fail = [](std::string_view why) { throw ParseError(kChecksum, line_place(1), why); };
  constexpr std::size_t kDigits = 64;
  std::vector<std::uint8_t> digest(kDigits / 2);
  if (text.size() < kDigits || !from_hex(text.substr(0, kDigits), digest)) {
    fail("does not begin with 64 hexadecimal digits (SHA-256)");
  }
  text.remove_prefix(kDigits);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.empty()) {
    const bool named = (text.starts_with("  ") || text.starts_with(" *")) && text.size() > 2;
    if (!named) fail("what follows the digest is not two spaces, or a space and *, and a name");
    if (text.find('\n') != std::string_view::npos) fail("more than one line");
  }
  return crypto::Digest(digest);
}

void compare_checksum(std::string_view allowlist, std::string_view checksum) {
  const crypto::Digest expected = parse_checksum(checksum);
  crypto::Hasher sha256(crypto::Hash::kSha256);
  const crypto::Digest found = sha256(as_bytes(allowlist));
  if (found == expected) return;
  throw ParseError(kAllowlist, "checksum mismatch",
                   "the allowlist's SHA-256 is " + to_hex(found.bytes()) + ", its checksum says " +
                       to_hex(expected.bytes()));
}

void add_line(RuntimePolicy& out, std::string_view line, std::size_t number,
              const RuntimePolicyOptions& options) {
  const auto fail = [&](std::string_view why) {
    throw ParseError(kAllowlist, line_place(number), why);
  };
  std::size_t end = 0;
  while (end < line.size() && !is_space(line[end])) ++end;
  auto digest = parse_allowed_digest(line.substr(0, end), options);
  if (const auto* why = std::get_if<std::string>(&digest)) fail(*why);
  auto& allowed = std::get<AllowedDigest>(digest);
  const std::string_view path = strip(line.substr(end));
  if (path.empty()) fail("a digest without a path");
  if (path.find('\0') != std::string_view::npos) fail("a path with a NUL in it");
  if (path.starts_with(kKeyring)) {
    const std::string_view name = path.substr(kKeyring.size());
    if (name.empty()) fail("%keyring: without a keyring's name");
    out.keyrings[std::string(name)].push_back(std::move(allowed));
  } else {
    out.files.add(path, allowed.algorithm, allowed.value.bytes());
  }
}

std::vector<Excludes::Pattern> parse_excludelist(std::string_view text) {
  if (text.size() > kMaxExcludelist) {
    throw ParseError(kExcludelist, line_place(1), "longer than 16 MiB");
  }
  std::vector<Excludes::Pattern> patterns;
  Lines lines(text);
  while (const auto line = lines.next()) {
    const std::string_view pattern = strip(*line);
    if (pattern.empty() || pattern.starts_with('#')) continue;
    patterns.push_back({std::string(pattern), line_place(lines.number())});
  }
  return patterns;
}

}  // namespace

RuntimePolicy parse_allowlist(std::string_view allowlist, std::optional<std::string_view> checksum,
                              std::optional<std::string_view> excludelist,
                              const RuntimePolicyOptions& options) {
  if (checksum) compare_checksum(allowlist, *checksum);
  if (allowlist.size() > kMaxAllowlist) {
    throw ParseError(kAllowlist, line_place(1), "longer than 1 GiB");
  }
  RuntimePolicy out;
  bool first = true;
  Lines lines(allowlist);
  while (const auto line = lines.next()) {
    const std::string_view text = strip(*line);
    if (text.empty()) continue;
    if (std::exchange(first, false) && text.starts_with('{')) {
      throw ParseError(kAllowlist, line_place(lines.number()),
                       "this is JSON: give it as a runtime policy (--runtime-policy)");
    }
    add_line(out, text, lines.number(), options);
  }
  out.files.seal();
  if (excludelist) {
    out.excludes = Excludes(parse_excludelist(*excludelist), kExcludelist, options.allow_match_all);
  }
  out.identity = identity_of({kAllowlist, allowlist, excludelist.value_or("")});
  return out;
}

}  // namespace attest::policy
