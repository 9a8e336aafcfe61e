// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/ek.h"

#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/tpm/ek_certificate.h"
#include "tests/support/certificates.h"
#include "tests/support/ek.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::crypto::Certificate;
using attest::crypto::Hash;
using attest::tpm::EndorsementKey;
using Catch::Contains;

namespace {

using Octets = std::vector<std::uint8_t>;

std::string load_error(attest::Bytes area, attest::Bytes certificate) {
  try {
    (void)EndorsementKey::load(area, certificate);
  } catch (const attest::RefusedError& e) {
    return std::string("refused: ") + e.what();
  } catch (const attest::ParseError& e) {
    return std::string("malformed: ") + e.what();
  }
  return "good";
}

const Signer& ek_key() {
  static const Signer key = Signer::ec("P-256");
  return key;
}
const Authority& vendor() {
  static const Authority ca("vendor");
  return ca;
}

const std::string kUsage = "keyUsage=critical,keyAgreement\nbasicConstraints=critical,CA:FALSE\n";

std::string chain_error(const Certificate& certificate, std::int64_t now = kNow) {
  try {
    attest::tpm::verify_ek_certificate(certificate, {{vendor().root()}, {}, now});
  } catch (const attest::RefusedError& e) {
    return e.what();
  }
  return "good";
}
std::string chain_error(const std::string& extensions, const Signer& key = ek_key()) {
  return chain_error(vendor().certify(key, {"ek", extensions}));
}

}  // namespace

TEST_CASE("an EK loads from a real TPM's public area and certificate", "[ek]") {
  const auto area = read_vector("tpm2/ek_rsa.tss");
  const auto certificate = read_vector("tpm2/ekcert/nv_01c00002_rsa2048.der");
  const EndorsementKey by_area = EndorsementKey::load(area, {});
  const EndorsementKey by_certificate = EndorsementKey::load({}, certificate);
  CHECK(EndorsementKey::load(attest::Bytes(area).subspan(2), {}).sha256() == by_area.sha256());
  CHECK(by_area.sha256() == by_certificate.sha256());
  CHECK(by_area.sha256() ==
        attest::crypto::Hasher(Hash::kSha256)(
            attest::crypto::PublicKey::from_pem(read_vector("tpm2/ek_rsa.pem")).spki()));
  CHECK(EndorsementKey::load(area, certificate).sha256() == by_area.sha256());
  for (const EndorsementKey* ek : {&by_area, &by_certificate}) {
    CHECK(ek->name_alg() == Hash::kSha256);
    CHECK(ek->aes_bits() == 128);
  }
  CHECK_FALSE(by_area.certificate().has_value());
  CHECK(by_certificate.certificate().has_value());
  const EndorsementKey high =
      EndorsementKey::load({}, read_vector("tpm2/ekcert/nv_01c00016_ecc384.der"));
  CHECK(high.name_alg() == Hash::kSha384);
  CHECK(high.aes_bits() == 256);
}

TEST_CASE("what is no EK's public area is refused", "[ek]") {
  const auto with = [](const EkFields& f) { return load_error(ek_public(ek_key(), f), {}); };
  CHECK(with({}) == "good");
  CHECK(with({.attributes = 0x000300f2}) == "good");  // the H templates: userWithAuth
  struct Bit {
    std::uint32_t mask;
    const char* name;
  };
  for (const Bit& bit :
       {Bit{0x2, "fixedTPM"}, Bit{0x10, "fixedParent"}, Bit{0x20, "sensitiveDataOrigin"},
        Bit{0x10000, "restricted"}, Bit{0x20000, "decrypt"}}) {
    CHECK_THAT(with({.attributes = 0x000300b2 & ~bit.mask}),
               Contains("refused") && Contains(std::string(bit.name) + " is clear"));
  }
  CHECK_THAT(with({.attributes = 0x000700b2}), Contains("sign is set"));
  CHECK_THAT(with({.scheme = 0x0019}), Contains("it has a scheme"));
  CHECK_THAT(with({.kdf = 0x0020}), Contains("it has a KDF"));
  CHECK_THAT(with({.symmetric = 0x0010}), Contains("AES-128 or AES-256"));
  CHECK_THAT(with({.symmetric = 0x0013}), Contains("AES-128 or AES-256"));
  CHECK_THAT(with({.bits = 192}), Contains("AES-128 or AES-256"));
  CHECK_THAT(with({.mode = 0x0042}), Contains("AES-128 or AES-256"));
  CHECK_THAT(with({.name_alg = 0x0004}), Contains("nameAlg"));
  CHECK_THAT(with({.name_alg = 0x0012}), Contains("nameAlg"));
  CHECK_THAT(with({.name_alg = 0x0010}), Contains("nameAlg"));
  CHECK_THAT(load_error(ek_public(Signer::rsa(1024)), {}), Contains("too short"));
  CHECK_THAT(load_error(ek_key().tpm2b_public(), {}), Contains("refused"));  // an AK's
  CHECK_THROWS_AS(EndorsementKey::load({}, {}), std::invalid_argument);
  const Octets area = ek_public(ek_key());
  for (std::size_t size = 1; size < area.size(); ++size) {
    CHECK_THAT(load_error(attest::Bytes(area).first(size), {}), Contains("malformed"));
  }
}

