// SPDX-License-Identifier: Apache-2.0

// What may run: the files, keyrings and buffers that an IMA measurement list may name, compiled for
// looking up. Made from a flat allowlist and excludelist or from a Keylime runtime policy.

#ifndef LIBATTEST_POLICY_RUNTIME_POLICY_H_
#define LIBATTEST_POLICY_RUNTIME_POLICY_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/crypto/key.h"
#include "libattest/policy/excludes.h"
#include "libattest/policy/file_table.h"

namespace attest::policy {

// A digest as policies write it: hexadecimal, whose length selects the algorithm (20 bytes sha1, 28
// sha224, 32 sha256, 48 sha384, 64 sha512), or "alg:" and hexadecimal for any that IMA names.
struct AllowedDigest {
  std::string algorithm;  // the kernel's name
  crypto::Digest value;

  friend bool operator==(const AllowedDigest&, const AllowedDigest&) = default;
};

// Immutable once loaded; shared by any number of appraisals.
struct RuntimePolicy {
  FileTable files;  // boot_aggregate among them, under that name
  Excludes excludes;
  // By the name of the ima-buf entry.
  std::map<std::string, std::vector<AllowedDigest>, std::less<>> keyrings;
  std::map<std::string, std::vector<AllowedDigest>, std::less<>> buffers;
  std::set<std::string, std::less<>> ignored_keyrings;  // "*" is all
  // Keys for file signatures, with the ids that the policy gives them.
  std::vector<std::pair<crypto::PublicKey, std::uint32_t>> verification_keys;
  // Algorithm of the list's header digests, where the policy says it.
  std::optional<crypto::Hash> log_hash;
  // A digest of the text that this was made from: rules of another text have another one. Empty
  // where nobody has said it.
  crypto::Digest identity;
};

// What RuntimePolicy::identity is, for rules that were made from these texts.
crypto::Digest identity_of(std::initializer_list<std::string_view> texts);

struct RuntimePolicyOptions {
  bool allow_sha1 = false;       // SHA-1 file digests: otherwise refused where they stand
  bool allow_match_all = false;  // exclude patterns that match every path
};

// Flat allowlist: a line is a digest, white space and a path ("%keyring:NAME" for a keyring).
// `checksum`, when given, is the text of a SHA-256 checksum file, compared before anything is
// parsed. `excludelist`, when given, is one pattern a line. Throws ParseError with the line.
RuntimePolicy parse_allowlist(std::string_view allowlist, std::optional<std::string_view> checksum,
                              std::optional<std::string_view> excludelist,
                              const RuntimePolicyOptions& options);

// Keylime's runtime policy, version 1, as JSON text. dm_policy other than null is refused.
RuntimePolicy parse_keylime_runtime_policy(std::string_view json,
                                           const RuntimePolicyOptions& options);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_RUNTIME_POLICY_H_
