// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/json/value.h"
#include "libattest/json/writer.h"

namespace attest::net {
namespace {

constexpr std::string_view kRuntimePolicy = "runtime policy";
constexpr std::string_view kTpmPolicy = "TPM policy";
constexpr std::string_view kAllowlist = "allowlist";
constexpr std::string_view kKeyring = "%keyring:";
constexpr unsigned kMaxPcr = 23;

// SHA-1, SHA-256, SHA-384, SHA-512.
bool is_digest(std::string_view text) {
  const std::size_t size = text.size();
  return (size == 40 || size == 64 || size == 96 || size == 128) && from_hex(text).has_value();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

json::Document parse_runtime_policy(std::string_view text) {
  json::Document document = json::Document::parse(text, kRuntimePolicy);
  const json::Value digests = document.root().at("digests");
  if (!digests.is_object()) digests.fail("is not an object");
  return document;
}

// The value as it is.
void copy(json::Writer& writer, const json::Value& value) {
  constexpr std::uint64_t kMax = ~std::uint64_t{0};
  if (value.is_null()) {
    writer.null();
  } else if (value.is_string()) {
    writer.value(value.string());
  } else if (value.is_array()) {
    writer.begin_array();
    for (std::size_t i = 0; i < value.size(); ++i) copy(writer, value.at(i));
    writer.end_array();
  } else if (value.is_object()) {
    writer.begin_object();
    for (const auto& [key, member] : value.members()) {
      writer.key(key);
      copy(writer, member);
    }
    writer.end_object();
  } else if (value.is_boolean()) {
    writer.value(value.boolean());
  } else {
    writer.value(value.number(kMax));
  }
}

// The member, or an empty object where there is none.
void copy_object(json::Writer& writer, const json::Value& from, std::string_view key,
                 std::string_view as) {
  writer.key(as);
  if (const auto value = from.find(key)) {
    if (!value->is_object()) value->fail("is not an object");
    copy(writer, *value);
  } else {
    writer.begin_object().end_object();
  }
}

using Digests = std::map<std::string, std::vector<std::string>, std::less<>>;

void write_digests(json::Writer& writer, std::string_view key, const Digests& digests) {
  writer.key(key).begin_object();
  for (const auto& [path, values] : digests) {
    writer.key(path).begin_array();
    for (const std::string& value : values) writer.value(value);
    writer.end_array();
  }
  writer.end_object();
}

void write_excludes(json::Writer& writer, std::optional<std::string_view> excludelist) {
  writer.key("excludes").begin_array();
  Lines lines(excludelist.value_or(""));
  while (const auto line = lines.next()) {
    const std::string_view pattern = strip(*line);
    if (pattern.empty() || pattern.starts_with('#')) continue;
    if (!is_utf8(pattern)) {
      throw ParseError("excludelist", "line " + std::to_string(lines.number()), "is not UTF-8");
    }
    writer.value(pattern);
  }
  writer.end_array();
}

void add_line(Digests& files, Digests& keyrings, std::string_view line, std::size_t number) {
  const auto fail = [number](std::string_view why) {
    throw ParseError(kAllowlist, "line " + std::to_string(number), why);
  };
  const auto* const space = std::find_if(line.begin(), line.end(), is_space);
  const auto digest_len = static_cast<std::size_t>(space - line.begin());
  const std::string_view digest = line.substr(0, digest_len);
  std::string_view path = strip(line.substr(digest_len));
  if (!is_digest(digest)) fail("does not begin with a digest");
  if (path.empty()) fail("a digest without a path");
  if (!is_utf8(path) || path.find('\0') != std::string_view::npos) fail("a path that is not text");
  Digests& list = path.starts_with(kKeyring) ? keyrings : files;
  if (&list == &keyrings) path.remove_prefix(kKeyring.size());
  list[std::string(path)].push_back(lower(digest));
}

std::uint32_t mask_of(const json::Value& value) {
  const std::string_view text = value.string();
  std::uint32_t mask = 0;
  const bool hexadecimal = text.size() > 2 && (text.starts_with("0x") || text.starts_with("0X"));
  const char* const end = text.data() + text.size();
  const auto [stop, error] = hexadecimal
                                 ? std::from_chars(text.data() + 2, end, mask, 16)
                                 : std::from_chars_result{text.data(), std::errc::invalid_argument};
  if (error != std::errc() || stop != end || mask >> (kMaxPcr + 1) != 0) {
    value.fail("is not 0x and the hexadecimal bits of PCRs 0 to 23");
  }
  return mask;
}

void write_values(json::Writer& writer, const json::Value& values) {
  const auto one = [&writer](const json::Value& value) {
    if (!is_digest(value.string())) value.fail("is not a digest");
    writer.value(lower(value.string()));
  };
  writer.begin_array();
  if (values.is_string()) {
    one(values);
  } else {
    if (values.size() == 0) values.fail("lists no value");
    for (std::size_t i = 0; i < values.size(); ++i) one(values.at(i));
  }
  writer.end_array();
}

}  // namespace

void check_runtime_policy(std::string_view json) { (void)parse_runtime_policy(json); }

std::string runtime_policy_of_lists(std::string_view allowlist,
                                    std::optional<std::string_view> excludelist) {
  Digests files;
  Digests keyrings;
  Lines lines(allowlist);
  while (const auto line = lines.next()) {
    const std::string_view text = strip(*line);
    if (!text.empty()) add_line(files, keyrings, text, lines.number());
  }
  constexpr std::uint32_t kLegacyAllowlist = 3;  // keylime/ima/types.py, RUNTIME_POLICY_GENERATOR
  json::Writer writer;
  writer.begin_object();
  writer.key("meta").begin_object();
  writer.member("version", std::uint32_t{1}).member("generator", kLegacyAllowlist).end_object();
  writer.member("release", std::uint32_t{0});
  write_digests(writer, "digests", files);
  write_excludes(writer, excludelist);
  write_digests(writer, "keyrings", keyrings);
  writer.key("ima").begin_object();
  writer.key("ignored_keyrings").begin_array().end_array();
  writer.member("log_hash_alg", "sha1").key("dm_policy").null().end_object();
  writer.key("ima-buf").begin_object().end_object();
  writer.member("verification-keys", "").end_object();
  return writer.take();
}

std::string legacy_allowlist(std::string_view runtime_policy) {
  const json::Document document = parse_runtime_policy(runtime_policy);
  const json::Value policy = document.root();
  json::Writer writer;
  writer.begin_object().key("allowlist").begin_object();
  writer.key("meta").begin_object().member("version", std::uint32_t{5}).end_object();
  writer.member("release", std::uint32_t{0});
  copy_object(writer, policy, "digests", "hashes");
  copy_object(writer, policy, "keyrings", "keyrings");
  copy_object(writer, policy, "ima-buf", "ima-buf");
  writer.key("ima").begin_object();
  const auto ima = policy.find("ima");
  writer.key("ignored_keyrings");
  if (const auto ignored = ima ? ima->find("ignored_keyrings") : std::nullopt) {
    copy(writer, *ignored);
  } else {
    writer.begin_array().end_array();
  }
  const auto log_hash = ima ? ima->find("log_hash_alg") : std::nullopt;
  writer.member("log_hash_alg", log_hash ? log_hash->string() : "sha1");
  writer.key("dm_policy").null().end_object();  // 6.4 and 6.5 end without it
  // Their releases can not follow it; without it they would judge device-mapper events by nothing.
  if (const auto dm = ima ? ima->find("dm_policy") : std::nullopt; dm && !dm->is_null()) {
    dm->fail("is not known to this verifier");
  }
  writer.end_object().key("exclude");
  if (const auto excludes = policy.find("excludes"); excludes && !excludes->is_null()) {
    if (!excludes->is_array()) excludes->fail("is not an array");
    copy(writer, *excludes);
  } else {
    writer.begin_array().end_array();
  }
  writer.end_object();
  return writer.take();
}

std::string legacy_verification_keys(std::string_view runtime_policy) {
  const json::Document document = parse_runtime_policy(runtime_policy);
  const auto keys = document.root().find("verification-keys");
  const bool some = keys && !keys->is_null() && !keys->string().empty();
  return some ? std::string(keys->string()) : "[]";
}

std::string tpm_policy_with_mask(std::string_view text, std::uint32_t more) {
  const json::Document document =
      json::Document::parse(text.empty() ? std::string_view("{}") : text, kTpmPolicy);
  std::uint32_t mask = more;
  json::Writer writer;
  writer.begin_object();
  for (const auto& [key, value] : document.root().members()) {
    if (key == "mask") {
      mask |= mask_of(value);
      continue;
    }
    const auto pcr = parse_decimal(key, kMaxPcr);
    if (!pcr) value.fail("is neither a PCR from 0 to 23 nor \"mask\"");
    if (*pcr == kImaPcr || *pcr == kKeyPcr) value.fail("is a PCR that Keylime uses itself");
    mask |= pcr_bit(static_cast<unsigned>(*pcr));
    writer.key(key);
    write_values(writer, value);
  }
  std::array<char, 8> digits{};
  auto* const end = std::to_chars(digits.begin(), digits.end(), mask, 16).ptr;
  writer.member("mask", "0x" + std::string(digits.begin(), end)).end_object();
  return writer.take();
}

void check_mb_policy(std::string_view json) {
  const json::Document document = json::Document::parse(json, "measured-boot policy");
  if (!document.root().is_object()) document.root().fail("is not an object");
}

}  // namespace attest::net
