// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_signature and parse_any_signature. Property: a signature we accept and
// read tpm2-tss accepts too, reads the same, and marshals to the same bytes; the bare forms are the
// whole input; an error's offset lies within the input.
#include <tss2/tss2_mu.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "libattest/tpm/signature.h"

namespace {

using attest::Bytes;
using attest::tpm::ClaimedSignature;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(Bytes ours, const BYTE* theirs, UINT16 size) {
  return std::equal(ours.begin(), ours.end(), theirs, theirs + size);
}

void compare(const ClaimedSignature& s, Bytes in) {
  TPMT_SIGNATURE theirs{};
  std::size_t offset = 0;
  require(Tss2_MU_TPMT_SIGNATURE_Unmarshal(in.data(), in.size(), &offset, &theirs) ==
          TSS2_RC_SUCCESS);
  require(offset == in.size() && theirs.sigAlg == s.sig_alg);
  // The RSA and the ECC structures are the same for all schemes of their kind.
  if (!s.rsa.empty()) {
    const TPMS_SIGNATURE_RSA& rsa = theirs.signature.rsassa;
    require(rsa.hash == s.hash_alg && same(s.rsa, rsa.sig.buffer, rsa.sig.size));
  } else {
    const TPMS_SIGNATURE_ECC& ecc = theirs.signature.ecdsa;
    require(ecc.hash == s.hash_alg && same(s.r, ecc.signatureR.buffer, ecc.signatureR.size) &&
            same(s.s, ecc.signatureS.buffer, ecc.signatureS.size));
  }
  std::vector<std::uint8_t> again(in.size());
  offset = 0;
  require(Tss2_MU_TPMT_SIGNATURE_Marshal(&theirs, again.data(), again.size(), &offset) ==
          TSS2_RC_SUCCESS);
  require(offset == in.size() && std::equal(again.begin(), again.end(), in.begin()));
}

void one(Bytes in, std::size_t rsa_modulus_size) {
  ClaimedSignature s;
  try {
    s = attest::tpm::parse_any_signature(in, rsa_modulus_size);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
    return;
  }
  if (s.sig_alg) {
    if (s.hash_alg) compare(s, in);
    require(s.der.empty() && (s.hash_alg || (s.rsa.empty() && s.r.empty() && s.s.empty())));
  } else {
    require(s.rsa.size() + s.der.size() == in.size() && s.r.empty() && s.s.empty());
    require(rsa_modulus_size == 0 ? s.rsa.empty() : s.rsa.size() == rsa_modulus_size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const std::size_t modulus : {std::size_t{0}, std::size_t{256}, size}) {
    one({data, size}, modulus);
  }
  return 0;
}
