// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/allowed_digest.h"

#include <catch2/catch.hpp>
#include <string>

using namespace attest::policy;

namespace {

std::string hex(std::size_t bytes) { return std::string(2 * bytes, 'a'); }

// "sha256", or why the text is refused.
std::string read(std::string_view text, bool allow_sha1 = false) {
  RuntimePolicyOptions options;
  options.allow_sha1 = allow_sha1;
  const auto digest = parse_allowed_digest(text, options);
  if (const auto* why = std::get_if<std::string>(&digest)) return *why;
  const auto& allowed = std::get<AllowedDigest>(digest);
  CHECK(allowed.value.all(0xaa));
  return allowed.algorithm + "/" + std::to_string(allowed.value.size());
}

}  // namespace

TEST_CASE("the length of a bare digest selects its algorithm") {
  CHECK(read(hex(28)) == "sha224/28");
  CHECK(read(hex(32)) == "sha256/32");
  CHECK(read(hex(48)) == "sha384/48");
  CHECK(read(hex(64)) == "sha512/64");
  CHECK(read(std::string(64, 'A')) == "sha256/32");
}

TEST_CASE("a prefix selects any algorithm that the kernel names") {
  CHECK(read("sha256:" + hex(32)) == "sha256/32");
  CHECK(read("sha224:" + hex(28)) == "sha224/28");
  CHECK(read("sm3:" + hex(32)) == "sm3/32");
  CHECK(read("sm3-256:" + hex(32)) == "sm3/32");
  CHECK(read("sha3-256:" + hex(32)) == "sha3-256/32");
  CHECK(read("sha3-384:" + hex(48)) == "sha3-384/48");
  CHECK(read("sha3-512:" + hex(64)) == "sha3-512/64");
  CHECK(read("streebog256:" + hex(32)) == "streebog256/32");
  CHECK(read("streebog512:" + hex(64)) == "streebog512/64");
}

TEST_CASE("SHA-1 digests are for those who allow them") {
  CHECK(read(hex(20)) == "a SHA-1 digest, which only \"allow_sha1\" allows");
  CHECK(read("sha1:" + hex(20)) == "a SHA-1 digest, which only \"allow_sha1\" allows");
  CHECK(read(hex(20), true) == "sha1/20");
  CHECK(read("sha1:" + hex(20), true) == "sha1/20");
}

TEST_CASE("a digest of no accepted algorithm is refused") {
  CHECK(read("md5:" + hex(16), true) == "\"md5\" is no digest algorithm that is accepted");
  CHECK(read(":" + hex(32)) == "\"\" is no digest algorithm that is accepted");
  CHECK(read("SHA256:" + hex(32)) == "\"SHA256\" is no digest algorithm that is accepted");
  CHECK(read("\x1b:" + hex(32)) == "\"\\x1b\" is no digest algorithm that is accepted");
  for (const std::size_t size : {1U, 16U, 19U, 21U, 31U, 33U, 63U}) {
    CHECK(read(hex(size), true) == "no digest algorithm has " + std::to_string(size) +
                                       " bytes (20, 28, 32, 48 and 64 are known)");
  }
}

TEST_CASE("a digest is as long as its algorithm makes it") {
  CHECK(read("sha256:" + hex(20)) == "a sha256 digest has 32 bytes, not 20");
  CHECK(read("sha3-512:" + hex(32)) == "a sha3-512 digest has 64 bytes, not 32");
}

TEST_CASE("what is not hexadecimal is no digest") {
  CHECK(read("") == "\"\" is not a digest in hexadecimal");
  CHECK(read("sha256:") == "\"sha256:\" is not a digest in hexadecimal");
  CHECK(read("ag") == "\"ag\" is not a digest in hexadecimal");
  CHECK(read("aaa") == "\"aaa\" is not a digest in hexadecimal");
  CHECK(read(hex(65)).find("is not a digest in hexadecimal") != std::string::npos);
  CHECK(read("0x" + hex(31)).find("is not a digest in hexadecimal") != std::string::npos);
  CHECK(read("sha256:" + hex(32) + ":").find("is not a digest") != std::string::npos);
}

TEST_CASE("digests are written as they are read") {
  const auto text = GENERATE(as<std::string>{}, hex(28), hex(32), hex(48), hex(64),
                             "sm3:" + hex(32), "sha3-256:" + hex(32), "streebog512:" + hex(64));
  const auto digest = std::get<AllowedDigest>(parse_allowed_digest(text, {}));
  CHECK(to_text(digest.algorithm, digest.value.bytes()) == text);
}
