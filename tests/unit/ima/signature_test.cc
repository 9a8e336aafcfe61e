// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/signature.h"

#include <catch2/catch.hpp>
#include <functional>

#include "libattest/base/base64.h"
#include "libattest/ima/list.h"
#include "tests/support/ima_builder.h"
#include "tests/support/vectors.h"

namespace {

using attest::as_bytes;
using attest::Bytes;
using attest::ParseError;
using attest::crypto::Hash;
using attest::crypto::PublicKey;
using attest::ima::check_signature;
using attest::ima::DigestKind;
using attest::ima::Entry;
using attest::ima::Keyring;
using attest::ima::SignatureCheck;
using attest::ima::SignatureState;
using Catch::Matchers::Contains;
using ima_test::Buffer;

constexpr std::uint32_t kRsaId = 0x187f8cb1;
constexpr std::uint32_t kEcId = 0x8f15be85;

Buffer vector_of(const std::string& name) { return read_vector("ima/signatures/" + name); }

// What all signatures of tests/vectors/ima/signatures are of.
Buffer file_digest(Hash hash) {
  const auto d = attest::crypto::Hasher(hash)(as_bytes("hello\n"));
  return {d.bytes().begin(), d.bytes().end()};
}

// An entry and the bytes it looks at.
struct Signed {
  explicit Signed(const std::string& name, std::string_view algorithm = "sha256",
                  Hash hash = Hash::kSha256, DigestKind kind = DigestKind::kContent)
      : digest(file_digest(hash)), signature(vector_of(name)) {
    entry.known = true;
    entry.has_signature_field = true;
    entry.digest = {kind, algorithm, digest};
    entry.signature = signature;
  }
  SignatureCheck check(const Keyring& keys) {
    entry.digest.value = digest;
    entry.signature = signature;
    return check_signature(entry, keys);
  }

  Buffer digest;
  Buffer signature;
  Entry entry;
};

Keyring both_keys() {
  Keyring keys;
  keys.add(vector_of("rsa.pub.der"));
  keys.add(vector_of("ec.pub.der"));
  return keys;
}

}  // namespace

TEST_CASE("signatures that evmctl made are good") {
  struct Case {
    std::string file;
    std::string_view algorithm;
    Hash hash;
  };
  for (const std::string key : {"rsa", "ec"}) {
    for (const Case& c :
         {Case{"-sha1.sig", "sha1", Hash::kSha1}, Case{"-sha256.sig", "sha256", Hash::kSha256},
          Case{"-sha512.sig", "sha512", Hash::kSha512}}) {
      INFO(key << c.file);
      Signed s(key + c.file, c.algorithm, c.hash);
      const SignatureCheck check = s.check(both_keys());
      CHECK(check.state == SignatureState::kGood);
      CHECK(check.key_id == (key == "rsa" ? kRsaId : kEcId));
      CHECK(check.why.empty());
    }
  }
}

TEST_CASE("version 3 signs type, algorithm and digest") {
  const std::string key = GENERATE("rsa", "ec");
  Signed verity(key + "-verity-sha256.sig", "sha256", Hash::kSha256, DigestKind::kVerity);
  CHECK(verity.check(both_keys()).state == SignatureState::kGood);
  Signed verity512(key + "-verity-sha512.sig", "sha512", Hash::kSha512, DigestKind::kVerity);
  CHECK(verity512.check(both_keys()).state == SignatureState::kGood);
  Signed content(key + "-v3-sha256.sig");
  CHECK(content.check(both_keys()).state == SignatureState::kGood);
  // Moved to the other version, it signs something else.
  content.signature[1] = 2;
  CHECK(content.check(both_keys()).state == SignatureState::kBad);
  Signed old(key + "-sha256.sig");
  old.signature[1] = 3;
  CHECK(old.check(both_keys()).state == SignatureState::kBad);
  // And moved to the other type.
  verity.signature[0] = 3;
  verity.entry.digest.kind = DigestKind::kContent;
  CHECK(verity.check(both_keys()).state == SignatureState::kBad);
}

