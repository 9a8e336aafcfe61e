// SPDX-License-Identifier: Apache-2.0

// The first measurement of a boot: a digest of the PCRs that describe how the machine booted.
// Linux: security/integrity/ima/ima_crypto.c, ima_calc_boot_aggregate().

#ifndef LIBATTEST_IMA_BOOT_AGGREGATE_H_
#define LIBATTEST_IMA_BOOT_AGGREGATE_H_

#include <span>

#include "libattest/crypto/digest.h"
#include "libattest/ima/entry.h"

namespace attest::ima {

// `pcrs` are the values of PCR 0 upwards in the bank of `alg`: eight for SHA-1, ten for any other.
// Throws std::invalid_argument for fewer, and for a value that is not of the bank's size.
crypto::Digest boot_aggregate(crypto::Hash alg, std::span<const crypto::Digest> pcrs);
// Of PCR 0 to 7 whatever the algorithm is, as kernels did that do not know of PCR 8 and 9 yet.
crypto::Digest boot_aggregate_of_eight(crypto::Hash alg, std::span<const crypto::Digest> pcrs);

// Whether the entry claims to be one: by its name, as no field says so. Not for what could not be
// (a violation, a buffer, an fs-verity digest).
bool is_boot_aggregate(const Entry& entry) noexcept;

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_BOOT_AGGREGATE_H_
