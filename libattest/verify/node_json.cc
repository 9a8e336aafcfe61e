// SPDX-License-Identifier: Apache-2.0

// A node's state as text.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "libattest/base/base64.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/ima/algorithm.h"
#include "libattest/json/value.h"
#include "libattest/json/writer.h"
#include "libattest/tpm/pcr.h"
#include "libattest/verify/node.h"

namespace attest::verify {
namespace {

constexpr std::string_view kFormat = "node state";
constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 40U;  // entries of a list
constexpr std::uint32_t kMaxNumber = 0xffffffff;

// The text's last member: a digest of all that stands before it.
std::string seal_of(std::string_view front) {
  const crypto::Digest digest = crypto::Hasher(crypto::Hash::kSha256)(as_bytes(front));
  return ",\"sha256\":\"" + to_hex(digest.bytes()) + "\"}";
}

void write_seen(json::Writer& w, const NodeState::Seen& seen) {
  w.member("key", to_hex(seen.key.bytes())).member("name", to_hex(seen.name));
  if (!seen.has_clock) return;
  w.member("clock", seen.clock)
      .member("reset_count", seen.reset_count)
      .member("restart_count", seen.restart_count)
      .member("firmware_version", seen.firmware_version);
}

void write_ima(json::Writer& w, const ImaPosition& ima) {
  w.key("ima").begin_object();
  w.member("entries", ima.entries)
      .member("listed", ima.listed)
      .member("violations", ima.violations)
      .member("list_bank", crypto::hash_name(ima.list_bank))
      .member("rules", to_hex(ima.rules.bytes()));
  w.key("banks").begin_array();
  for (const ImaPosition::Bank& bank : ima.banks) {
    w.begin_object()
        .member("bank", crypto::hash_name(bank.hash))
        .member("padded", bank.padded)
        .member("value", to_hex(bank.value.bytes()))
        .end_object();
  }
  w.end_array().key("boot_aggregates").begin_array();
  for (const ImaPosition::BootAggregate& b : ima.boot_aggregates) {
    w.begin_object()
        .member("index", b.index)
        .member("algorithm", std::string_view(b.algorithm))
        .member("value", to_hex(b.value.bytes()))
        .end_object();
  }
  w.end_array().key("keys").begin_array();
  for (const auto& [key, id] : ima.keys) {
    w.begin_object().member("id", id).member("spki", to_base64(key.spki())).end_object();
  }
  w.end_array().end_object();
}

std::string write(const NodeState& node, const std::optional<ImaPosition>& ima) {
  json::Writer w;
  w.begin_object().member("version", std::uint64_t{1});
  if (node.seen) write_seen(w, *node.seen);
  if (node.binding) {
    w.key("binding").begin_object();
    w.member("name", to_hex(node.binding->name())).member("ek", to_hex(node.binding->ek().bytes()));
    w.end_object();
  }
  if (ima) write_ima(w, *ima);
  std::string out = w.end_object().take();
  out.pop_back();  // the seal closes the object
  return out + seal_of(out);
}

std::uint32_t number(const json::Value& value) {
  return static_cast<std::uint32_t>(value.number(kMaxNumber));
}

std::vector<std::uint8_t> bytes(const json::Value& value) {
  const auto out = from_hex(value.string());
  if (!out) value.fail("not hexadecimal");
  return *out;
}

crypto::Digest digest(const json::Value& value, std::size_t size) {
  const std::vector<std::uint8_t> out = bytes(value);
  if (out.size() != size) value.fail("not of its digest's size");
  return crypto::Digest(out);
}
crypto::Digest sha256(const json::Value& value) {
  return digest(value, crypto::hash_size(crypto::Hash::kSha256));
}

crypto::Hash hash(const json::Value& value) {
  const auto out = crypto::hash_from_name(value.string());
  if (!out) value.fail("not a digest algorithm");
  return *out;
}

NodeState::Seen read_seen(const json::Value& root) {
  NodeState::Seen seen;
  seen.key = sha256(root.at("key"));
  seen.name = bytes(root.at("name"));
  // All four or, of a TPM 1.2, none.
  seen.has_clock = root.find("clock") || root.find("reset_count") || root.find("restart_count") ||
                   root.find("firmware_version");
  if (!seen.has_clock) return seen;
  seen.clock = root.at("clock").number(UINT64_MAX);
  seen.reset_count = number(root.at("reset_count"));
  seen.restart_count = number(root.at("restart_count"));
  seen.firmware_version = root.at("firmware_version").number(UINT64_MAX);
  return seen;
}

ImaPosition::Bank read_bank(const json::Value& bank) {
  bank.only({"bank", "padded", "value"});
  ImaPosition::Bank out;
  out.hash = hash(bank.at("bank"));
  out.padded = bank.at("padded").boolean();
  out.value = digest(bank.at("value"), crypto::hash_size(out.hash));
  return out;
}

ImaPosition::BootAggregate read_boot_aggregate(const json::Value& value) {
  value.only({"index", "algorithm", "value"});
  const json::Value name = value.at("algorithm");
  const ima::Algorithm* algorithm = ima::find_algorithm(name.string());
  if (algorithm == nullptr) name.fail("not a digest algorithm");
  return {value.at("index").number(kMaxCount), std::string(name.string()),
          digest(value.at("value"), algorithm->size)};
}

ImaPosition::Key read_key(const json::Value& key) {
  key.only({"id", "spki"});
  const json::Value spki = key.at("spki");
  const auto der = from_base64(spki.string());
  if (!der) spki.fail("not base64");
  try {
    return {crypto::PublicKey::from_spki(*der), number(key.at("id"))};
  } catch (const ParseError& e) {
    spki.fail(e.what());
  }
}

template <typename T>
std::vector<T> read_list(const json::Value& list, std::size_t max, T (*read)(const json::Value&)) {
  if (list.size() > max) list.fail("longer than it can be");
  std::vector<T> out;
  for (std::size_t i = 0; i < list.size(); ++i) out.push_back(read(list.at(i)));
  return out;
}

ImaPosition read_ima(const json::Value& ima) {
  ima.only({"entries", "listed", "violations", "list_bank", "rules", "banks", "boot_aggregates",
            "keys"});
  ImaPosition out;
  out.entries = ima.at("entries").number(kMaxCount);
  if (out.entries == 0) ima.at("entries").fail("none");
  out.listed = ima.at("listed").number(kMaxCount);
  if (out.listed < out.entries) ima.at("listed").fail("fewer than entries");
  out.violations = ima.at("violations").number(out.entries);
  out.list_bank = hash(ima.at("list_bank"));
  out.rules = sha256(ima.at("rules"));
  const json::Value banks = ima.at("banks");
  out.banks = read_list(banks, crypto::kAllHashes.size(), read_bank);
  if (out.banks.empty()) banks.fail("none");
  for (auto at = out.banks.begin(); at != out.banks.end(); ++at) {
    const auto same = [&](const ImaPosition::Bank& b) { return b.hash == at->hash; };
    if (std::any_of(out.banks.begin(), at, same)) banks.fail("a bank is there twice");
  }
  out.boot_aggregates =
      read_list(ima.at("boot_aggregates"), ImaPosition::kMaxBootAggregates, read_boot_aggregate);
  out.keys = read_list(ima.at("keys"), kMaxNodeState, read_key);
  return out;
}

}  // namespace

std::string to_json(const NodeState& node) {
  std::string out = write(node, node.ima);
  return out.size() <= kMaxNodeState ? out : write(node, std::nullopt);
}

NodeState parse_node(std::string_view text) {
  const json::Document document = json::Document::parse(text, kFormat, kMaxNodeState);
  const json::Value root = document.root();
  const json::Value seal = root.at("sha256");
  const std::size_t size = seal_of({}).size();
  if (text.size() < size ||
      seal_of(text.substr(0, text.size() - size)) != text.substr(text.size() - size)) {
    seal.fail("not the digest of what stands before it: the state was damaged or changed");
  }
  root.only({"version", "key", "name", "clock", "reset_count", "restart_count", "firmware_version",
             "binding", "ima", "sha256"});
  if (number(root.at("version")) != 1) root.at("version").fail("not 1");
  NodeState node;
  if (root.members().size() == 2) return node;
  node.seen = read_seen(root);
  if (const auto binding = root.find("binding")) {
    binding->only({"name", "ek"});
    node.binding = KeyBinding(bytes(binding->at("name")), sha256(binding->at("ek")));
  }
  if (const auto ima = root.find("ima")) {
    if (!node.seen->has_clock) ima->fail("a list of no known boot: the state has no reset_count");
    node.ima = read_ima(*ima);
  }
  return node;
}

}  // namespace attest::verify
