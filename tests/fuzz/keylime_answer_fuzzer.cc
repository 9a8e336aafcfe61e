// SPDX-License-Identifier: Apache-2.0

// Target: what the Keylime client reads of an answer (net/keylime_*.h) and of a configuration.
// Property: nothing is trusted without state 3 or 5 and a counted attestation; what is taken for an
// agent's id, address or key is one; what is passed on of a peer's words is one printable line.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/net/address.h"
#include "libattest/net/keylime_answer.h"
#include "libattest/net/keylime_doctor.h"
#include "libattest/net/keylime_policy.h"
#include "libattest/net/keylime_record.h"
#include "libattest/net/keylime_status.h"
#include "libattest/net/keylime_version.h"

using namespace attest;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void is_one_line(std::string_view text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

// Malformed input is refused in one way only.
template <typename Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const ParseError&) {
  }
}

void read_results(const json::Value& results) {
  attempt([&] {
    const net::KeylimeStatus s = net::read_status(results);
    require(s.state <= net::kMaxState);
    if (s.verdict == net::KeylimeVerdict::kTrusted) {
      require((s.state == 3 || s.state == 5) && s.attestation_count.value_or(0) > 0);
    }
    is_one_line(s.last_event_id);
  });
  attempt([&] { net::read_agent("node-1", results).check(); });
  attempt([&] {
    const net::KeylimeQuote q = net::read_quote(results, 7);
    require(q.ima.has_value() == q.ima_entry.has_value());
    require(!q.ima_entry || *q.ima_entry == 0 || *q.ima_entry == 7);
  });
  attempt([&] {
    for (const std::string& id : net::read_ids(results)) require(net::is_agent_id(id));
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  is_one_line(net::refusal_words(text));
  attempt([&] { require(!net::read_versions(text).empty()); });
  attempt([&] {
    const json::Document document = net::parse_answer(text);
    attempt([&] { read_results(net::results_of(document)); });
    read_results(document.root());
  });
  attempt([&] { net::check_runtime_policy(net::runtime_policy_of_lists(text, text)); });
  attempt([&] {
    (void)net::legacy_allowlist(text);
    (void)net::legacy_verification_keys(text);
  });
  attempt([&] { is_one_line(net::tpm_policy_with_mask(text, 0)); });
  for (const net::HealthCheck& check : net::check_configuration(text)) is_one_line(check.message);
  is_one_line(net::check_dates("x", text, 0).message);
  return 0;
}
