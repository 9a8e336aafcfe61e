// SPDX-License-Identifier: Apache-2.0

// Target: attest::ima::check_signature and Keyring::add.
// Property: a good signature has the header that Linux's struct signature_v2_hdr prescribes for the
// entry, to the byte, and is good for no other digest; a key is added whole or not at all.
// The first input byte chooses the entry's digest; the rest is the signature field and, again, a
// key.
#include <cstdlib>

#include "libattest/base/base64.h"
#include "libattest/base/text.h"
#include "libattest/ima/signature.h"

namespace {

using attest::Bytes;
using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::ima::check_signature;
using attest::ima::DigestKind;
using attest::ima::Entry;
using attest::ima::Keyring;
using attest::ima::SignatureState;

// The public keys of tests/vectors/ima/signatures.
constexpr std::string_view kRsa =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6ovfPDlF5tTsgQDf+RN2sQKfdTyVYpUQKSeYtk+"
    "GOadhPKeChDQgKQAYjNuMu2NaP666eKlrEOzoSHFaAzR51pwh3CaMlpxutuLkoJzcXkgbqIcZBHWKKy+sdYJsD+"
    "NXF57UqtUy1bBR66HZD+aah5EUjW0awrCjYZ+9+tuCWbZx39hfQZNhPs3O5qfaJ+QH+z7nQvqFSGeLpg9+/"
    "yDc3ihCT8TzqE3hhbdQ+C5h7daehfDm+x4dmnd+05fgGVTNbxO4Zt4ya5X+QpM3WMDNObP/"
    "u8Q6x+Ngq6RVq8XP2m9JBD0ynvHsPsAouVsY5baVGajJHszQ3yyknZAhSqtEJQIDAQAB";
constexpr std::string_view kEc =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4OnCP2JzxnTW9147R7PA0szJbQ6dmFeO+"
    "HNb0FyGvHbvcYsDA6Kgbg92XYwyXyBmH4rdIazdXIFVtVJgKoR5Ng==";
constexpr std::uint32_t kRsaId = 0x187f8cb1;
constexpr std::uint32_t kEcId = 0x8f15be85;

struct Algorithm {
  Hash hash;
  std::string_view name;
  std::uint8_t number;
};
constexpr Algorithm kAlgorithms[] = {
    {Hash::kSha1, "sha1", 2}, {Hash::kSha256, "sha256", 4}, {Hash::kSha512, "sha512", 6}};

void require(bool holds) {
  if (!holds) std::abort();
}

const Keyring& keyring() {
  static const Keyring keys = [] {
    Keyring k;
    k.add(attest::from_base64(kRsa).value());
    k.add(attest::from_base64(kEc).value());
    return k;
  }();
  return keys;
}

void check_good(Bytes s, const Algorithm& algorithm, DigestKind kind) {
  require(s.size() > 9);
  require(s[0] == (kind == DigestKind::kVerity ? 6 : 3));
  require(s[1] == 3 || (s[1] == 2 && kind == DigestKind::kContent));
  require(s[2] == algorithm.number);
  const std::uint32_t id = std::uint32_t{s[3]} << 24U | std::uint32_t{s[4]} << 16U |
                           std::uint32_t{s[5]} << 8U | std::uint32_t{s[6]};
  require(id == kRsaId || id == kEcId);
  require((std::size_t{s[7]} << 8U | std::size_t{s[8]}) == s.size() - 9);
}

void check_keyring(Bytes in) {
  Keyring keys;
  try {
    keys.add(in);
  } catch (const attest::ParseError&) {
    require(keys.empty());
    return;
  }
  require(keys.size() == 1);
  keys.add(in);
  require(keys.size() == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = Bytes(data, size).subspan(1);
  const Algorithm& algorithm = kAlgorithms[data[0] % 3];
  const DigestKind kind = (data[0] & 0x80U) != 0 ? DigestKind::kVerity : DigestKind::kContent;
  const Digest digest = Hasher(algorithm.hash)(attest::as_bytes("hello\n"));
  const Digest other = Hasher(algorithm.hash)(attest::as_bytes("hello"));

  Entry entry;
  entry.known = true;
  entry.has_signature_field = true;
  entry.digest = {kind, algorithm.name, digest.bytes()};
  entry.signature = rest;
  const auto check = check_signature(entry, keyring());
  require((check.state == SignatureState::kNone) == rest.empty());
  require((check.state == SignatureState::kGood || check.state == SignatureState::kNone) ==
          check.why.empty());
  require(check_signature(entry, Keyring()).state != SignatureState::kGood);
  if (check.state == SignatureState::kGood) {
    check_good(rest, algorithm, kind);
    entry.digest.value = other.bytes();
    require(check_signature(entry, keyring()).state == SignatureState::kBad);
  }
  check_keyring(rest);
  return 0;
}
