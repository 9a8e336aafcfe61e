// SPDX-License-Identifier: Apache-2.0

#include "libattest/credential.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/verify/challenge.h"

using attest::api::guard;

struct attest_credential {
  attest::verify::CredentialChallenge challenge;
};

namespace {

const std::uint8_t* view(const std::vector<std::uint8_t>& bytes, std::size_t* len) {
  if (len != nullptr) *len = bytes.size();
  return bytes.data();
}

const std::uint8_t* nothing(std::size_t* len) {
  if (len != nullptr) *len = 0;
  return nullptr;
}

}  // namespace

extern "C" {

attest_status attest_credential_new(attest_credential** out, const attest_ek* ek,
                                    const attest_key* ak) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(ek, "ek");
    attest::api::require(ak, "ak");
    attest::api::give(out,
                      attest_credential{attest::verify::CredentialChallenge(*ek->ek, ak->key)});
  });
}

const std::uint8_t* attest_credential_id_object(const attest_credential* credential,
                                                std::size_t* len) {
  if (credential == nullptr) return nothing(len);
  return view(credential->challenge.credential().id_object, len);
}

const std::uint8_t* attest_credential_encrypted_secret(const attest_credential* credential,
                                                       std::size_t* len) {
  if (credential == nullptr) return nothing(len);
  return view(credential->challenge.credential().encrypted_secret, len);
}

attest_status attest_credential_check(attest_key** bound, attest_credential* credential,
                                      const std::uint8_t* answer, std::size_t answer_len) {
  return guard([&] {
    attest::api::clear_output(bound, "bound");
    attest::api::require(credential, "credential");
    const attest::Bytes in = attest::api::bytes(answer, answer_len);
    if (credential->challenge.checked()) {
      throw attest::api::StateError("this challenge was answered before: make another one");
    }
    auto binding = credential->challenge.check(in);
    if (!binding) {
      throw attest::RefusedError(
          "the credential challenge was answered wrongly: the attestation key is not in the TPM of "
          "the endorsement key");
    }
    const auto& key = credential->challenge.key();
    attest::api::give(bound, attest_key{key, key->key().describe(), std::move(binding)});
  });
}

void attest_credential_free(attest_credential* credential) { delete credential; }

}  // extern "C"
