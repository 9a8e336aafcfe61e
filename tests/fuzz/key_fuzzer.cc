// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::AttestationKey::load, and with it PEM, DER, certificates and public areas.
// Property: a key that loads has a size and a kind libattest verifies with, survives its own DER
// form, a TPM 2.0's has the Name that its public area hashes to, and a TPM 1.2's is the key of its
// structure; an error's offset lies within the input.
#include <algorithm>
#include <cstdlib>

#include "libattest/tpm/key.h"
#include "libattest/tpm/key12.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using attest::tpm::AttestationKey;
  try {
    const AttestationKey key = AttestationKey::load({data, size});
    const std::size_t bits = key.key().bits();
    require(key.key().curve() ? bits == 256 || bits == 384 || bits == 521
                              : bits >= 1024 && bits <= 8192);
    const auto der = key.key().spki();
    require(AttestationKey::load(der).key().spki() == der);
    require(!attest::tpm::format_name(key.format()).empty());
    if (key.key12() != nullptr) {
      require(key.area() == nullptr && attest::tpm::is_key12({data, size}));
      require(attest::tpm::public_key_of(*key.key12()).spki() == der);
    }
    if (key.area() == nullptr) {
      require(key.name().empty());
      return 0;
    }
    const auto name = attest::tpm::name_of(*key.area());
    require(std::equal(name.begin(), name.end(), key.name().begin(), key.name().end()));
  } catch (const attest::ParseError& e) {
    require(e.offset() <= size);
  }
  return 0;
}
