// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/certificate.h"

#include <catch2/catch.hpp>

#include "libattest/base/text.h"
#include "tests/support/certificates.h"
#include "tests/support/parse_error.h"
#include "tests/support/vectors.h"

using attest::as_bytes;
using attest::crypto::Certificate;
using attest::crypto::ChainOptions;

namespace {

const Authority& root() {
  static const Authority ca("root");
  return ca;
}
const Authority& issuer() {
  static const Authority ca("issuer");
  return ca;
}
const Signer& subject() {
  static const Signer key = Signer::ec("P-256");
  return key;
}

// The reason why not, or "good".
std::string verdict(const Certificate& leaf, const ChainOptions& options) {
  try {
    attest::crypto::verify_chain(leaf, options);
  } catch (const attest::RefusedError& e) {
    return e.what();
  }
  return "good";
}
std::string verdict(const Certificate& leaf, std::vector<Certificate> roots,
                    std::vector<Certificate> intermediates = {}, std::int64_t now = kNow) {
  return verdict(leaf, ChainOptions{std::move(roots), std::move(intermediates), now});
}

using Catch::Contains;

}  // namespace

TEST_CASE("a chain goes from a certificate to a root", "[chain]") {
  const Certificate leaf = issuer().certify(subject(), {"leaf", ""});
  const Certificate middle = issuer().by(root());
  CHECK(verdict(leaf, {root().root()}, {middle}) == "good");
  CHECK(verdict(leaf, {root().root(), middle}) == "good");
  CHECK(verdict(root().certify(subject(), {"leaf", ""}), {root().root()}) == "good");
  // What the operator trusts need not be self-signed.
  CHECK(verdict(leaf, {middle}) == "good");
  CHECK_THAT(verdict(leaf, {root().root()}), Contains("unable to get local issuer certificate"));
  // A root that came with the evidence is nobody's.
  CHECK_THAT(verdict(leaf, {Authority("stranger").root()}, {middle, root().root()}),
             Contains("self-signed certificate in certificate chain"));
  const Authority other("root");  // of the same name
  CHECK_THAT(verdict(leaf, {other.root()}, {middle}), Contains("signature failure"));
}

