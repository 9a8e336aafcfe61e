// SPDX-License-Identifier: Apache-2.0

// The bodies of POST requests to a verifier, by the version of its API.

#ifndef LIBATTEST_NET_KEYLIME_BODY_H_
#define LIBATTEST_NET_KEYLIME_BODY_H_

#include <optional>
#include <string>
#include <string_view>

#include "libattest/net/address.h"
#include "libattest/net/keylime_record.h"
#include "libattest/net/keylime_version.h"

namespace attest::net {

// What a verifier is to judge an agent by. At least one is given: a verifier accepts an agent
// without a policy, and its "trusted" then means nothing.
struct KeylimePolicies {
  std::optional<std::string> runtime_policy;  // JSON
  std::optional<std::string> policy_name;  // of a runtime policy: stored, or to be stored under it
  std::optional<std::string> tpm_policy;   // JSON
  std::optional<std::string> mb_policy;    // JSON
};

// Throws std::invalid_argument when there is no policy or a name that is none, ParseError for a
// policy that is not of its format.
void check_policies(const KeylimePolicies& policies);

struct AddRequest {
  const KeylimeAgent& agent;
  const KeylimePolicies& policies;
  const Endpoint& verifier;
  ApiVersion agent_version;  // what the verifier is to speak with the agent
  std::string v;             // base64 of 32 random bytes
};

// POST /agents/ID. One body for Keylime 6.4 to 7.14, whose releases ignore what they do not know;
// before that another. Throws NetError where the API can not do what is asked.
std::string add_body(const Api& api, const AddRequest& request);

// POST /allowlists/NAME, and POST /mbpolicies/NAME.
std::string stored_runtime_policy_body(std::string_view runtime_policy);
std::string stored_mb_policy_body(std::string_view mb_policy);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_BODY_H_