TEST_CASE("an EK's certificate may end in a TPM's padding, and in nothing else", "[ek]") {
  const Octets der = read_vector("tpm2/ekcert/nv_01c00002_rsa2048.der");
  const auto with = [&](const Octets& more) {
    Octets in = der;
    in.insert(in.end(), more.begin(), more.end());
    return load_error({}, in);
  };
  CHECK(with({}) == "good");
  for (const auto padding : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    CHECK(with(Octets(1, padding)) == "good");
    CHECK(with(Octets(600, padding)) == "good");
  }
  CHECK_THAT(with({0x00, 0xff}), Contains("no padding"));
  CHECK_THAT(with({0xff, 0x00}), Contains("no padding"));
  CHECK_THAT(with({0x20}), Contains("no padding"));
  CHECK_THAT(with(der), Contains("no padding"));
  for (std::size_t size = 1; size < der.size(); ++size) {
    if (load_error({}, attest::Bytes(der).first(size)) == "good") FAIL("cut to " << size);
  }
  CHECK_THAT(load_error({}, Octets(600, 0xff)), Contains("neither PEM nor a DER SEQUENCE"));
  CHECK_THAT(load_error({}, Octets{0x30, 0x84, 0, 0, 0, 1, 0}), Contains("length"));
  const auto pem = read_vector("tpm2/ekcert/issuercert.pem");
  CHECK_THAT(load_error({}, pem), !Contains("malformed: PEM"));
  CHECK_THAT(load_error({}, read_vector("keys/rsa2048.pem")), Contains("not a CERTIFICATE"));
}

TEST_CASE("a certificate must be of the same key", "[ek]") {
  const auto certificate = vendor().issue(ek_key(), {"ek", kUsage + kEkUsage + kTpmName});
  CHECK(load_error(ek_public(ek_key()), certificate) == "good");
  CHECK_THAT(load_error(ek_public(Signer::ec("P-256")), certificate), Contains("another key"));
  CHECK_THAT(load_error(read_vector("tpm2/ek_rsa.tss"), certificate), Contains("another key"));
  CHECK_THAT(load_error({}, vendor().issue(Signer::ec("P-224"), {"ek", ""})),
             Contains("malformed") && Contains("P-256, P-384 or P-521"));
  CHECK_THAT(load_error({}, vendor().issue(Signer::rsa(1024), {"ek", ""})), Contains("refused"));
}

TEST_CASE("an EK certificate is one by its profile", "[ek]") {
  CHECK(chain_error(kUsage + kEkUsage + kTpmName) == "good");
  CHECK(chain_error(kUsage + kTpmName) == "good");    // certificates from before the purpose
  CHECK(chain_error(kEkUsage + kTpmName) == "good");  // a key usage need not be said
  // The certificates that the same CA gives to others.
  CHECK_THAT(chain_error(kUsage + "extendedKeyUsage=serverAuth\n" + kTpmName),
             Contains("extended key usage"));
  CHECK_THAT(chain_error(kUsage + "extendedKeyUsage=2.23.133.8.3\n" + kTpmName),
             Contains("extended key usage"));
  CHECK_THAT(chain_error(kUsage + kEkUsage), Contains("manufacturer, model and version"));
  CHECK_THAT(chain_error(kUsage + "subjectAltName=DNS:node.example.com"),
             Contains("manufacturer, model and version"));
  CHECK_THAT(chain_error(kUsage + "subjectAltName=dirName:tpm\n[tpm]\na.2.23.133.2.1=id:1\n"),
             Contains("manufacturer, model and version"));
  CHECK_THAT(chain_error("keyUsage=critical,digitalSignature\n" + kTpmName),
             Contains("lacks keyAgreement"));
  CHECK_THAT(chain_error("keyUsage=critical,keyEncipherment\n" + kTpmName),
             Contains("lacks keyAgreement"));
  const Signer rsa = Signer::rsa();
  CHECK(chain_error("keyUsage=critical,keyEncipherment\n" + kTpmName, rsa) == "good");
  CHECK_THAT(chain_error("keyUsage=critical,keyAgreement\n" + kTpmName, rsa),
             Contains("lacks keyEncipherment"));
  CHECK_THAT(chain_error("basicConstraints=critical,CA:TRUE\n" + kTpmName), Contains("a CA's"));
  CHECK_THAT(chain_error(vendor().certify(ek_key(), {"ek", kUsage + kTpmName}), kExpires + 1),
             Contains("expired"));
  CHECK_THAT(chain_error(Authority("vendor").certify(ek_key(), {"ek", kUsage + kTpmName})),
             Contains("signature"));
}
