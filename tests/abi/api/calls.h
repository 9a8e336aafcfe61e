// SPDX-License-Identifier: Apache-2.0

// What the tests of the calls have in common.
#ifndef LIBATTEST_TESTS_ABI_API_CALLS_H_
#define LIBATTEST_TESTS_ABI_API_CALLS_H_

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "tests/abi/good_node.h"
#include "tests/abi/owned.h"

// A place that a failing call must set to NULL.
template <typename Object>
Object* rubbish() {
  static char somewhere;
  return reinterpret_cast<Object*>(&somewhere);
}

// What a C caller can put into an enumeration: any int.
template <typename Enum>
Enum any(int number) {
  Enum out;
  std::memcpy(&out, &number, sizeof out);
  return out;
}

inline const GoodNode& good_node() {
  static const GoodNode node = load_good_node();
  return node;
}

inline std::string text_of(const Buffer& buffer) {
  return {reinterpret_cast<const char*>(attest_buffer_data(buffer.get())),
          attest_buffer_size(buffer.get())};
}

// The call failed with `status`, and said so in one line that has `words` in it.
inline void check_failed(attest_status got, attest_status status, const std::string& words) {
  const std::string said = attest_last_error();
  INFO("said: " << said);
  CHECK(got == status);
  CHECK(said.find(words) != std::string::npos);
  CHECK(said.find('\n') == std::string::npos);
}

inline std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8U | (j < n ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= n ? kDigits[group >> (18U - 6U * j) & 63U] : '=';
    }
  }
  return out;
}

// The good quote as a Keylime agent sends one.
inline std::string keylime_quote() {
  const GoodNode& n = good_node();
  return "r" + base64(n.attest) + ":" + base64(n.signature) + ":" + base64(n.pcrs);
}

inline attest_status set_good_quote(attest_evidence* evidence) {
  const GoodNode& n = good_node();
  return attest_evidence_set_quote(evidence, n.attest.data(), n.attest.size(), n.signature.data(),
                                   n.signature.size(), n.pcrs.data(), n.pcrs.size());
}

inline void make_good_evidence(Evidence& evidence) {
  const GoodNode& n = good_node();
  REQUIRE(attest_evidence_new(evidence.place()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_ak(evidence.get(), n.ak.data(), n.ak.size()) == ATTEST_OK);
  REQUIRE(set_good_quote(evidence.get()) == ATTEST_OK);
  REQUIRE(attest_evidence_set_eventlog(evidence.get(), n.eventlog.data(), n.eventlog.size()) ==
          ATTEST_OK);
  REQUIRE(attest_evidence_set_ima(evidence.get(), n.ima.data(), n.ima.size()) == ATTEST_OK);
}

inline void make_good_policy(Policy& policy) {
  const GoodNode& n = good_node();
  REQUIRE(attest_policy_new(policy.place()) == ATTEST_OK);
  REQUIRE(attest_policy_add_tpm_policy(policy.get(), n.tpm_policy.data(), n.tpm_policy.size()) ==
          ATTEST_OK);
  REQUIRE(attest_policy_add_allowlist(policy.get(), n.allowlist.data(), n.allowlist.size(), nullptr,
                                      0, n.excludelist.data(), n.excludelist.size()) == ATTEST_OK);
}

inline attest_appraise_options good_options() {
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = good_node().nonce.data();
  options.nonce_len = good_node().nonce.size();
  return options;
}

#endif  // LIBATTEST_TESTS_ABI_API_CALLS_H_
