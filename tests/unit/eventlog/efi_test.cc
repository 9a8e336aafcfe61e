// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/efi.h"

#include <catch2/catch.hpp>

#include "libattest/base/text.h"
#include "tests/support/eventlog_builder.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;

std::vector<Signature> walk(const Data& in) {
  std::vector<Signature> out;
  SignatureLists lists(in);
  while (const auto s = lists.next()) out.push_back(*s);
  return out;
}
std::string why(const Data& in) {
  try {
    walk(in);
  } catch (const ParseError& e) {
    CHECK(e.offset() <= in.size());
    return e.what();
  }
  return "parsed";
}
Data put32(Data in, std::size_t at, std::uint32_t v) {
  const Data le = Writer().le(v).out;
  std::copy(le.begin(), le.end(), in.begin() + static_cast<long>(at));
  return in;
}

constexpr std::size_t kListSize = 16;
constexpr std::size_t kHeaderSize = 20;
constexpr std::size_t kSignatureSize = 24;

const Data kHashes = signature_list(kSha256Type, {signature(Data(32, 1)), signature(Data(32, 2))});
const Data kCertificate = signature_list(kX509Type, {signature(certificate())});

TEST_CASE("GUIDs are written with their first three fields turned round") {
  CHECK(guid_text(kEfiGlobalVariable) == "8be4df61-93ca-11d2-aa0d-00e098032b8c");
  CHECK(guid_text(kImageSecurityDatabase) == "d719b2cb-3d3a-4596-a3bc-dad00e67656f");
  CHECK(guid_text(kShimLock) == "605dab50-e046-4300-abb6-3dd810dd8b23");
  CHECK(is_guid(kShimLock, kShimLock));
  CHECK_FALSE(is_guid(kShimLock, kOwner));
  CHECK_FALSE(is_guid({}, kOwner));
}