TEST_CASE("each rule of a chain is looked at", "[chain]") {
  const auto chain = [](const CertificateFields& leaf, const CertificateFields& middle,
                        std::int64_t now = kNow) {
    return verdict(issuer().certify(subject(), leaf), {root().root()},
                   {root().certify(issuer().key(), middle)}, now);
  };
  const CertificateFields leaf{"leaf", ""};
  const CertificateFields middle{"issuer", kCa};
  CHECK(chain(leaf, middle) == "good");

  SECTION("dates") {
    CHECK(chain(leaf, middle, kIssued) == "good");
    CHECK_THAT(chain(leaf, middle, kIssued - 1), Contains("not yet valid"));
    CHECK_THAT(chain(leaf, middle, kExpires + 1), Contains("expired"));
    CHECK_THAT(chain({"leaf", "", kIssued, kNow - 1}, middle), Contains("expired"));
    CHECK_THAT(chain(leaf, {"issuer", kCa, kIssued, kNow - 1}), Contains("expired"));
    // No end (RFC 5280, 4.1.2.5), in years that a 32-bit time has not.
    CHECK(chain({"leaf", "", kIssued, 253402300799}, middle) == "good");
  }
  SECTION("who may issue") {
    CHECK_THAT(chain(leaf, {"issuer", "basicConstraints=critical,CA:FALSE"}),
               Contains("invalid CA certificate"));
    CHECK_THAT(chain(leaf, {"issuer", ""}), Contains("invalid CA certificate"));
    CHECK_THAT(chain(leaf, {"issuer", "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign"}),
               Contains("invalid CA certificate"));
    // Nor when the operator lists such a one.
    const Certificate no_ca =
        root().certify(issuer().key(), {"issuer", "basicConstraints=CA:FALSE"});
    CHECK_THAT(verdict(issuer().certify(subject(), leaf), {no_ca}),
               Contains("invalid CA certificate"));
  }
  SECTION("path length") {
    CHECK(chain(leaf, {"issuer", "basicConstraints=critical,CA:TRUE,pathlen:0"}) == "good");
    const Authority last("last");
    const Certificate short_one =
        root().certify(issuer().key(), {"issuer", "basicConstraints=critical,CA:TRUE,pathlen:0"});
    CHECK_THAT(
        verdict(last.certify(subject(), leaf), {root().root()}, {short_one, last.by(issuer())}),
        Contains("path length constraint exceeded"));
  }
  SECTION("names") {
    const std::string constraint =
        "nameConstraints=critical,permitted;dirName:only\n[only]\nCN=good\n";
    CHECK(chain({"good", ""}, {"issuer", kCa + constraint}) == "good");
    CHECK_THAT(chain(leaf, {"issuer", kCa + constraint}), Contains("permitted subtree violation"));
    CHECK_THAT(chain({"good", kTpmName}, {"issuer", kCa + constraint}),
               Contains("permitted subtree violation"));
  }
  SECTION("critical extensions") {
    CHECK(chain({"leaf", kTpmName}, middle) == "good");
    CHECK(chain({"", kTpmName}, middle) == "good");
    CHECK(chain({"leaf", "1.2.3.4=DER:0500"}, middle) == "good");
    CHECK_THAT(chain({"leaf", "1.2.3.4=critical,DER:0500"}, middle),
               Contains("unhandled critical extension"));
    CHECK_THAT(chain(leaf, {"issuer", kCa + "1.2.3.4=critical,DER:0500"}),
               Contains("unhandled critical extension"));
    // OpenSSL knows these, and does nothing about them unless it is asked to.
    CHECK_THAT(chain(leaf, {"issuer", kCa + "policyConstraints=critical,requireExplicitPolicy:0"}),
               Contains("critical extension that is not known here"));
    CHECK_THAT(chain(leaf, {"issuer", kCa + "inhibitAnyPolicy=critical,0"}),
               Contains("critical extension that is not known here"));
    CHECK_THAT(chain({"leaf", "crlDistributionPoints=critical,URI:http://example.com/crl"}, middle),
               Contains("critical extension that is not known here"));
    CHECK(chain({"leaf", "certificatePolicies=critical,1.2.3.4"}, middle) == "good");
  }
  SECTION("algorithms") {
    CHECK_THAT(chain({"leaf", "", kIssued, kExpires, EVP_sha1()}, middle), Contains("too weak"));
    CHECK_THAT(chain(leaf, {"issuer", kCa, kIssued, kExpires, EVP_sha1()}), Contains("too weak"));
    const Authority rsa("rsa", Signer::rsa());
    CHECK(verdict(rsa.certify(subject(), leaf), {rsa.root()}) == "good");
    CHECK_THAT(
        verdict(rsa.certify(subject(), {"leaf", "", kIssued, kExpires, EVP_md5()}), {rsa.root()}),
        Contains("too weak"));
    // How a root that is trusted as it is signed itself is nobody's concern.
    CHECK(verdict(root().certify(subject(), leaf),
                  {root().certify(root().key(), {"root", kCa, kIssued, kExpires, EVP_sha1()})}) ==
          "good");
    const Signer weak = Signer::rsa(1024);
    CHECK_THAT(verdict(root().certify(weak, leaf), {root().root()}), Contains("key too weak"));
  }
  SECTION("versions") {
    // Version 1 has no extensions: it can not say that it is a CA's.
    CHECK_THAT(chain(leaf, {"issuer", "", kIssued, kExpires, EVP_sha256(), 1}),
               Contains("invalid CA certificate"));
  }
}

TEST_CASE("a chain is not endless", "[chain]") {
  std::vector<Authority> authorities;
  for (int i = 0; i < 12; ++i)
    authorities.emplace_back("ca " + std::to_string(i), Signer::ec("P-256"));
  const auto through = [&](std::size_t count) {
    std::vector<Certificate> middle;
    for (std::size_t i = 1; i <= count; ++i)
      middle.push_back(authorities[i].by(authorities[i - 1]));
    return verdict(authorities[count].certify(subject(), {"leaf", ""}), {authorities[0].root()},
                   middle);
  };
  CHECK(through(8) == "good");
  CHECK_THAT(through(9), Contains("chain"));
  const Certificate leaf = root().certify(subject(), {"leaf", ""});
  CHECK(verdict(leaf, {root().root()}, std::vector(32, leaf)) == "good");
  CHECK_THAT(verdict(leaf, {root().root()}, std::vector(33, leaf)), Contains("more than 32"));
  // A certificate that issued itself through another ends nowhere.
  CHECK_THAT(verdict(issuer().certify(subject(), {"leaf", ""}), {Authority("nobody").root()},
                     {issuer().by(root()), root().by(issuer())}),
             Contains("certificate"));
}

