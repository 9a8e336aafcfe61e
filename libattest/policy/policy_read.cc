// SPDX-License-Identifier: Apache-2.0

// parse_policy: the native policy's keys, in the order in which to_json writes them.

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/policy_json.h"
#include "libattest/policy/runtime_policy_json.h"
#include "libattest/tpm/pcr.h"

namespace attest::policy {
namespace {

constexpr std::uint64_t kMaxTail = 1'000'000'000;

bool less(const crypto::Digest& a, const crypto::Digest& b) {
  const Bytes x = a.bytes();
  const Bytes y = b.bytes();
  return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
}

template <typename T, typename... Order>
void sort_unique(std::vector<T>& values, Order... order) {
  std::sort(values.begin(), values.end(), order...);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool flag(const json::Value& object, std::string_view key, bool otherwise) {
  const auto value = object.find(key);
  return value ? value->boolean() : otherwise;
}

// Index among `words` of the text under `key`; 0 when there is none.
std::size_t choice(const json::Value& object, std::string_view key,
                   std::initializer_list<std::string_view> words) {
  const auto value = object.find(key);
  if (!value) return 0;
  const auto* const word = std::find(words.begin(), words.end(), value->string());
  if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
  std::string why = "is not one of";
  for (const std::string_view w : words) why.append(" \"").append(w).append("\"");
  value->fail(why);
}

std::uint32_t read_pcr(const json::Value& value) {
  const std::uint64_t pcr = value.number(tpm::kNumPcrs - 1);
  if (const auto why = why_unjudgeable(pcr); !why.empty()) value.fail(why);
  return static_cast<std::uint32_t>(pcr);
}

crypto::Hash read_bank(const json::Value& value) {
  const auto bank = crypto::hash_from_name(value.string());
  if (!bank) value.fail("is not the name of a PCR bank that is known");
  return *bank;
}

// TPM 2.0 Library Part 1, section 16: nameAlg and a digest of it.
std::vector<std::uint8_t> read_name(const json::Value& value) {
  auto name = from_hex(value.string());
  if (!name || name->size() < 2) value.fail("is not a TPM Name in hexadecimal");
  const auto algorithm =
      crypto::hash_from_id(static_cast<std::uint16_t>((*name)[0] << 8U | (*name)[1]));
  if (!algorithm) value.fail("begins with no digest algorithm that is known");
  if (name->size() != 2 + crypto::hash_size(*algorithm)) {
    value.fail("is not as long as its digest algorithm, " +
               std::string(crypto::hash_name(*algorithm)) + ", makes it");
  }
  return std::move(*name);
}

crypto::Digest read_key_digest(const json::Value& value) {
  const std::size_t digits = 2 * crypto::hash_size(crypto::Hash::kSha256);
  const auto bytes = value.string().size() == digits ? from_hex(value.string()) : std::nullopt;
  if (!bytes) value.fail("is not a key's SHA-256 digest in hexadecimal");
  return crypto::Digest(*bytes);
}

KeyPolicy read_ak(const json::Value& ak) {
  ak.only({"names", "keys", "attributes", "binding"});
  KeyPolicy out;
  if (const auto names = ak.find("names")) {
    if (names->size() == 0) names->fail("an empty list: leave it out to pin no key");
    for (std::size_t i = 0; i < names->size(); ++i) out.names.push_back(read_name(names->at(i)));
    sort_unique(out.names);
  }
  if (const auto keys = ak.find("keys")) {
    if (keys->size() == 0) keys->fail("an empty list: leave it out to pin no key");
    for (std::size_t i = 0; i < keys->size(); ++i) out.keys.push_back(read_key_digest(keys->at(i)));
    sort_unique(out.keys, less);
  }
  out.attributes_required = choice(ak, "attributes", {"reported", "required"}) == 1;
  out.binding_required = choice(ak, "binding", {"vouched", "required"}) == 1;
  return out;
}

std::map<std::uint32_t, std::vector<crypto::Digest>> read_pcr_lists(const json::Value& lists,
                                                                    crypto::Hash bank) {
  std::map<std::uint32_t, std::vector<crypto::Digest>> out;
  for (const auto& [key, list] : lists.members()) {
    out.emplace(read_pcr_key(key, list), read_pcr_values(list, bank));
  }
  return out;
}

// What an event is called, in a line of a finding: as long as a log's own names are shown.
std::string read_words(const json::Value& value) {
  constexpr std::size_t kMost = 4096;
  const std::string_view words = value.string();
  if (words.empty() || words.size() > kMost) value.fail("is not of 1 to 4096 bytes");
  return std::string(words);
}

std::map<std::uint32_t, std::vector<KnownEvent>> read_known_events(const json::Value& lists,
                                                                   crypto::Hash bank) {
  std::map<std::uint32_t, std::vector<KnownEvent>> out;
  for (const auto& [key, list] : lists.members()) {
    std::vector<KnownEvent>& events = out[read_pcr_key(key, list)];
    if (list.size() == 0) list.fail("lists no event");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const json::Value event = list.at(i);
      event.only({"type", "digest", "description"});
      events.push_back({read_words(event.at("type")), read_pcr_value(event.at("digest"), bank),
                        read_words(event.at("description"))});
    }
  }
  return out;
}

EventLogPolicy read_event_log(const json::Value& log, crypto::Hash bank) {
  log.only({"required", "pcrs", "events", "known_events"});
  EventLogPolicy out;
  out.required = flag(log, "required", out.required);
  if (const auto pcrs = log.find("pcrs")) {
    for (std::size_t i = 0; i < pcrs->size(); ++i) out.pcrs.push_back(read_pcr(pcrs->at(i)));
    sort_unique(out.pcrs);
  }
  if (const auto events = log.find("events")) out.events = read_pcr_lists(*events, bank);
  if (const auto known = log.find("known_events")) {
    out.known_events = read_known_events(*known, bank);
  }
  return out;
}

LaunchPolicy read_launch(const json::Value& launch) {
  launch.only({"required", "log_required"});
  LaunchPolicy out;
  out.required = flag(launch, "required", out.required);
  out.log_required = flag(launch, "log_required", out.log_required);
  return out;
}

ImaPolicy read_ima(const json::Value& ima, bool allow_sha1, std::string_view document) {
  ima.only({"required", "pcr", "digest", "signatures", "max_unverified_tail", "violations",
            "boot_aggregate", "verity", "allow_empty", "allow_match_all", "runtime_policy"});
  ImaPolicy out;
  out.required = flag(ima, "required", out.required);
  if (const auto pcr = ima.find("pcr")) out.pcr = read_pcr(*pcr);
  const std::size_t digest = choice(ima, "digest", {"native", "padded", "padded-old"});
  out.digest = std::array{ImaDigest::kNative, ImaDigest::kPadded, ImaDigest::kPaddedOld}[digest];
  const std::size_t signatures = choice(ima, "signatures", {"optional", "required", "both"});
  out.signatures = std::array{ImaSignatures::kOptional, ImaSignatures::kRequired,
                              ImaSignatures::kBoth}[signatures];
  if (const auto tail = ima.find("max_unverified_tail")) {
    out.max_unverified_tail = tail->number(kMaxTail);
  }
  out.violations_fail = choice(ima, "violations", {"fail", "report"}) == 0;
  out.boot_aggregate_0_7 = choice(ima, "boot_aggregate", {"0-9", "0-7"}) == 1;
  out.verity = flag(ima, "verity", out.verity);
  out.allow_empty = flag(ima, "allow_empty", out.allow_empty);
  RuntimePolicyOptions options;
  options.allow_sha1 = allow_sha1;
  options.allow_match_all = flag(ima, "allow_match_all", options.allow_match_all);
  if (const auto rules = ima.find("runtime_policy")) {
    RuntimePolicy read = read_runtime_policy(*rules, kPolicyFormat, options);
    read.identity = identity_of({kPolicyFormat, document});
    out.rules = std::make_shared<const RuntimePolicy>(std::move(read));
  }
  return out;
}

ClockPolicy read_clock(const json::Value& clock) {
  clock.only({"require_safe"});
  ClockPolicy out;
  out.require_safe = flag(clock, "require_safe", out.require_safe);
  return out;
}

}  // namespace

std::string_view why_unjudgeable(std::uint64_t pcr) noexcept {
  // TCG PC Client Platform TPM Profile 1.05, section 4.6.2: locality 0 resets these two.
  if (pcr == 16) return "PCR 16 can be reset by software, at any time: its value proves nothing";
  if (pcr == 23) return "PCR 23 can be reset by software, at any time: its value proves nothing";
  return {};
}

std::uint32_t read_pcr_key(std::string_view key, const json::Value& value) {
  const auto pcr = parse_decimal(key, tpm::kNumPcrs - 1);
  if (!pcr) value.fail("the key is not the number of a PCR (0 to 23)");
  if (const auto why = why_unjudgeable(*pcr); !why.empty()) value.fail(why);
  return static_cast<std::uint32_t>(*pcr);
}

crypto::Digest read_pcr_value(const json::Value& value, crypto::Hash bank) {
  const std::size_t size = crypto::hash_size(bank);
  // Decoded only when it is as long as it must be: nothing longer needs memory.
  const auto bytes = value.string().size() == 2 * size ? from_hex(value.string()) : std::nullopt;
  if (!bytes) {
    value.fail("is not " + std::to_string(2 * size) + " hexadecimal digits, as bank " +
               std::string(crypto::hash_name(bank)) + " needs");
  }
  return crypto::Digest(*bytes);
}

std::vector<crypto::Digest> read_pcr_values(const json::Value& list, crypto::Hash bank) {
  std::vector<crypto::Digest> out;
  if (list.size() == 0) list.fail("lists no value");
  for (std::size_t i = 0; i < list.size(); ++i) out.push_back(read_pcr_value(list.at(i), bank));
  sort_unique(out, less);
  return out;
}

Policy parse_policy(std::string_view json) {
  const json::Document document = json::Document::parse(json, kPolicyFormat);
  const json::Value root = document.root();
  root.only({"version", "bank", "allow_sha1", "ak", "pcrs", "event_log", "launch", "ima", "clock"});
  const json::Value version = root.at("version");
  if (version.number(0xffffffff) != 1) version.fail("only version 1 is known");
  Policy out;
  if (const auto bank = root.find("bank")) out.bank = read_bank(*bank);
  out.allow_sha1 = flag(root, "allow_sha1", out.allow_sha1);
  if (const auto ak = root.find("ak")) out.ak = read_ak(*ak);
  if (const auto pcrs = root.find("pcrs")) out.pcrs = read_pcr_lists(*pcrs, out.bank);
  if (const auto log = root.find("event_log")) out.event_log = read_event_log(*log, out.bank);
  if (const auto launch = root.find("launch")) out.launch = read_launch(*launch);
  if (const auto ima = root.find("ima")) out.ima = read_ima(*ima, out.allow_sha1, json);
  if (const auto clock = root.find("clock")) out.clock = read_clock(*clock);
  check_consistent(out);
  return out;
}

}  // namespace attest::policy