TEST_CASE("UTF-16 becomes UTF-8") {
  const auto utf8 = [](std::initializer_list<std::uint16_t> units) {
    Writer w;
    for (const std::uint16_t u : units) w.le(u);
    return utf8_of_utf16(w.out);
  };
  CHECK(utf8({}).empty());
  CHECK(utf8({'d', 'b'}) == "db");
  CHECK(utf8({0xe9, 0x7ff, 0x800, 0xffff}) == "\xc3\xa9\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  CHECK(utf8({0xd83d, 0xde00, 'x'}) == "\xf0\x9f\x98\x80x");
  CHECK(utf8_of_utf16(Data{'a', 0, 'b'}) == "a");
}

TEST_CASE("a lone surrogate is escaped when it is shown") {
  const auto shown = [](std::initializer_list<std::uint16_t> units) {
    Writer w;
    for (const std::uint16_t u : units) w.le(u);
    return printable(utf8_of_utf16(w.out));
  };
  CHECK(shown({0xd83d}) == "\\xed\\xa0\\xbd");
  CHECK(shown({0xd83d, 'x'}) == "\\xed\\xa0\\xbdx");
  CHECK(shown({0xde00, 0xd83d}) == "\\xed\\xb8\\x80\\xed\\xa0\\xbd");
  CHECK(shown({0xd83d, 0xd83d, 0xde00}) == "\\xed\\xa0\\xbd\xf0\x9f\x98\x80");
  CHECK(shown({0x202e, 'x', 0x0a}) == "\\xe2\\x80\\xaex\\x0a");
}

TEST_CASE("signature lists are walked from signature to signature") {
  const Data both = cat(kHashes, kCertificate);
  const auto all = walk(both);
  REQUIRE(all.size() == 3);
  CHECK(all[0].kind == SignatureKind::kSha256);
  CHECK(is_guid(all[0].owner, kOwner));
  CHECK(crypto::Digest(all[0].data).all(1));
  CHECK(crypto::Digest(all[1].data).all(2));
  CHECK(all[2].kind == SignatureKind::kX509);
  CHECK(is_der_certificate(all[2].data));
  const auto other = walk(signature_list(kOwner, {signature({1})}));
  REQUIRE(other.size() == 1);
  CHECK(other[0].kind == SignatureKind::kOther);
}

TEST_CASE("longer hashes have their kinds") {
  Guid sha384{0x07, 0x53, 0x3e, 0xff, 0xd0, 0x9f, 0xc9, 0x48,
              0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70, 0x1e, 0x01};
  Guid sha512{0xae, 0x0f, 0x3e, 0x09, 0xc4, 0xa6, 0x50, 0x4f,
              0x9f, 0x1b, 0xd4, 0x1e, 0x2b, 0x89, 0xc1, 0x9a};
  CHECK(walk(signature_list(sha384, {signature(Data(48))})).at(0).kind == SignatureKind::kSha384);
  CHECK(walk(signature_list(sha512, {signature(Data(64))})).at(0).kind == SignatureKind::kSha512);
  CHECK_THAT(why(signature_list(sha384, {signature(Data(32))})), Contains("not the size"));
  CHECK_THAT(why(signature_list(sha512, {signature(Data(48))})), Contains("not the size"));
}

TEST_CASE("GHSA-9r4w-jg96-92mv: a list's vendor header is skipped and never a signature") {
  const Data header = Data(48, 0x99);
  const Data in = signature_list(kSha256Type, {signature(Data(32, 1))}, header);
  const auto all = walk(in);
  REQUIRE(all.size() == 1);
  CHECK(crypto::Digest(all[0].data).all(1));
  CHECK_THAT(why(signature_list(kSha256Type, {}, header)), Contains("SignatureSize"));
}

TEST_CASE("less than a list's header is no signatures") {
  CHECK(walk({}).empty());
  CHECK(walk(Data(27, 0xff)).empty());
}

TEST_CASE("a signature list cut short anywhere is malformed") {
  const Data two = cat(kHashes, kCertificate);
  for (std::size_t n = 28; n < two.size(); ++n) {
    const Data cut(two.begin(), two.begin() + static_cast<long>(n));
    CAPTURE(n);
    CHECK((why(cut) == "parsed") == (n == kHashes.size()));
  }
  CHECK_THAT(why(cat(two, {0})), Contains("SignatureType: input ends"));
}

TEST_CASE("a signature list's sizes fit each other") {
  CHECK_THAT(why(put32(kHashes, kListSize, 27)), Contains("smaller than the list's header"));
  CHECK_THAT(why(put32(kHashes, kListSize, 0)), Contains("smaller than the list's header"));
  CHECK_THAT(why(put32(kHashes, kListSize, 125)), Contains("SignatureListSize: input ends"));
  CHECK_THAT(why(put32(kHashes, kListSize, 123)), Contains("do not fill the list"));
  CHECK_THAT(why(put32(kHashes, kHeaderSize, 97)), Contains("SignatureHeader: input ends"));
  CHECK_THAT(why(put32(kHashes, kHeaderSize, 96)), Contains("do not fill the list"));
  CHECK_THAT(why(put32(kHashes, kHeaderSize, 1)), Contains("do not fill the list"));
  CHECK_THAT(why(put32(kHashes, kSignatureSize, 32)), Contains("not the size of the list's hash"));
}

TEST_CASE("go-attestation f877374, becfd07: sizes of 0, 16 or 4 GiB neither loop nor allocate") {
  CHECK_THAT(why(put32(kHashes, kSignatureSize, 0)), Contains("no room behind its owner"));
  CHECK_THAT(why(put32(kHashes, kSignatureSize, 16)), Contains("no room behind its owner"));
  CHECK_THAT(why(put32(kHashes, kSignatureSize, 0xffffffff)), Contains("do not fill the list"));
  CHECK_THAT(why(put32(kHashes, kListSize, 0xffffffff)), Contains("SignatureListSize: input ends"));
  CHECK_THAT(why(put32(kHashes, kHeaderSize, 0xffffffff)), Contains("SignatureHeader: input ends"));
}

TEST_CASE("a certificate is one DER SEQUENCE of a two-byte length") {
  CHECK(is_der_certificate(certificate()));
  CHECK_FALSE(is_der_certificate(cat(certificate(), {0})));
  CHECK_FALSE(is_der_certificate({}));
  CHECK_FALSE(is_der_certificate(Data{0x30, 0x82, 0}));
  CHECK_FALSE(is_der_certificate(Data{0x31, 0x82, 0, 0}));
  CHECK_FALSE(is_der_certificate(Data{0x30, 0x81, 0, 0}));
}

TEST_CASE("the file of a device path is its last file path node") {
  const auto file = [](const Data& path) { return utf8_of_utf16(file_of_device_path(path)); };
  CHECK(file(file_path("\\EFI\\a.efi")) == "\\EFI\\a.efi");
  CHECK(file(cat({1, 1, 6, 0, 0, 0}, file_path("b"))) == "b");
  CHECK(file({}).empty());
  CHECK(file({0x7f, 0xff, 4, 0}).empty());
}

TEST_CASE("go-attestation 1bd9b0f: a device path that makes no sense ends the walk") {
  const auto file = [](const Data& path) { return utf8_of_utf16(file_of_device_path(path)); };
  CHECK(file({4, 4, 0, 0}).empty());
  CHECK(file({4, 4, 3, 0}).empty());
  CHECK(file({4, 4, 0xff, 0xff, 'x', 0}).empty());
  CHECK(file({4, 4, 5}).empty());
  CHECK(file(cat(file_path("a"), {4, 4, 1, 0})) == "a");
  Data deep{1, 1, 4, 0};
  for (int i = 0; i < 18; ++i) deep = cat(deep, deep);
  CHECK(file(cat(deep, file_path("far"))) == "far");
}

}  // namespace
}  // namespace attest::eventlog