TEST_CASE("a chain without a time or without roots is the caller's mistake", "[chain]") {
  const Certificate leaf = root().certify(subject(), {"leaf", ""});
  CHECK_THROWS_AS(verdict(leaf, {root().root()}, {}, 0), std::invalid_argument);
  CHECK_THROWS_AS(verdict(leaf, {root().root()}, {}, -1), std::invalid_argument);
  CHECK_THROWS_AS(verdict(leaf, std::vector<Certificate>{}), std::invalid_argument);
}

TEST_CASE("a certificate says what is in its extensions", "[certificate]") {
  const Certificate plain = root().certify(subject(), {"leaf", ""});
  CHECK_FALSE(plain.is_ca());
  CHECK_FALSE(plain.key_usage().has_value());
  CHECK_FALSE(plain.extended_key_usage().has_value());
  CHECK(plain.alternative_name_types().empty());
  CHECK(plain.subject_key_id().empty());
  CHECK(plain.subject() == "/CN=leaf");
  CHECK(plain.key().spki() == subject().spki());
  const Certificate full = root().certify(
      subject(), {"leaf", "basicConstraints=CA:TRUE\nkeyUsage=keyAgreement,decipherOnly\n" +
                              kEkUsage + kTpmName});
  CHECK(full.is_ca());
  CHECK(full.key_usage() == 0x8008U);
  CHECK(full.extended_key_usage() == std::vector<std::string>{"2.23.133.8.1"});
  CHECK(full.alternative_name_types() ==
        std::vector<std::string>{"2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"});
  const Certificate twice = root().certify(subject(), {"leaf",
                                                       "1.1=DER:0500\n2.5.29.15=DER:030100\n"
                                                       "keyUsage=digitalSignature"});
  CHECK_THAT(parse_error_of([&] { return twice.key_usage().value_or(0); }),
             Contains("there twice"));
  const Certificate broken = root().certify(subject(), {"leaf", "2.5.29.37=DER:0500"});
  CHECK_THAT(parse_error_of([&] { return broken.extended_key_usage().has_value(); }),
             Contains("not of its format"));
}

TEST_CASE("a subject's name is one harmless line", "[certificate]") {
  const Certificate leaf = root().certify(subject(), {"a\nb\x01", ""});
  CHECK(leaf.subject().find('\n') == std::string::npos);
  CHECK(leaf.subject().find('\x01') == std::string::npos);
}

TEST_CASE("certificates come in files", "[certificate]") {
  const auto pem = read_text_vector("keys/certificate.pem");
  const auto der = read_vector("keys/certificate.der");
  const auto count = [](attest::Bytes in) { return attest::crypto::parse_certificates(in).size(); };
  CHECK(count(der) == 1);
  CHECK(count(as_bytes(pem)) == 1);
  CHECK(count(as_bytes(pem + pem)) == 2);
  CHECK(count(as_bytes("subject=CN = x\n" + pem + "\nand another:\n" + pem + "the end")) == 2);
  const auto error = [](attest::Bytes in) {
    return parse_error_of([&] { return attest::crypto::parse_certificates(in); });
  };
  CHECK_THAT(error({}), Contains("no PEM block"));
  CHECK_THAT(error(as_bytes("text")), Contains("no PEM block"));
  CHECK_THAT(error(as_bytes(pem + "-----BEGIN CERTIFICATE-----\n")), Contains("ends before"));
  CHECK_THAT(error(as_bytes(pem + read_text_vector("keys/rsa2048.pem"))),
             Contains("not a CERTIFICATE"));
  auto longer = der;
  longer.push_back(0);
  CHECK_THAT(error(longer), Contains("bytes after its end"));
  for (std::size_t size = 1; size < der.size(); ++size) {
    if (error(attest::Bytes(der).first(size)) == "accepted") FAIL("cut to " << size);
  }
  CHECK_THAT(error(std::vector<std::uint8_t>((std::size_t{4} << 20U) + 1, 'x')),
             Contains("larger than 4 MiB"));
}
