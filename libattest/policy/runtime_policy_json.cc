// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/runtime_policy_json.h"

#include <set>
#include <string>

#include "libattest/base/base64.h"
#include "libattest/policy/allowed_digest.h"

namespace attest::policy {
namespace {

void write_files(json::Writer& w, const FileTable& files) {
  w.key("digests").begin_object();
  const std::vector<FileTable::Entry> entries = files.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const FileTable::Entry& entry = entries[i];
    if (i == 0 || entries[i - 1].path != entry.path) w.key(entry.path).begin_array();
    w.value(to_text(entry.algorithm, entry.digest));
    if (i + 1 == entries.size() || entries[i + 1].path != entry.path) w.end_array();
  }
  w.end_object();
}

void write_lists(json::Writer& w, std::string_view name,
                 const std::map<std::string, std::vector<AllowedDigest>, std::less<>>& lists) {
  w.key(name).begin_object();
  for (const auto& [key, digests] : lists) {
    std::set<std::string> sorted;
    for (const AllowedDigest& d : digests) sorted.insert(to_text(d.algorithm, d.value.bytes()));
    w.key(key).begin_array();
    for (const std::string& text : sorted) w.value(text);
    w.end_array();
  }
  w.end_object();
}

void write_ima(json::Writer& w, const RuntimePolicy& rules) {
  w.key("ima").begin_object();
  w.key("ignored_keyrings").begin_array();
  for (const std::string& name : rules.ignored_keyrings) w.value(name);
  w.end_array();
  if (rules.log_hash) w.member("log_hash_alg", crypto::hash_name(*rules.log_hash));
  w.key("dm_policy").null();
  w.end_object();
}

std::string verification_keys(const RuntimePolicy& rules) {
  if (rules.verification_keys.empty()) return {};
  json::Writer w;
  w.begin_object();
  w.key("meta").begin_object().member("version", std::uint32_t{1}).end_object();
  w.key("pubkeys").begin_array();
  for (const auto& [key, id] : rules.verification_keys) w.value(to_base64(key.spki()));
  w.end_array();
  w.key("keyids").begin_array();
  for (const auto& [key, id] : rules.verification_keys) w.value(id);
  w.end_array();
  w.end_object();
  return w.take();
}

}  // namespace

void write_runtime_policy(json::Writer& w, const RuntimePolicy& rules) {
  w.begin_object();
  w.key("meta").begin_object();
  w.member("version", std::uint32_t{1});
  w.member("generator", std::uint32_t{0});
  w.end_object();
  w.member("release", std::uint32_t{0});
  write_files(w, rules.files);
  w.key("excludes").begin_array();
  for (const std::string& pattern : rules.excludes.patterns()) w.value(pattern);
  w.end_array();
  write_lists(w, "keyrings", rules.keyrings);
  write_ima(w, rules);
  write_lists(w, "ima-buf", rules.buffers);
  w.member("verification-keys", verification_keys(rules));
  w.end_object();
}

}  // namespace attest::policy
