// SPDX-License-Identifier: Apache-2.0

// TPM2_MakeCredential without a TPM: TPM 2.0 Library Part 1, rev. 1.59, section 24 (Credential
// Protection), with B.10.4 and C.6.4 for the seed and 11.4.10 for the key derivations.

#ifndef LIBATTEST_TPM_CREDENTIAL_H_
#define LIBATTEST_TPM_CREDENTIAL_H_

#include <cstdint>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/secret.h"
#include "libattest/tpm/ek.h"

namespace attest::tpm {

// The inputs of TPM2_ActivateCredential (Part 3, 12.5), each with its 16-bit size in front.
struct Credential {
  std::vector<std::uint8_t> id_object;         // TPM2B_ID_OBJECT: credentialBlob
  std::vector<std::uint8_t> encrypted_secret;  // TPM2B_ENCRYPTED_SECRET: secret
};

// `secret` for the TPM that has `ek` and an object with `name`, and for nobody else: it is at most
// as long as a digest of the EK's nameAlg (std::invalid_argument). `name` is not empty.
Credential make_credential(const EndorsementKey& ek, Bytes name, Bytes secret);

// Part 1, 11.4.10.2: SP 800-108 in counter mode. `label` is without its NUL.
crypto::Secret kdfa(crypto::Hash hash, Bytes key, std::string_view label, Bytes context_u,
                    Bytes context_v, std::size_t bits);
// Part 1, 11.4.10.3: SP 800-56A's one-step key derivation.
crypto::Secret kdfe(crypto::Hash hash, Bytes z, std::string_view label, Bytes party_u,
                    Bytes party_v, std::size_t bits);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_CREDENTIAL_H_
