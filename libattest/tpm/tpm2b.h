// SPDX-License-Identifier: Apache-2.0

// TPM2B_x: a 16-bit size and that many bytes. For tpm/ only.

#ifndef LIBATTEST_TPM_TPM2B_H_
#define LIBATTEST_TPM_TPM2B_H_

#include "libattest/base/reader.h"

namespace attest::tpm {

// At most `max` bytes, which is what the type's buffer holds.
inline Bytes tpm2b(Reader& r, std::size_t max, std::string_view field) {
  const std::uint16_t size = r.u16be(field);
  if (size > max) r.fail(field, "larger than its type allows");
  return r.take(size, field);
}

}  // namespace attest::tpm

#endif  // LIBATTEST_TPM_TPM2B_H_