TEST_CASE("entries of a booted machine whose files are signed verify with its certificate") {
  class Sink : public attest::ima::EntrySink {
   public:
    explicit Sink(const Keyring& keys) : keys_(keys) {}
    void entry(const Entry& e) override {
      const SignatureCheck check = check_signature(e, keys_);
      if (check.state == SignatureState::kGood) ++good;
      if (check.state == SignatureState::kNone) ++none;
      if (check.state == SignatureState::kUnknownKey) ++unknown;
      ++all;
    }
    int all = 0;
    int good = 0;
    int none = 0;
    int unknown = 0;

   private:
    const Keyring& keys_;
  };
  Keyring keys;
  keys.add(read_vector("boot/shim-sb-ima-sig/ima.x509.der"));
  const Keyring other = both_keys();
  for (const std::string snapshot : {"1-clean", "2-tampered", "3-violation"}) {
    for (const std::string form : {"bin", "ascii"}) {
      Sink with(keys);
      Sink without(other);
      for (Sink* const sink : {&with, &without}) {
        attest::ima::ListReader reader(*sink);
        reader.feed(read_vector("boot/shim-sb-ima-sig/" + snapshot + "/ima." + form));
        reader.finish();
      }
      CHECK(with.good == 3);
      CHECK(with.none == with.all - 3);
      CHECK(without.good == 0);
      CHECK(without.unknown == 3);
    }
  }
}

TEST_CASE("a signature of a key that is not there is unknown, not bad") {
  Signed s("rsa-sha256.sig");
  CHECK(s.check(Keyring()).state == SignatureState::kUnknownKey);
  Keyring ec;
  ec.add(vector_of("ec.pub.der"));
  const SignatureCheck check = s.check(ec);
  CHECK(check.state == SignatureState::kUnknownKey);
  CHECK(check.key_id == kRsaId);
  CHECK_THAT(check.why, Contains("no key of its id"));
}

TEST_CASE("a signature that its key did not make is bad") {
  const std::string key = GENERATE("rsa", "ec");
  Signed digest(key + "-sha256.sig");
  digest.digest[31] ^= 1U;
  CHECK(digest.check(both_keys()).state == SignatureState::kBad);
  Signed signature(key + "-sha256.sig");
  signature.signature.back() ^= 1U;
  const SignatureCheck check = signature.check(both_keys());
  CHECK(check.state == SignatureState::kBad);
  CHECK(check.key_id == (key == "rsa" ? kRsaId : kEcId));
  CHECK_THAT(check.why, Contains("no key of its id made it"));
}

TEST_CASE("every key of a colliding id is tried") {
  Keyring keys;
  const auto rsa = PublicKey::from_spki(vector_of("rsa.pub.der"));
  const auto ec = PublicKey::from_spki(vector_of("ec.pub.der"));
  keys.add_key(ec, kRsaId);
  Signed s("rsa-sha256.sig");
  CHECK(s.check(keys).state == SignatureState::kBad);
  keys.add_key(rsa, kRsaId);
  keys.add_key(ec, kEcId);
  CHECK(keys.size() == 3);
  CHECK(s.check(keys).state == SignatureState::kGood);
  REQUIRE(keys.find(kRsaId) != nullptr);
  CHECK(keys.find(kRsaId)->size() == 2);
}

