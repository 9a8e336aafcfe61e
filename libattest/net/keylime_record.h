// SPDX-License-Identifier: Apache-2.0

// What a registrar knows of an agent, and what an agent answers when it is asked for a quote: all
// of it claims until a quote is verified against a key that is known to be the node's.

#ifndef LIBATTEST_NET_KEYLIME_RECORD_H_
#define LIBATTEST_NET_KEYLIME_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/json/value.h"

namespace attest::net {

struct KeylimeAgent {
  std::string uuid;
  std::vector<std::uint8_t> ak;              // TPM2B_PUBLIC
  std::vector<std::uint8_t> ek;              // TPM2B_PUBLIC, or empty
  std::vector<std::uint8_t> ek_certificate;  // DER, or empty
  std::string certificate;                   // PEM of its TLS server, or empty
  std::string ip;                            // or empty
  std::uint16_t port = 0;                    // or 0

  // Throws std::invalid_argument for what could not have come from a registrar.
  void check() const;
};

// The results of the registrar's GET /agents/ID. Throws ParseError.
KeylimeAgent read_agent(std::string_view uuid, const json::Value& results);

struct KeylimeQuote {
  std::string quote;  // Keylime's quote string: tpm/keylime_quote.h parses it
  std::string hash_alg, enc_alg, sign_alg;
  std::string public_key;  // PEM, or empty
  std::optional<std::uint64_t> boottime;
  std::optional<std::string> ima;  // ascii lines
  std::optional<std::uint64_t> ima_entry;
  std::optional<std::vector<std::uint8_t>> eventlog;
};

// The results of an agent's GET /quotes/…. `ima_entry` is what was asked for: an answer that begins
// at another entry than that or 0 is not understood. Throws ParseError.
KeylimeQuote read_quote(const json::Value& results, std::uint64_t ima_entry);

// The ids of GET /agents/: ["id"], [["id"]] from verifiers since 6.5, [{"agent_id": "id"}] from
// 6.1. Throws ParseError, also for what is no agent id.
std::vector<std::string> read_ids(const json::Value& results);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_RECORD_H_
