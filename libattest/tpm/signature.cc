// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/signature.h"

#include <tss2/tss2_tpm2_types.h>

#include "libattest/tpm/tpm2b.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "TPMT_SIGNATURE";
constexpr std::size_t kMaxSignature = 4096;

constexpr std::size_t kMaxRsa = sizeof(TPM2B_PUBLIC_KEY_RSA::buffer);
constexpr std::size_t kMaxEcc = sizeof(TPM2B_ECC_PARAMETER::buffer);

constexpr std::uint8_t kDerSequence = 0x30;

Bytes part(Reader& r, std::size_t max, std::string_view field) {
  const Bytes bytes = tpm2b(r, max, field);
  if (bytes.empty()) r.fail(field, "empty");
  return bytes;
}

void check_size(Bytes in) {
  if (in.size() > kMaxSignature) {
    throw ParseError(kFormat, kMaxSignature, kFormat, "larger than 4 KiB");
  }
}

}  // namespace

ClaimedSignature parse_signature(Bytes in) {
  check_size(in);
  Reader r(in, kFormat);
  ClaimedSignature s;
  s.sig_alg = r.u16be("sigAlg");
  switch (*s.sig_alg) {
    case TPM2_ALG_RSASSA:
    case TPM2_ALG_RSAPSS:
      s.hash_alg = r.u16be("signature.hash");
      s.rsa = part(r, kMaxRsa, "signature.sig");
      break;
    case TPM2_ALG_ECDSA:
      s.hash_alg = r.u16be("signature.hash");
      s.r = part(r, kMaxEcc, "signature.signatureR");
      s.s = part(r, kMaxEcc, "signature.signatureS");
      break;
    default:
      return s;
  }
  r.expect_end(kFormat);
  return s;
}

// A TPMT_SIGNATURE begins with the sigAlg's high byte, 0x00 for every scheme there is, and one that
// holds a signature of the modulus' size is six bytes longer than it: what is read as bare here
// could not have been a signature by this key in the other form.
ClaimedSignature parse_any_signature(Bytes in, std::size_t rsa_modulus_size) {
  check_size(in);
  ClaimedSignature s;
  if (rsa_modulus_size != 0 && in.size() == rsa_modulus_size) {
    s.rsa = in;
    return s;
  }
  if (rsa_modulus_size == 0 && !in.empty() && in[0] == kDerSequence) {
    s.der = in;
    return s;
  }
  return parse_signature(in);
}

}  // namespace attest::tpm
