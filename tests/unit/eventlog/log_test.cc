// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/log.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/eventlog/types.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;

const std::vector<Hash> kBanks{Hash::kSha1, Hash::kSha256, Hash::kSha384};

LogBuilder small_log(const std::vector<Hash>& banks) {
  LogBuilder b(banks);
  b.startup_locality(3).event(0, kEvSCrtmVersion, utf16("v1")).separators();
  return b;
}

std::string why(const Data& log) {
  try {
    Log::parse(log);
  } catch (const ParseError& e) {
    CHECK(e.offset() <= log.size());
    return e.what();
  }
  return "parsed";
}

using Catch::Matchers::Contains;

// Where the header's data begins, and fields of it.
constexpr std::size_t kHeaderData = 32;

TEST_CASE("a crypto-agile log is read field by field") {
  const Data bytes = small_log(kBanks).bytes();
  const Log log = Log::parse(bytes);
  CHECK(log.format() == Format::kCryptoAgile);
  CHECK(name_of(log.format()) == "crypto-agile");
  CHECK(log.pointer_size() == 8);
  REQUIRE(log.algorithms().size() == 3);
  CHECK(log.algorithms()[2].id == 0x000c);
  CHECK(log.algorithms()[2].size == 48);
  CHECK(log.algorithms()[2].hash == Hash::kSha384);
  CHECK(log.find(Hash::kSha384) == 2);
  CHECK_FALSE(log.find(Hash::kSha512));
  REQUIRE(log.events().size() == 11);
  const Event& header = log.events()[0];
  CHECK(header.type == kEvNoAction);
  CHECK(log.digest(header, 1).empty());
  const Event& version = log.events()[2];
  CHECK(version.index == 2);
  CHECK(version.pcr == 0);
  CHECK(version.type == kEvSCrtmVersion);
  CHECK(Data(version.data.begin(), version.data.end()) == utf16("v1"));
  CHECK(to_hex(log.digest(version, 1)) ==
        to_hex(crypto::Hasher(Hash::kSha256)(utf16("v1")).bytes()));
  CHECK(log.digest(version, 2).size() == 48);
  std::size_t end = bytes.size();
  for (std::size_t i = log.events().size(); i-- > 1;) {
    const Event& e = log.events()[i];
    CHECK(e.offset + 16 + 22 + 34 + 50 + e.data.size() == end);
    end = e.offset;
  }
}

TEST_CASE("digests of an event may come in another order than the header's") {
  LogBuilder b(kBanks);
  Writer w;
  w.le(std::uint32_t{4}).le(std::uint32_t{kEvAction}).le(std::uint32_t{3});
  w.le(std::uint16_t{0xc}).fill(48, 0xcc).le(std::uint16_t{4}).fill(20, 0x44);
  w.le(std::uint16_t{0xb}).fill(32, 0xbb).le(std::uint32_t{1}).raw({'x'});
  const Data bytes = b.raw(w.out).bytes();
  const Log log = Log::parse(bytes);
  const Event& e = log.events().at(1);
  CHECK(crypto::Digest(log.digest(e, 0)).all(0x44));
  CHECK(crypto::Digest(log.digest(e, 1)).all(0xbb));
  CHECK(crypto::Digest(log.digest(e, 2)).all(0xcc));
}

TEST_CASE("a log without a header, or with one of TPM 1.2, is of the SHA-1 format") {
  Data bytes = small_log({}).bytes();
  SECTION("no header") {}
  SECTION("Spec ID Event00") {
    const Data spec =
        Writer().text("Spec ID Event00").raw({0, 0, 0, 0, 0, 2, 1, 1, 0, 2, 'h', 'i'}).out;
    bytes = LogBuilder({}).no_action(spec).raw(bytes).bytes();
  }
  SECTION("Spec ID Event02") {
    const Data spec = Writer().text("Spec ID Event02").raw({0, 0, 0, 0, 0, 2, 1, 2, 1, 0}).out;
    bytes = LogBuilder({}).no_action(spec).raw(bytes).bytes();
    CHECK(Log::parse(bytes).pointer_size() == 4);
  }
  const Log log = Log::parse(bytes);
  CHECK(log.format() == Format::kSha1);
  CHECK(name_of(log.format()) == "sha1");
  REQUIRE(log.algorithms().size() == 1);
  CHECK(log.algorithms()[0].hash == Hash::kSha1);
  CHECK(log.events().size() >= 10);
  CHECK(log.digest(log.events().back(), 0).size() == 20);
}