TEST_CASE("a signature that could not vouch for its entry is malformed") {
  struct Case {
    const char* rule;
    std::function<void(Signed&)> breaks;
    const char* says;
  };
  const std::vector<Case> cases{
      {"type digest", [](Signed& s) { s.signature[0] = 1; }, "type: not a signature's"},
      {"type hmac", [](Signed& s) { s.signature[0] = 2; }, "type: not a signature's"},
      {"type digest-ng", [](Signed& s) { s.signature[0] = 4; }, "type: not a signature's"},
      {"type to come", [](Signed& s) { s.signature[0] = 7; }, "type: not a signature's"},
      {"version 1", [](Signed& s) { s.signature[1] = 1; }, "version: neither 2 nor 3"},
      {"version 4", [](Signed& s) { s.signature[1] = 4; }, "version: neither 2 nor 3"},
      {"size too large", [](Signed& s) { ++s.signature[8]; }, "sig: input ends inside this field"},
      {"size too small",
       [](Signed& s) {
         s.signature[7] = 0;
         s.signature[8] = 0xff;
       },
       "sig: has bytes after its end"},
      {"no signature",
       [](Signed& s) {
         s.signature.resize(9);
         s.signature[7] = 0;
         s.signature[8] = 0;
       },
       "sig_size: is 0"},
      {"a byte more", [](Signed& s) { s.signature.push_back(0); }, "sig: has bytes after its end"},
      {"verity digest", [](Signed& s) { s.entry.digest.kind = DigestKind::kVerity; },
       "its type is not of the entry's kind of digest"},
      {"verity type", [](Signed& s) { s.signature[0] = 6; },
       "its type is not of the entry's kind of digest"},
      {"verity of version 2",
       [](Signed& s) {
         s.signature[0] = 6;
         s.entry.digest.kind = DigestKind::kVerity;
       },
       "an fs-verity signature is of version 3"},
      {"another algorithm", [](Signed& s) { s.signature[2] = 2; },
       "its digest algorithm is not the entry's"},
      {"an algorithm of the same size", [](Signed& s) { s.signature[2] = 20; },
       "its digest algorithm is not the entry's"},
      {"no algorithm", [](Signed& s) { s.signature[2] = 23; },
       "its digest algorithm is not the entry's"},
      {"the entry's algorithm", [](Signed& s) { s.entry.digest.algorithm = "sha3-256"; },
       "its digest algorithm is not the entry's"},
      {"an algorithm that is not computed",
       [](Signed& s) {
         s.signature[2] = 9;
         s.entry.digest.algorithm = "rmd256";
       },
       "verifies no signatures of its digest algorithm"},
      {"SM3",
       [](Signed& s) {
         s.signature[2] = 17;
         s.entry.digest.algorithm = "sm3";
       },
       "verifies no signatures of its digest algorithm"},
      {"a short digest", [](Signed& s) { s.digest.resize(20); },
       "the entry's digest is not of its size"},
      {"no digest", [](Signed& s) { s.digest.clear(); }, "the entry has no digest"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.rule) {
      Signed s("rsa-sha256.sig");
      REQUIRE(s.check(both_keys()).state == SignatureState::kGood);
      c.breaks(s);
      const SignatureCheck check = s.check(both_keys());
      CHECK(check.state == SignatureState::kMalformed);
      CHECK_THAT(check.why, Contains(c.says));
    }
  }
}

TEST_CASE("a signature cut short anywhere is malformed") {
  Signed s("ec-sha256.sig");
  const Buffer whole = s.signature;
  for (std::size_t n = 1; n < whole.size(); ++n) {
    s.signature.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    CHECK(s.check(both_keys()).state == SignatureState::kMalformed);
  }
}

TEST_CASE("no signature is none") {
  Signed s("rsa-sha256.sig");
  s.signature.clear();
  CHECK(s.check(both_keys()).state == SignatureState::kNone);
}

TEST_CASE("an EVM portable signature does not vouch for the file and is not malformed either") {
  Signed s("rsa-sha256.sig");
  s.signature[0] = 5;
  const SignatureCheck check = s.check(both_keys());
  CHECK(check.state == SignatureState::kNotForFile);
  CHECK(check.key_id == kRsaId);
  CHECK_THAT(check.why, Contains("EVM portable signature"));
  s.signature.pop_back();
  CHECK(s.check(both_keys()).state == SignatureState::kMalformed);
}

