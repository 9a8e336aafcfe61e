// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_public and parse_public_2b. Property: what we accept tpm2-tss accepts
// too, reads the same, and marshals to the same bytes; an error's offset lies within the input.
#include <tss2/tss2_mu.h>

#include <algorithm>
#include <cstdlib>

#include "libattest/tpm/public.h"

namespace {

using attest::Bytes;
using attest::tpm::PublicArea;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(Bytes ours, const BYTE* theirs, UINT16 size) {
  return std::equal(ours.begin(), ours.end(), theirs, theirs + size);
}

void compare(const PublicArea& a, const TPMT_PUBLIC& t) {
  require(t.type == a.type && t.nameAlg == a.name_alg && t.objectAttributes == a.attributes);
  require(same(a.auth_policy, t.authPolicy.buffer, t.authPolicy.size));
  if (a.type == TPM2_ALG_RSA) {
    const TPMS_RSA_PARMS& p = t.parameters.rsaDetail;
    require(p.symmetric.algorithm == a.symmetric && p.scheme.scheme == a.scheme &&
            p.keyBits == a.key_bits && p.exponent == a.exponent);
    if (a.symmetric != TPM2_ALG_NULL) {
      require(p.symmetric.keyBits.sym == a.symmetric_bits &&
              p.symmetric.mode.sym == a.symmetric_mode);
    }
    if (a.scheme_hash != TPM2_ALG_NULL) {
      require(p.scheme.details.anySig.hashAlg == a.scheme_hash);
    }
    require(same(a.modulus, t.unique.rsa.buffer, t.unique.rsa.size));
  } else {
    const TPMS_ECC_PARMS& p = t.parameters.eccDetail;
    require(p.symmetric.algorithm == a.symmetric && p.scheme.scheme == a.scheme &&
            p.curveID == a.curve && p.kdf.scheme == a.kdf);
    if (a.scheme_hash != TPM2_ALG_NULL) {
      require(p.scheme.details.anySig.hashAlg == a.scheme_hash);
    }
    require(same(a.x, t.unique.ecc.x.buffer, t.unique.ecc.x.size) &&
            same(a.y, t.unique.ecc.y.buffer, t.unique.ecc.y.size));
  }
}

// Marshals `theirs` and compares with `in`.
template <typename T>
void round_trip(const T& theirs, Bytes in,
                TSS2_RC (*marshal)(const T*, std::uint8_t*, std::size_t, std::size_t*)) {
  std::vector<std::uint8_t> again(in.size());
  std::size_t offset = 0;
  require(marshal(&theirs, again.data(), again.size(), &offset) == TSS2_RC_SUCCESS);
  require(offset == in.size() && std::equal(again.begin(), again.end(), in.begin()));
}

void area(Bytes in) {
  PublicArea a;
  try {
    a = attest::tpm::parse_public(in);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
    return;
  }
  TPMT_PUBLIC theirs{};
  std::size_t offset = 0;
  require(Tss2_MU_TPMT_PUBLIC_Unmarshal(in.data(), in.size(), &offset, &theirs) == TSS2_RC_SUCCESS);
  require(offset == in.size() && a.raw.data() == in.data() && a.raw.size() == in.size());
  compare(a, theirs);
  round_trip(theirs, in, Tss2_MU_TPMT_PUBLIC_Marshal);
}

void sized_area(Bytes in) {
  PublicArea a;
  try {
    a = attest::tpm::parse_public_2b(in);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= in.size());
    return;
  }
  TPM2B_PUBLIC theirs{};
  std::size_t offset = 0;
  require(Tss2_MU_TPM2B_PUBLIC_Unmarshal(in.data(), in.size(), &offset, &theirs) ==
          TSS2_RC_SUCCESS);
  require(offset == in.size() && theirs.size == a.raw.size());
  compare(a, theirs.publicArea);
  round_trip(theirs, in, Tss2_MU_TPM2B_PUBLIC_Marshal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  area({data, size});
  sized_area({data, size});
  return 0;
}
