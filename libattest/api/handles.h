// SPDX-License-Identifier: Apache-2.0

// What is behind the opaque handles that more than one file of api/ uses.

#ifndef LIBATTEST_API_HANDLES_H_
#define LIBATTEST_API_HANDLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libattest/base.h"
#include "libattest/crypto/digest.h"
#include "libattest/ek.h"
#include "libattest/evidence.h"
#include "libattest/key.h"
#include "libattest/node.h"
#include "libattest/pcrs.h"
#include "libattest/policy.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/report.h"
#include "libattest/tpm/ek.h"
#include "libattest/tpm/key.h"
#include "libattest/tpm/pcr.h"
#include "libattest/verify/appraise.h"
#include "libattest/verify/challenge.h"
#include "libattest/verify/node.h"

struct attest_buffer {
  std::string text;
};

struct attest_key {
  std::shared_ptr<const attest::tpm::AttestationKey> key;
  std::string description;
  std::optional<attest::verify::KeyBinding> binding;  // by a challenge that was answered
};

struct attest_ek {
  std::shared_ptr<const attest::tpm::EndorsementKey> ek;
  std::string sha256;
  std::string description;
};

struct attest_pcrs {
  struct Value {
    std::optional<attest::crypto::Hash> bank;
    std::uint32_t pcr = 0;
    attest::crypto::Digest value;
  };
  std::vector<Value> values;
};

struct attest_policy {
  attest::policy::Policy policy;
  // policy.ima is there only to hold what attest_policy_set_ima_digest said: no list is required.
  bool ima_digest_only = false;
};

struct attest_node {
  attest::verify::NodeState state;
};

struct attest_evidence {
  attest::verify::Evidence evidence;
  bool ima_spent = false;  // evidence.ima->read was used
};

struct attest_report {
  attest::policy::Report report;
};

namespace attest::api {

// Hands `object` over to the caller.
template <typename Handle>
void give(Handle** out, Handle&& object) {
  *out = std::make_unique<Handle>(std::forward<Handle>(object)).release();
}

inline void give_text(attest_buffer** out, std::string text) {
  give(out, attest_buffer{std::move(text)});
}

// A digest algorithm that came from C: nothing for ATTEST_HASH_NONE; std::invalid_argument for a
// number of none.
std::optional<crypto::Hash> hash_of(const attest_hash& hash, const char* name);
attest_hash to_c(std::optional<crypto::Hash> hash) noexcept;

attest_pcrs to_pcrs(const tpm::ClaimedPcrs& pcrs);

// Fills `*out` with findings[index]; its strings are the finding's.
void fill_finding(attest_finding* out, const policy::Findings& findings, std::size_t index);

}  // namespace attest::api

#endif  // LIBATTEST_API_HANDLES_H_
