// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_record.h"

#include <limits>
#include <stdexcept>

#include "libattest/base/base64.h"
#include "libattest/base/pem.h"
#include "libattest/base/reader.h"
#include "libattest/net/address.h"

namespace attest::net {
namespace {

constexpr std::size_t kMaxWord = 64;  // names of algorithms

// A member that may be absent or null.
std::optional<json::Value> present(const json::Value& object, std::string_view key) {
  const auto value = object.find(key);
  return value && !value->is_null() ? value : std::nullopt;
}

std::vector<std::uint8_t> base64_of(const json::Value& value) {
  auto bytes = from_base64(value.string());
  if (!bytes) value.fail("is not base64");
  return std::move(*bytes);
}

// TPM 2.0 Library Part 2, section 12.2.5: a size, and so many bytes.
bool is_tpm2b(Bytes bytes) noexcept {
  constexpr std::size_t kMax = 1024;
  return bytes.size() > 2 && bytes.size() <= kMax &&
         bytes.size() - 2 == (std::size_t{bytes[0]} << 8U | bytes[1]);
}

std::vector<std::uint8_t> tpm2b_of(const json::Value& value) {
  std::vector<std::uint8_t> bytes = base64_of(value);
  if (!is_tpm2b(bytes)) value.fail("is not a TPM2B_PUBLIC");
  return bytes;
}

std::string word_of(const json::Value& value) {
  const std::string_view word = value.string();
  if (word.empty() || word.size() > kMaxWord || !is_agent_id(word)) {
    value.fail("is not the name of an algorithm");
  }
  return std::string(word);
}

std::string pem_of(const json::Value& value) {
  const std::string_view text = value.string();
  if (!looks_like_pem(text)) value.fail("is not PEM");
  return std::string(text);
}

}  // namespace

void KeylimeAgent::check() const {
  agent_id(uuid);
  if (!is_tpm2b(ak)) throw std::invalid_argument("the agent's AK is not a TPM2B_PUBLIC");
  if (!ek.empty() && !is_tpm2b(ek)) {
    throw std::invalid_argument("the agent's EK is not a TPM2B_PUBLIC");
  }
  if (!certificate.empty() && !looks_like_pem(certificate)) {
    throw std::invalid_argument("the agent's certificate is not PEM");
  }
  if (!ip.empty()) (void)Endpoint::make(ip, port, "the agent's address");
}

KeylimeAgent read_agent(std::string_view uuid, const json::Value& results) {
  KeylimeAgent out;
  out.uuid = agent_id(uuid);
  if (const auto id = present(results, "agent_id"); id && id->string() != uuid) {
    id->fail("is another agent's");
  }
  out.ak = tpm2b_of(results.at("aik_tpm"));
  if (const auto ek = present(results, "ek_tpm"); ek && !ek->string().empty()) {
    out.ek = tpm2b_of(*ek);
  }
  // "emulator": what agents of Keylime 6 send for a TPM without a certificate.
  if (const auto certificate = present(results, "ekcert");
      certificate && !certificate->string().empty() && certificate->string() != "emulator") {
    out.ek_certificate = base64_of(*certificate);
  }
  // "disabled": agents that were told to speak plain HTTP.
  if (const auto certificate = present(results, "mtls_cert");
      certificate && !certificate->string().empty() && certificate->string() != "disabled") {
    out.certificate = pem_of(*certificate);
  }
  const auto ip = present(results, "ip");
  const auto port = present(results, "port");
  if (ip && port && !ip->string().empty()) {
    const std::uint64_t number = port->number(std::numeric_limits<std::uint16_t>::max());
    try {
      const Endpoint where = Endpoint::make(ip->string(), number, "the agent's address");
      out.ip = where.host;
      out.port = where.port;
    } catch (const std::invalid_argument&) {
      ip->fail("and the port are not an address");
    }
  }
  return out;
}

KeylimeQuote read_quote(const json::Value& results, std::uint64_t ima_entry) {
  KeylimeQuote out;
  out.quote = results.at("quote").string();
  out.hash_alg = word_of(results.at("hash_alg"));
  out.enc_alg = word_of(results.at("enc_alg"));
  out.sign_alg = word_of(results.at("sign_alg"));
  if (const auto key = present(results, "pubkey")) out.public_key = pem_of(*key);
  if (const auto boottime = present(results, "boottime")) {
    out.boottime = boottime->number(std::numeric_limits<std::uint64_t>::max());
  }
  if (const auto list = present(results, "ima_measurement_list")) {
    out.ima = list->string();
    out.ima_entry = 0;
    if (const auto entry = present(results, "ima_measurement_list_entry")) {
      out.ima_entry = entry->number(std::numeric_limits<std::uint64_t>::max());
      if (*out.ima_entry != 0 && *out.ima_entry != ima_entry) {
        entry->fail("is neither 0 nor what was asked for");
      }
    }
  }
  if (const auto log = present(results, "mb_measurement_list"); log && !log->string().empty()) {
    out.eventlog = base64_of(*log);
  }
  return out;
}

std::vector<std::string> read_ids(const json::Value& results) {
  const json::Value list = results.at("uuids");
  std::vector<std::string> out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    json::Value one = list.at(i);
    if (one.is_array() && one.size() == 1) {
      one = one.at(0);
    } else if (one.is_object()) {
      one = one.at("agent_id");
    }
    if (!is_agent_id(one.string())) one.fail("is not an agent id");
    out.emplace_back(one.string());
  }
  return out;
}

}  // namespace attest::net
