// SPDX-License-Identifier: Apache-2.0

// Endorsement keys whose private half a test has.
#ifndef LIBATTEST_TESTS_SUPPORT_EK_H_
#define LIBATTEST_TESTS_SUPPORT_EK_H_

#include <cstdint>
#include <vector>

#include "libattest/tpm/public.h"
#include "tests/support/signer.h"

// The fields of an EK's public area, as template L-1 and L-2 have them.
struct EkFields {
  std::uint16_t name_alg = 0x000b;
  std::uint32_t attributes = 0x000300b2;
  std::uint16_t symmetric = 0x0006;  // AES
  std::uint16_t bits = 128;
  std::uint16_t mode = 0x0043;  // CFB
  std::uint16_t scheme = 0x0010;
  std::uint16_t kdf = 0x0010;
};

// TPMT_PUBLIC.
inline std::vector<std::uint8_t> ek_public(const Signer& key, const EkFields& f = {}) {
  const std::vector<std::uint8_t> as_ak = key.tpm2b_public();
  const attest::tpm::PublicArea a = attest::tpm::parse_public_2b(as_ak);
  Writer w;
  w.be(a.type).be(f.name_alg).be(f.attributes).be<std::uint16_t>(32).fill(32, 0xaa);
  w.be(f.symmetric);
  if (f.symmetric != 0x0010) w.be(f.bits).be(f.mode);
  w.be(f.scheme);
  if (f.scheme != 0x0010) w.be<std::uint16_t>(0x000b);
  const auto sized = [&](attest::Bytes b) { w.be(static_cast<std::uint16_t>(b.size())).bytes(b); };
  if (a.type == 0x0001) {
    w.be(a.key_bits).be(a.exponent);
    sized(a.modulus);
  } else {
    w.be(a.curve).be(f.kdf);
    if (f.kdf != 0x0010) w.be<std::uint16_t>(0x000b);
    sized(a.x);
    sized(a.y);
  }
  return w.out;
}

#endif  // LIBATTEST_TESTS_SUPPORT_EK_H_
