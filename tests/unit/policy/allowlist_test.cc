// SPDX-License-Identifier: Apache-2.0

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/policy/runtime_policy.h"
#include "tests/support/vectors.h"

using namespace attest::policy;
using attest::ParseError;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

std::string hex(char digit, std::size_t bytes = 32) { return std::string(2 * bytes, digit); }
std::vector<std::uint8_t> bytes(std::uint8_t value, std::size_t size = 32) {
  return std::vector<std::uint8_t>(size, value);
}
std::vector<std::uint8_t> sha256(std::string_view text) {
  attest::crypto::Hasher hasher(attest::crypto::Hash::kSha256);
  const auto digest = hasher(attest::as_bytes(text));
  return {digest.bytes().begin(), digest.bytes().end()};
}

RuntimePolicy parse(std::string_view text, const RuntimePolicyOptions& options = {}) {
  return parse_allowlist(text, std::nullopt, std::nullopt, options);
}

std::string why_not(std::string_view text, std::optional<std::string_view> checksum = {},
                    std::optional<std::string_view> excludelist = {}) {
  try {
    parse_allowlist(text, checksum, excludelist, {});
  } catch (const ParseError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("an allowlist with its checksum and excludelist") {
  const auto policy = parse_allowlist(read_text_vector("policy/allowlist.txt"),
                                      read_text_vector("policy/allowlist_checksum.txt"),
                                      read_text_vector("policy/excludelist.txt"), {});
  CHECK(policy.files.num_paths() == 6);
  CHECK(policy.files.num_digests() == 7);
  CHECK(policy.files.find("boot_aggregate", "sha256", bytes(0)) == Listed::kYes);
  CHECK(policy.files.find("/usr/bin/ls", "sha256", sha256("ls")) == Listed::kYes);
  CHECK(policy.files.find("/usr/bin/ls", "sha256", sha256("ls new")) == Listed::kYes);
  CHECK(policy.files.find("/usr/bin/ls", "sha256", sha256("space")) == Listed::kOtherDigest);
  CHECK(policy.files.find("/opt/with space/a", "sha256", sha256("space")) == Listed::kYes);
  CHECK(policy.files.first_digest("/usr/bin/long").size() == 64);
  CHECK(policy.files.has_algorithm("sha3-256"));
  CHECK(policy.files.find("/usr/bin/last", "sha256", sha256("last")) == Listed::kYes);
  REQUIRE(policy.keyrings.size() == 1);
  REQUIRE(policy.keyrings.at(".ima").size() == 1);
  CHECK(policy.keyrings.at(".ima")[0].algorithm == "sha256");
  CHECK(policy.excludes.patterns() == std::vector<std::string>{"/tmp(/.*)?", "^/var/log/.*$"});
  CHECK(policy.buffers.empty());
  CHECK(policy.verification_keys.empty());
  CHECK_FALSE(policy.log_hash);
}

TEST_CASE("an empty allowlist lists nothing") {
  CHECK(parse("").files.num_paths() == 0);
  CHECK(parse("\n \r\n").files.num_paths() == 0);
  CHECK(parse("").excludes.empty());
}

TEST_CASE("a line that is not a digest and a path is refused with its number") {
  const std::string good = hex('a') + " /a\n";
  CHECK(why_not(good + "\n/usr/bin/ls\n") ==
        "allowlist: line 3: \"/usr/bin/ls\" is not a digest in hexadecimal");
  CHECK(why_not(good + hex('a')) == "allowlist: line 2: a digest without a path");
  CHECK(why_not(good + hex('a') + " \t\r\n") == "allowlist: line 2: a digest without a path");
  CHECK(why_not("# comment\n" + good) == "allowlist: line 1: \"#\" is not a digest in hexadecimal");
  CHECK(why_not("/a " + hex('a')) == "allowlist: line 1: \"/a\" is not a digest in hexadecimal");
  CHECK(why_not(hex('g') + " /a") ==
        "allowlist: line 1: \"" + std::string(32, 'g') + "...\" is not a digest in hexadecimal");
  CHECK(why_not(hex('a', 33) + " /a") ==
        "allowlist: line 1: no digest algorithm has 33 bytes (20, 28, 32, 48 and 64 are known)");
  CHECK(why_not(hex('a', 16) + " /a") ==
        "allowlist: line 1: no digest algorithm has 16 bytes (20, 28, 32, 48 and 64 are known)");
  CHECK(why_not(hex('a') + std::string(" /a\0b", 5)) ==
        "allowlist: line 1: a path with a NUL in it");
  CHECK(why_not(good + hex('b') + " %keyring:") ==
        "allowlist: line 2: %keyring: without a keyring's name");
  CHECK_THAT(why_not("\xef\xbb\xbf" + good), Contains("line 1"));
}

TEST_CASE("an allowlist cut short inside a digest is refused") {
  const std::string text = hex('a') + " /a";
  for (std::size_t n = 1; n <= 2 * 32; ++n) {
    INFO("first " << n << " bytes");
    if (n == 40 || n == 56) continue;  // SHA-1's and SHA-224's sizes: refused for want of a path
    CHECK_THAT(why_not(text.substr(0, n)), Contains("line 1"));
  }
  CHECK_THAT(why_not(text.substr(0, 56)), Contains("a digest without a path"));
}

TEST_CASE("JSON given as an allowlist is told where it belongs") {
  CHECK(why_not("\n  {\"meta\": {}}") ==
        "allowlist: line 2: this is JSON: give it as a runtime policy (--runtime-policy)");
}

TEST_CASE("SHA-1 digests are refused where they stand, unless allowed") {
  const std::string text = hex('a') + " /a\n" + hex('b', 20) + " /b\n";
  CHECK(why_not(text) == "allowlist: line 2: a SHA-1 digest, which only \"allow_sha1\" allows");
  RuntimePolicyOptions options;
  options.allow_sha1 = true;
  CHECK(parse(text, options).files.find("/b", "sha1", bytes(0xbb, 20)) == Listed::kYes);
}

TEST_CASE("a checksum is compared before anything is parsed") {
  const std::string text = "not an allowlist";
  const std::string sum = attest::to_hex(sha256(text));
  CHECK_THAT(why_not(text, sum), Contains("line 1: \"not\""));
  CHECK(why_not(text + "\n", sum) == "allowlist: checksum mismatch: the allowlist's SHA-256 is " +
                                         attest::to_hex(sha256(text + "\n")) +
                                         ", its checksum says " + sum);
}

TEST_CASE("a checksum is what sha256sum writes") {
  const std::string text = hex('a') + " /a\n";
  const std::string sum = attest::to_hex(sha256(text));
  std::string upper = sum;
  for (char& c : upper) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto good = GENERATE_COPY(values<std::string>(
      {sum, sum + "\n", sum + "  a", sum + "  a b\n", sum + " *a\n", upper + "\n"}));
  CHECK(why_not(text, good) == "accepted");
  const auto bad = GENERATE_COPY(values<std::string>(
      {"", "\n", sum.substr(1), " " + sum, sum + "0", sum + sum, sum + " ", sum + "  ", sum + " a",
       sum + "\ta", sum + "\n\n", sum + "  a\nb", sum + "  a\n" + sum, "\\" + sum + "  a",
       sum + "\r\n", hex('g') + "\n"}));
  INFO(bad);
  CHECK_THAT(why_not(text, bad), Contains("allowlist checksum: line 1: "));
}

TEST_CASE("an exclude pattern that is not accepted is refused with its line") {
  const std::string text = hex('a') + " /a\n";
  CHECK_THAT(why_not(text, {}, "# a\n\n/tmp\n(?i)x\n"),
             Contains("excludelist: line 4: exclude pattern \"(?i)x\": column 1: inline flags"));
  CHECK_THAT(why_not(text, {}, "/tmp\n.*"), Contains("excludelist: line 2: "));
  CHECK_THAT(why_not(text, {}, std::string((16U << 20U) + 1, '\n')),
             Contains("longer than 16 MiB"));
  RuntimePolicyOptions options;
  options.allow_match_all = true;
  CHECK(parse_allowlist(text, std::nullopt, ".*", options).excludes.match("/b"));
}