TEST_CASE("no bytes are a log without events") {
  const Log log = Log::parse({});
  CHECK(log.format() == Format::kSha1);
  CHECK(log.events().empty());
}

TEST_CASE("an algorithm that libattest does not know is carried by its declared size") {
  Data spec = LogBuilder::spec_id({Hash::kSha256, Hash::kSha1});
  spec[32] = 0x99;  // SHA-1's number
  spec[34] = 7;     // and size
  Writer w;
  w.fill(4, 0).le(std::uint32_t{kEvNoAction}).fill(20, 0);
  w.le(static_cast<std::uint32_t>(spec.size())).bytes(spec);
  w.le(std::uint32_t{1}).le(std::uint32_t{kEvAction}).le(std::uint32_t{2});
  w.le(std::uint16_t{0xb}).fill(32, 0xbb).le(std::uint16_t{0x99}).fill(7, 0x99);
  w.le(std::uint32_t{0});
  const Log log = Log::parse(w.out);
  CHECK_FALSE(log.algorithms().at(1).hash);
  CHECK(log.digest(log.events().at(1), 1).size() == 7);
}

TEST_CASE("a log cut short anywhere but between records is malformed") {
  const std::vector<Hash> banks = GENERATE(std::vector<Hash>{}, std::vector<Hash>{Hash::kSha256});
  const Data bytes = small_log(banks).bytes();
  const Log whole = Log::parse(bytes);
  std::size_t num_good = 0;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const bool between = n == 0 || std::any_of(whole.events().begin(), whole.events().end(),
                                               [&](const Event& e) { return e.offset == n; });
    const std::string words = why(Data(bytes.begin(), bytes.begin() + static_cast<long>(n)));
    if (between) {
      CHECK(words == "parsed");
      ++num_good;
    } else {
      CHECK_THAT(words, Contains("input ends inside this field"));
    }
  }
  CHECK(num_good == whole.events().size());
}

TEST_CASE("bytes after the last record are malformed") {
  for (const std::vector<Hash>& banks : {std::vector<Hash>{}, kBanks}) {
    for (std::size_t n = 1; n < 8; ++n) {
      Data bytes = small_log(banks).bytes();
      bytes.resize(bytes.size() + n, 0x00);
      CHECK_THAT(why(bytes), Contains("input ends inside this field"));
    }
  }
}

TEST_CASE("padding of ff bytes is malformed") {
  const std::size_t n = GENERATE(4U, 8U, 64U, 4096U);
  Data bytes = small_log(kBanks).bytes();
  bytes.resize(bytes.size() + n, 0xff);
  CHECK_THAT(why(bytes), n < 8 ? Contains("eventType: input ends") : Contains("pcrIndex: no PCR"));
}

TEST_CASE("GHSA-qp88-8f4j-wv7q: a pcrIndex that is no PCR in a SHA-1 log is malformed") {
  const std::uint32_t pcr = GENERATE(24U, 32U, 255U, 0x7fffffffU, 0xfffffffeU, 0xffffffffU);
  const Data bytes = small_log({}).event(pcr, kEvEfiAction, text("x")).bytes();
  CHECK_THAT(why(bytes), Contains("pcrIndex: no PCR has this number"));
}

TEST_CASE("GHSA-xqrv-v8rj-v8xw, GHSA-gf8g-2r5c-74c7: pcrIndex 24 and above is malformed") {
  const std::uint32_t pcr = GENERATE(24U, 32U, 255U, 0x80000000U, 0xffffffffU);
  const Data bytes = small_log(kBanks).event(pcr, kEvEfiAction, text("x")).bytes();
  CHECK_THAT(why(bytes), Contains("pcrIndex: no PCR has this number"));
}

TEST_CASE("PCR 23 is the last") {
  CHECK(why(small_log(kBanks).event(23, kEvEfiAction, text("x")).bytes()) == "parsed");
}

TEST_CASE("the Windows loader's record without a PCR is accepted if it is complete") {
  const std::vector<Hash> banks = GENERATE(std::vector<Hash>{}, kBanks);
  Data bytes = small_log(banks).filled(0xffffffff, kEvNoAction, text("WBCL"), 0x42).bytes();
  const Log log = Log::parse(bytes);
  CHECK(log.events().back().pcr == kTrustBoundaryPcr);
  bytes.pop_back();
  CHECK_THAT(why(bytes), Contains("event: input ends inside this field"));
}

