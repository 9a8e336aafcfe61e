// SPDX-License-Identifier: Apache-2.0

// EK certificates: TCG EK Credential Profile for TPM Family 2.0, version 2.5, section 3.2.

#ifndef LIBATTEST_TPM_EK_CERTIFICATE_H_
#define LIBATTEST_TPM_EK_CERTIFICATE_H_

#include <cstdint>

#include "libattest/base/reader.h"
#include "libattest/crypto/certificate.h"

namespace attest::tpm {

// One certificate, PEM or DER. DER may end in padding, all 0x00 or all 0xff: what a TPM gives is
// its whole NV index. Throws ParseError.
crypto::Certificate parse_ek_certificate(Bytes in);

// Whether `certificate` is one of an EK and chains to the operator's `roots` at time `now`. Throws
// RefusedError with the first reason why not.
void verify_ek_certificate(const crypto::Certificate& certificate,
                           const crypto::ChainOptions& options);

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_EK_CERTIFICATE_H_
