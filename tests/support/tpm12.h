// SPDX-License-Identifier: Apache-2.0

// What a TPM 1.2 makes, of any content, so that a test can break one rule at a time; and the real
// evidence of one in tests/vectors.
#ifndef LIBATTEST_TESTS_SUPPORT_TPM12_H_
#define LIBATTEST_TESTS_SUPPORT_TPM12_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libattest/crypto/digest.h"
#include "tests/support/bytes.h"
#include "tests/support/evidence.h"

// A TPM_PCR_COMPOSITE. More PCRs may be selected than there are values of, and fewer.
struct Composite {
  std::map<std::uint32_t, Octets> pcrs;
  std::uint16_t size_of_select = 3;
  std::uint32_t mask = 0;  // beside those of `pcrs`

  Octets selection() const {
    std::uint32_t bits = mask;
    for (const auto& [pcr, value] : pcrs) bits |= std::uint32_t{1} << pcr;
    Writer w;
    w.be(size_of_select);
    for (unsigned i = 0; i < size_of_select; ++i) {
      w.raw({static_cast<std::uint8_t>(i < 4 ? bits >> 8 * i : 0)});
    }
    return w.out;
  }
  Octets bytes() const {
    Writer values;
    for (const auto& [pcr, value] : pcrs) values.bytes(value);
    return Writer()
        .bytes(selection())
        .be(static_cast<std::uint32_t>(values.out.size()))
        .bytes(values.out)
        .out;
  }
  Octets digest() const {
    const auto sha1 = attest::crypto::Hasher(attest::crypto::Hash::kSha1)(bytes());
    return {sha1.bytes().begin(), sha1.bytes().end()};
  }
};

// TPM_QUOTE_INFO.
inline Octets make_quote_info(const Composite& composite, const Octets& nonce) {
  return Writer().raw({1, 1, 0, 0}).text("QUOT").bytes(composite.digest()).bytes(nonce).out;
}

// TPM_CAP_VERSION_INFO.
inline Octets make_version_info(std::size_t vendor_size = 0) {
  return Writer()
      .raw({0x00, 0x30, 1, 2, 3, 4, 0, 2, 3})
      .text("TEST")
      .be(static_cast<std::uint16_t>(vendor_size))
      .fill(vendor_size, 0x77)
      .out;
}

// TPM_QUOTE_INFO2.
inline Octets make_quote_info2(const Composite& composite, const Octets& nonce,
                               const Octets& version_info = {}, std::uint8_t locality = 1) {
  return Writer()
      .raw({0x00, 0x36})
      .text("QUT2")
      .bytes(nonce)
      .bytes(composite.selection())
      .raw({locality})
      .bytes(composite.digest())
      .bytes(version_info)
      .out;
}

// TPM_PUBKEY, TPM_KEY and TPM_KEY12 of an RSA key.
struct MadeKey12 {
  Octets modulus = Octets(256, 0xc1);
  Octets front{0x00, 0x28, 0x00, 0x00};  // TPM_KEY12; {1, 1, 0, 0}: TPM_KEY
  std::uint16_t usage = 0x0012;
  std::uint32_t flags = 0;
  std::uint32_t algorithm = 1;
  std::uint16_t enc_scheme = 1;
  std::uint16_t sig_scheme = 2;
  std::uint32_t bits = 2048;
  std::uint32_t primes = 2;
  Octets exponent;
  Octets pcr_info;
  Octets enc_data = Octets(256, 0xee);

  Octets pubkey() const {
    return parameters().be(static_cast<std::uint32_t>(modulus.size())).bytes(modulus).out;
  }
  Octets key() const {
    Writer w;
    w.bytes(front).be(usage).be(flags).raw({1}).bytes(parameters().out);
    sized(w, pcr_info);
    sized(w, modulus);
    sized(w, enc_data);
    return w.out;
  }

 private:
  static void sized(Writer& w, const Octets& bytes) {
    w.be(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
  }
  Writer parameters() const {
    Writer rsa;
    rsa.be(bits).be(primes);
    sized(rsa, exponent);
    Writer w;
    w.be(algorithm).be(enc_scheme).be(sig_scheme);
    sized(w, rsa.out);
    return w;
  }
};

// The boot of tests/vectors/boot/bios12-tpm12; `quote` is "quote1" or "quote2", both of PCR 0-10.
inline Parts boot12(const std::string& quote = "quote2") {
  const std::string dir = "boot/bios12-tpm12/";
  Parts p;
  p.ak = read_vector(dir + "1-clean/aik.tpm_key12");
  p.attest = read_vector(dir + "1-clean/" + quote + ".info");
  p.signature = read_vector(dir + "1-clean/" + quote + ".sig");
  p.nonce = nonce_from(dir + "nonce.hex");
  p.nonce.resize(20);
  p.eventlog = read_vector(dir + "binary_bios_measurements");
  p.ima = read_vector(dir + "1-clean/ima.bin");
  // Lines of a number and a value.
  const std::string text = read_text_vector(dir + "1-clean/pcrs.txt");
  attest::Lines lines(text);
  Composite composite;
  composite.size_of_select = quote == "quote1" ? 2 : 3;
  for (std::uint32_t pcr = 0; pcr <= 10; ++pcr) {
    const std::string_view line = lines.next().value();
    composite.pcrs[pcr] = attest::from_hex(line.substr(line.find(' ') + 1)).value();
  }
  p.pcrs = composite.bytes();
  return p;
}

#endif  // LIBATTEST_TESTS_SUPPORT_TPM12_H_