TEST_CASE("an eventSize beyond the log's end is malformed and allocates nothing") {
  for (const std::uint32_t size : {2U, 0x7fffffffU, 0xffffffffU}) {
    for (const std::vector<Hash>& banks : {std::vector<Hash>{}, kBanks}) {
      Data bytes = small_log(banks).event(1, kEvAction, text("x")).bytes();
      const Data le = Writer().le(size).out;
      std::copy(le.begin(), le.end(), bytes.end() - 5);
      CHECK_THAT(why(bytes), Contains("event: input ends inside this field"));
    }
  }
}

TEST_CASE("each rule of the crypto-agile header is kept") {
  struct Case {
    const char* words;
    std::size_t at;  // in the header's data
    std::uint8_t value;
  };
  const Case c = GENERATE(
      Case{"specVersionMajor: a version unknown to us", 21, 1},
      Case{"uintnSize: neither 1 nor 2", 23, 0}, Case{"uintnSize: neither 1 nor 2", 23, 3},
      Case{"numberOfAlgorithms: not 1 to 16", 24, 0},
      Case{"numberOfAlgorithms: not 1 to 16", 24, 17},
      Case{"numberOfAlgorithms: not 1 to 16", 27, 0x80}, Case{"vendorInfo: input ends", 24, 2},
      Case{"digestSizes.algorithmId: input ends", 24, 4},
      Case{"digestSizes.digestSize: not the size", 30, 32},
      Case{"digestSizes.digestSize: not the size", 34, 20},
      Case{"digestSizes.algorithmId: an algorithm is listed twice", 32, 0x04},
      Case{"vendorInfo: input ends", 40, 1});
  Data bytes = small_log(kBanks).bytes();
  bytes[kHeaderData + c.at] = c.value;
  CAPTURE(c.at, int{c.value});
  CHECK_THAT(why(bytes), Contains(c.words));
}

TEST_CASE("the header's length is exact") {
  for (const int grow : {-1, 1}) {
    Data spec = LogBuilder::spec_id(kBanks);
    spec.resize(spec.size() + static_cast<std::size_t>(grow));
    LogBuilder b({});
    b.no_action(spec);
    CHECK_THAT(why(b.bytes()), grow < 0 ? Contains("vendorInfoSize: input ends")
                                        : Contains("specID: has bytes after its end"));
  }
}

TEST_CASE("a digest of no bytes is no algorithm's") {
  Data spec = LogBuilder::spec_id({Hash::kSha256});
  spec[28] = 0x99;
  spec[30] = 0;
  CHECK_THAT(why(LogBuilder({}).no_action(spec).bytes()), Contains("digestSize: not the size"));
}

TEST_CASE("a header has PCR 0 and a digest of zeros") {
  Data bytes = small_log(kBanks).bytes();
  SECTION("another PCR") {
    bytes[0] = 1;
    CHECK_THAT(why(bytes), Contains("specID: its pcrIndex is not 0"));
  }
  SECTION("a digest") {
    bytes[8 + 19] = 1;
    CHECK_THAT(why(bytes), Contains("specID: its digest is not zero"));
  }
}

TEST_CASE("a header of TPM 1.2 is held to its rules") {
  Data spec = Writer().text("Spec ID Event02").raw({0, 0, 0, 0, 0, 2, 1, 2, 2, 0}).out;
  SECTION("version") {
    spec[21] = 2;
    CHECK_THAT(why(LogBuilder({}).no_action(spec).bytes()), Contains("specVersionMajor"));
  }
  SECTION("pointer size") {
    spec[23] = 8;
    CHECK_THAT(why(LogBuilder({}).no_action(spec).bytes()), Contains("uintnSize"));
  }
  SECTION("length") {
    spec.push_back(0);
    CHECK_THAT(why(LogBuilder({}).no_action(spec).bytes()), Contains("specID: has bytes"));
  }
}

TEST_CASE("what only resembles a header is an ordinary event") {
  Data bytes;
  SECTION("another type") {
    bytes = LogBuilder({}).event(0, kEvAction, LogBuilder::spec_id(kBanks)).bytes();
  }
  SECTION("not the first record") {
    bytes = LogBuilder({}).separators().no_action(LogBuilder::spec_id(kBanks)).bytes();
  }
  SECTION("too short for a signature") {
    bytes = LogBuilder({}).no_action(text("Spec ID")).bytes();
  }
  SECTION("another number") {
    Data spec = LogBuilder::spec_id(kBanks);
    spec[14] = '4';
    bytes = LogBuilder({}).no_action(spec).bytes();
  }
  CHECK(Log::parse(bytes).format() == Format::kSha1);
}