TEST_CASE("a violation's signature vouches for nothing") {
  Signed s("rsa-sha256.sig");
  s.entry.violation = true;
  CHECK(s.check(both_keys()).state == SignatureState::kNotForFile);
}

TEST_CASE("keys and certificates are read in DER and PEM, and identified as the kernel does") {
  for (const std::string file :
       {"rsa.pub.der", "rsa.pub.pem", "rsa.cert.der", "rsa-no-id.cert.der"}) {
    Keyring keys;
    keys.add(vector_of(file));
    INFO(file);
    CHECK(keys.size() == 1);
    CHECK(keys.find(kRsaId) != nullptr);
    Signed s("rsa-sha256.sig");
    CHECK(s.check(keys).state == SignatureState::kGood);
  }
  for (const std::string file : {"ec.pub.der", "ec.pub.pem", "ec.cert.der", "ec.cert.pem"}) {
    Keyring keys;
    CHECK(keys.empty());
    keys.add(vector_of(file));
    INFO(file);
    CHECK_FALSE(keys.empty());
    CHECK(keys.find(kEcId) != nullptr);
  }
}

TEST_CASE("a certificate's own key identifier names its key") {
  Keyring keys;
  keys.add(vector_of("rsa-own-id.cert.der"));
  CHECK(keys.find(kRsaId) == nullptr);
  REQUIRE(keys.find(0x05060708) != nullptr);
  Signed s("rsa-sha256.sig");
  CHECK(s.check(keys).state == SignatureState::kUnknownKey);
  for (std::size_t i = 0; i < 4; ++i) s.signature[3 + i] = static_cast<std::uint8_t>(5 + i);
  CHECK(s.check(keys).state == SignatureState::kGood);
}

TEST_CASE("the same key of the same id counts once") {
  Keyring keys;
  keys.add(vector_of("rsa.pub.der"));
  keys.add(vector_of("rsa.pub.pem"));
  keys.add_certificate(vector_of("rsa.cert.der"));
  CHECK(keys.size() == 1);
  keys.add(vector_of("rsa-own-id.cert.der"));
  CHECK(keys.size() == 2);
}

TEST_CASE("what is no public key or certificate is not taken for one") {
  Keyring keys;
  CHECK_THROWS_WITH(keys.add_certificate(vector_of("rsa-short-id.cert.der")),
                    Contains("shorter than the four bytes of a key id"));
  CHECK_THROWS_AS(keys.add(vector_of("rsa-short-id.cert.der")), ParseError);
  CHECK_THROWS_AS(keys.add_certificate(vector_of("rsa.pub.der")), ParseError);
  CHECK_THROWS_WITH(keys.add({}), Contains("neither a certificate nor a public key"));
  CHECK_THROWS_AS(keys.add(as_bytes("kernel 6.1")), ParseError);
  for (const std::string file : {"rsa.pub.der", "rsa.cert.der", "rsa.pub.pem", "ec.cert.pem"}) {
    Buffer cut = vector_of(file);
    cut.resize(cut.size() / 2);
    CHECK_THROWS_AS(keys.add(cut), ParseError);
    Buffer longer = vector_of(file);
    longer.insert(longer.end(), {'x', 'y'});
    CHECK_THROWS_AS(keys.add(longer), ParseError);
  }
  // A PKCS#8 private key, as far as its form goes.
  const Buffer pkcs8{0x30, 0x0b, 0x02, 0x01, 0x00, 0x30, 0x03, 0x06, 0x01, 0x2a, 0x04, 0x01, 0x00};
  CHECK_THROWS_AS(keys.add(pkcs8), ParseError);
  const std::string pem =
      "-----BEGIN PRIVATE KEY-----\n" + attest::to_base64(pkcs8) + "\n-----END PRIVATE KEY-----\n";
  CHECK_THROWS_WITH(keys.add(as_bytes(pem)), Contains("neither CERTIFICATE nor PUBLIC KEY"));
  CHECK(keys.empty());
}
