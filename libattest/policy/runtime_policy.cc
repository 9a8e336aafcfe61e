// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/runtime_policy.h"

#include <utility>
#include <variant>

#include "libattest/base/base64.h"
#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/policy/allowed_digest.h"
#include "libattest/policy/runtime_policy_json.h"

namespace attest::policy {
namespace {

constexpr std::string_view kVerificationKeys = "verification-keys of the runtime policy";
constexpr std::size_t kMaxKeys = 1000;
constexpr std::uint32_t kMaxNumber = 0xffffffff;

using DigestLists = std::map<std::string, std::vector<AllowedDigest>, std::less<>>;

void check_version(const json::Value& meta) {
  const json::Value version = meta.at("version");
  if (version.number(kMaxNumber) != 1) version.fail("only version 1 is known");
}

void read_meta(const json::Value& meta) {
  meta.only({"version", "generator", "timestamp"});
  check_version(meta);
  if (const auto generator = meta.find("generator")) generator->number(kMaxNumber);
  if (const auto timestamp = meta.find("timestamp")) timestamp->string();
}

// The digests listed under one path or name; there is at least one.
std::vector<AllowedDigest> read_digests(std::string_view name, const json::Value& list,
                                        const RuntimePolicyOptions& options) {
  if (name.empty()) list.fail("an empty name");
  if (name.find('\0') != std::string_view::npos) list.fail("a name with a NUL in it");
  if (list.size() == 0) list.fail("lists no digest");
  std::vector<AllowedDigest> out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json::Value item = list.at(i);
    auto digest = parse_allowed_digest(item.string(), options);
    if (const auto* why = std::get_if<std::string>(&digest)) item.fail(*why);
    out.push_back(std::move(std::get<AllowedDigest>(digest)));
  }
  return out;
}

void read_files(FileTable& files, const json::Value& digests, const RuntimePolicyOptions& options) {
  for (const auto& [path, list] : digests.members()) {
    for (const AllowedDigest& digest : read_digests(path, list, options)) {
      files.add(path, digest.algorithm, digest.value.bytes());
    }
  }
  files.seal();
}

DigestLists read_lists(const json::Value& lists, const RuntimePolicyOptions& options) {
  DigestLists out;
  for (const auto& [name, list] : lists.members()) {
    out.emplace(name, read_digests(name, list, options));
  }
  return out;
}

std::vector<Excludes::Pattern> read_excludes(const json::Value& excludes) {
  std::vector<Excludes::Pattern> out;
  for (std::size_t i = 0; i < excludes.size(); ++i) {
    const json::Value pattern = excludes.at(i);
    out.push_back({std::string(pattern.string()), pattern.path()});
  }
  return out;
}

void read_ima(RuntimePolicy& out, const json::Value& ima) {
  ima.only({"ignored_keyrings", "log_hash_alg", "dm_policy"});
  const json::Value ignored = ima.at("ignored_keyrings");
  for (std::size_t i = 0; i < ignored.size(); ++i) {
    if (ignored.at(i).string().empty()) ignored.at(i).fail("an empty name");
    out.ignored_keyrings.emplace(ignored.at(i).string());
  }
  if (const auto algorithm = ima.find("log_hash_alg")) {
    const std::string_view name = algorithm->string();
    if (name != "sha1" && name != "sha256" && name != "sha384" && name != "sha512") {
      algorithm->fail("is not sha1, sha256, sha384 or sha512");
    }
    out.log_hash = crypto::hash_from_name(name);
  }
  const auto dm = ima.find("dm_policy");
  if (dm && !dm->is_null()) dm->fail("device-mapper policies are not supported: it must be null");
}

// As the kernel counts: the last four bytes of the SHA-1 of the key's bits.
std::uint32_t key_id_of(const crypto::PublicKey& key) {
  crypto::Hasher sha1(crypto::Hash::kSha1);
  const crypto::Digest digest = sha1(key.key_bits());
  Reader last(digest.bytes().last(4), "key id");
  return last.u32be("key id");
}

crypto::PublicKey read_key(const json::Value& text) {
  const auto der = from_base64(text.string());
  if (!der) text.fail("is not base64");
  try {
    return crypto::PublicKey::from_spki(*der);
  } catch (const ParseError& e) {
    text.fail(std::string("is not a public key: ") + e.what());
  }
}

void read_verification_keys(RuntimePolicy& out, const json::Value& text) {
  if (text.string().empty()) return;
  const json::Document document = json::Document::parse(text.string(), kVerificationKeys);
  const json::Value root = document.root();
  root.only({"meta", "pubkeys", "keyids"});
  if (const auto meta = root.find("meta")) {
    meta->only({"version"});
    check_version(*meta);
  }
  const json::Value keys = root.at("pubkeys");
  if (keys.size() > kMaxKeys) keys.fail("more than 1000 keys");
  const auto ids = root.find("keyids");
  if (ids && ids->size() != keys.size()) ids->fail("not as many as there are pubkeys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    crypto::PublicKey key = read_key(keys.at(i));
    const std::uint64_t id = ids ? ids->at(i).number(kMaxNumber) : 0;
    const std::uint32_t key_id = id == 0 ? key_id_of(key) : static_cast<std::uint32_t>(id);
    out.verification_keys.emplace_back(std::move(key), key_id);
  }
}

}  // namespace

RuntimePolicy read_runtime_policy(const json::Value& policy, std::string_view format,
                                  const RuntimePolicyOptions& options) {
  policy.only({"meta", "release", "digests", "excludes", "keyrings", "ima", "ima-buf",
               "verification-keys"});
  RuntimePolicy out;
  read_meta(policy.at("meta"));
  policy.at("release").number(kMaxNumber);
  read_files(out.files, policy.at("digests"), options);
  out.excludes = Excludes(read_excludes(policy.at("excludes")), format, options.allow_match_all);
  out.keyrings = read_lists(policy.at("keyrings"), options);
  read_ima(out, policy.at("ima"));
  out.buffers = read_lists(policy.at("ima-buf"), options);
  read_verification_keys(out, policy.at("verification-keys"));
  return out;
}

RuntimePolicy parse_keylime_runtime_policy(std::string_view json,
                                           const RuntimePolicyOptions& options) {
  constexpr std::string_view kFormat = "runtime policy";
  const json::Document document = json::Document::parse(json, kFormat);
  RuntimePolicy out = read_runtime_policy(document.root(), kFormat, options);
  out.identity = identity_of({kFormat, json});
  return out;
}

crypto::Digest identity_of(std::initializer_list<std::string_view> texts) {
  // A digest of digests: where one text ends and the next begins is part of it.
  crypto::Hasher one(crypto::Hash::kSha256);
  crypto::Hasher all(crypto::Hash::kSha256);
  all.begin();
  for (const std::string_view text : texts) all.update(one(as_bytes(text)).bytes());
  return all.finish();
}

}  // namespace attest::policy