// An event with the given algorithm numbers, each with the right number of bytes after it.
Data with_digests(const std::vector<std::uint16_t>& ids) {
  Writer w;
  w.le(std::uint32_t{4}).le(std::uint32_t{kEvAction}).le(static_cast<std::uint32_t>(ids.size()));
  for (const std::uint16_t id : ids) {
    const auto hash = crypto::hash_from_id(id);
    w.le(id).fill(hash ? crypto::hash_size(*hash) : 32, 0x11);
  }
  return LogBuilder(kBanks).raw(w.le(std::uint32_t{0}).out).bytes();
}

TEST_CASE("an event has each of the header's algorithms exactly once") {
  CHECK(why(with_digests({4, 0xb, 0xc})) == "parsed");
  CHECK_THAT(why(with_digests({4, 0xb})), Contains("digests.count: not one digest an algorithm"));
  CHECK_THAT(why(with_digests({})), Contains("digests.count"));
  CHECK_THAT(why(with_digests({4, 0xb, 0xc, 0xc})), Contains("digests.count"));
  CHECK_THAT(why(with_digests({4, 0xb, 0xb})), Contains("hashAlg: an algorithm's second digest"));
  CHECK_THAT(why(with_digests({4, 0xb, 0xd})), Contains("that the header does not list"));
  CHECK_THAT(why(with_digests({4, 0xb, 0x99})), Contains("that the header does not list"));
}

TEST_CASE("go-attestation 31ad4f5: a digest count of billions is malformed") {
  Writer w;
  w.le(std::uint32_t{4}).le(std::uint32_t{kEvAction}).le(std::uint32_t{0xffffffff});
  CHECK_THAT(why(LogBuilder(kBanks).raw(w.out).bytes()), Contains("digests.count"));
}

TEST_CASE("a log is at most 64 MiB and 262144 events") {
  CHECK_THAT(why(Data((std::size_t{64} << 20U) + 1)), Contains("larger than 64 MiB"));
  Data many;
  for (int i = 0; i < (1 << 18); ++i) many.resize(many.size() + 32);
  CHECK(why(many) == "parsed");
  many.resize(many.size() + 32);
  CHECK_THAT(why(many), Contains("more than 262144 events"));
}

TEST_CASE("real logs are read to their last byte") {
  struct Case {
    const char* name;
    Format format;
    std::size_t num_algorithms;
    std::size_t num_events;
  };
  const Case c = GENERATE(Case{"bios12-tpm12", Format::kSha1, 1, 13},
                          Case{"grub-ima-ng", Format::kCryptoAgile, 2, 45},
                          Case{"grub-many", Format::kCryptoAgile, 2, 45},
                          Case{"kernel-ima-legacy", Format::kCryptoAgile, 2, 25},
                          Case{"shim-sb-ima-sig", Format::kCryptoAgile, 2, 57});
  const Data bytes = read_vector(std::string("boot/") + c.name + "/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  CHECK(log.format() == c.format);
  CHECK(log.algorithms().size() == c.num_algorithms);
  CHECK(log.events().size() == c.num_events);
  Data longer = bytes;
  longer.push_back(0);
  CHECK_THAT(why(longer), Contains("input ends"));
}

TEST_CASE("types have the specification's names") {
  CHECK(type_name(0) == "EV_PREBOOT_CERT");
  CHECK(type_name(0x80000001) == "EV_EFI_VARIABLE_DRIVER_CONFIG");
  CHECK(type_name(0x800000e4) == "EV_EFI_SPDM_DEVICE_AUTHORITY");
  CHECK(type_name(0x402) == "HASH_START");
  CHECK(type_name(0x501) == "TBOOT_MEASUREMENT");
  CHECK(type_name(0x40010001) == "0x40010001");
  CHECK(type_name(0x14) == "0x00000014");
  CHECK(is_pfp_type(kEvIpl));
  CHECK_FALSE(is_pfp_type(0x402));
  CHECK(is_txt_type(0x402));
  CHECK_FALSE(is_txt_type(kEvIpl));
  CHECK_FALSE(is_txt_type(0x405));
}

}  // namespace
}  // namespace attest::eventlog
