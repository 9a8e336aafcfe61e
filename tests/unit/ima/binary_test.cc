// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/binary.h"

#include <catch2/catch.hpp>

#include "tests/support/ima_builder.h"

namespace {

using attest::Bytes;
using attest::ParseError;
using attest::ima::Frame;
using attest::ima::frame_record;
using Catch::Matchers::Contains;
using ima_test::Buffer;

Buffer set_u32(Buffer record, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) record[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  return record;
}

constexpr std::size_t kNameLength = 24;  // places in a record of a SHA-1 list
constexpr std::size_t kName = 28;

}  // namespace

TEST_CASE("a frame says how much more of its record it needs until it has all") {
  const Buffer record = GENERATE(ima_test::ng("/usr/bin/a").binary(),
                                 ima_test::legacy("/a").binary(), ima_test::legacy("").binary());
  for (std::size_t n = 0; n < record.size(); ++n) {
    const Frame f = frame_record(Bytes(record).first(n), 20, 1000);
    INFO(n << " bytes");
    CHECK_FALSE(f.cut.empty());
    CHECK(f.size > n);
    CHECK(f.size <= record.size());
  }
  const Frame f = frame_record(record, 20, 1000);
  CHECK(f.cut.empty());
  CHECK(f.size == record.size());
  CHECK(f.pcr == 10);
  CHECK(f.header_digest.size() == 20);
}

TEST_CASE("what follows a record is not of it") {
  Buffer two = ima_test::ng("/a").binary();
  const std::size_t size = two.size();
  two.push_back(0xff);
  CHECK(frame_record(two, 20, 0).size == size);
}

TEST_CASE("a record's sizes and PCR are bounded as soon as they are read") {
  struct Case {
    const char* rule;
    std::size_t at;
    std::uint32_t value;
    const char* says;
  };
  const auto c = GENERATE(values<Case>({
      {"PCR", 0, 24, "byte 1004: PCR: not 0 to 23"},
      {"absurd PCR", 0, 0xffffffff, "PCR: not 0 to 23"},
      {"no name", kNameLength, 0, "template name length: not 1 to 255"},
      {"long name", kNameLength, 256, "template name length: not 1 to 255"},
      {"absurd name", kNameLength, 0xffffffff, "template name length: not 1 to 255"},
      {"data", kName + 6, (16U << 20U) + 1, "template data length: more than 16 MiB"},
      {"absurd data", kName + 6, 0xffffffff, "template data length: more than 16 MiB"},
  }));
  DYNAMIC_SECTION(c.rule) {
    const Buffer bad = set_u32(ima_test::ng("/a").binary(), c.at, c.value);
    CHECK_THROWS_WITH(frame_record(bad, 20, 1000), Contains(c.says));
    CHECK_THROWS_AS(frame_record(Bytes(bad).first(c.at + 4), 20, 1000), ParseError);
  }
}

TEST_CASE("the largest sizes that are allowed are asked for, not refused") {
  const Buffer data = set_u32(ima_test::ng("/a").binary(), kName + 6, 16U << 20U);
  CHECK(frame_record(data, 20, 0).cut == "template data");
  const Buffer name = set_u32(ima_test::ng("/a").binary(), kNameLength, 255);
  CHECK(frame_record(name, 20, 0).cut == "template name");
  const Buffer pcr = set_u32(ima_test::ng("/a").binary(), 0, 23);
  CHECK(frame_record(pcr, 20, 0).pcr == 23);
}

TEST_CASE("template ima has names of at most 255 bytes and no data length") {
  const std::string longest(255, 'a');
  const Frame f = frame_record(ima_test::legacy(longest).binary(), 20, 0);
  CHECK(f.legacy);
  CHECK(f.cut.empty());
  CHECK(f.name.size() == 255);
  CHECK(f.digest.size() == 20);
  CHECK_THROWS_WITH(frame_record(ima_test::legacy(longest + "a").binary(), 20, 0),
                    Contains("n length: more than 255"));
}

TEST_CASE("an MD5 digest in template ima is not taken for the start of a record") {
  // 16 bytes where 20 belong: the name's length is then four bytes of the name.
  const Buffer record = Writer()
                            .le<std::uint32_t>(10)
                            .fill(20, 1)
                            .le<std::uint32_t>(3)
                            .text("ima")
                            .fill(16, 2)
                            .le<std::uint32_t>(8)
                            .text("/bin/old")
                            .out;
  CHECK_THROWS_WITH(frame_record(record, 20, 0), Contains("n length: more than 255"));
}
