// SPDX-License-Identifier: Apache-2.0

// TPMT_SIGNATURE: TPM 2.0 Library, Part 2: Structures, rev. 1.59, section 11.3.4; and the bare
// forms that tpm2-tools writes with "-f plain".

#ifndef LIBATTEST_TPM_SIGNATURE_H_
#define LIBATTEST_TPM_SIGNATURE_H_

#include <cstdint>
#include <optional>

#include "libattest/base/reader.h"

namespace attest::tpm {

// The Bytes are views into the input.
struct ClaimedSignature {
  // TPM_ALG_IDs as they stand in the signature. Absent from a bare signature, whose scheme and
  // digest the verifier takes from the key.
  std::optional<std::uint16_t> sig_alg;
  std::optional<std::uint16_t> hash_alg;

  // One of these three is filled; none when sig_alg is a scheme that libattest does not verify,
  // because the layout of what follows is that scheme's.
  Bytes rsa;   // TPMS_SIGNATURE_RSA.sig, or a bare RSA signature
  Bytes r, s;  // TPMS_SIGNATURE_ECC
  Bytes der;   // a bare ECDSA signature: DER SEQUENCE of r and s
};

// Parses all of `in` as one TPMT_SIGNATURE.
ClaimedSignature parse_signature(Bytes in);

// The same, or a bare signature: as long as `rsa_modulus_size` (bytes; 0 for an EC key), or, for an
// EC key, beginning with DER's 0x30. No TPMT_SIGNATURE is either.
ClaimedSignature parse_any_signature(Bytes in, std::size_t rsa_modulus_size);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_SIGNATURE_H_
