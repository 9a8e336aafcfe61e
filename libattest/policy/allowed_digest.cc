// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/allowed_digest.h"

#include <array>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"

namespace attest::policy {
namespace {

struct Algorithm {
  std::string_view name;  // Linux: crypto/hash_info.c
  std::size_t size;
  bool by_length;  // what a bare digest of this size is of
};

constexpr std::array kAlgorithms{
    Algorithm{"sha1", 20, true},        Algorithm{"sha224", 28, true},
    Algorithm{"sha256", 32, true},      Algorithm{"sha384", 48, true},
    Algorithm{"sha512", 64, true},      Algorithm{"sm3", 32, false},
    Algorithm{"sha3-256", 32, false},   Algorithm{"sha3-384", 48, false},
    Algorithm{"sha3-512", 64, false},   Algorithm{"streebog256", 32, false},
    Algorithm{"streebog512", 64, false}};

const Algorithm* by_name(std::string_view name) {
  if (name == "sm3-256") name = "sm3";  // Linux before 5.18
  for (const Algorithm& a : kAlgorithms) {
    if (a.name == name) return &a;
  }
  return nullptr;
}

const Algorithm* by_length(std::size_t size) {
  for (const Algorithm& a : kAlgorithms) {
    if (a.by_length && a.size == size) return &a;
  }
  return nullptr;
}

}  // namespace

std::variant<AllowedDigest, std::string> parse_allowed_digest(std::string_view text,
                                                              const RuntimePolicyOptions& options) {
  const std::size_t colon = text.find(':');
  const bool bare = colon == std::string_view::npos;
  const std::string_view hex = bare ? text : text.substr(colon + 1);
  const Algorithm* algorithm = bare ? by_length(hex.size() / 2) : by_name(text.substr(0, colon));
  if (!bare && algorithm == nullptr) {
    return "\"" + printable(text.substr(0, colon), 32) +
           "\" is no digest algorithm that is accepted";
  }
  // Longer than any digest: not worth decoding.
  const auto bytes = hex.size() > 2 * crypto::kMaxDigestSize ? std::nullopt : from_hex(hex);
  if (!bytes || bytes->empty()) {
    return "\"" + printable(text, 32) + "\" is not a digest in hexadecimal";
  }
  if (algorithm == nullptr) {
    return "no digest algorithm has " + std::to_string(bytes->size()) +
           " bytes (20, 28, 32, 48 and 64 are known)";
  }
  if (bytes->size() != algorithm->size) {
    return "a " + std::string(algorithm->name) + " digest has " + std::to_string(algorithm->size) +
           " bytes, not " + std::to_string(bytes->size());
  }
  if (algorithm->name == "sha1" && !options.allow_sha1) {
    return "a SHA-1 digest, which only \"allow_sha1\" allows";
  }
  return AllowedDigest{std::string(algorithm->name), crypto::Digest(*bytes)};
}

std::string to_text(std::string_view algorithm, Bytes digest) {
  const Algorithm* known = by_name(algorithm);
  if (known != nullptr && known->by_length) return to_hex(digest);
  return std::string(algorithm) + ":" + to_hex(digest);
}

}  // namespace attest::policy
