// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/fields.h"

#include <catch2/catch.hpp>

#include "libattest/ima/list.h"
#include "tests/support/ima_builder.h"
#include "tests/support/ima_entries.h"

namespace {

using attest::as_bytes;
using attest::Bytes;
using attest::crypto::Hash;
using attest::ima::ListFormat;
using Catch::Matchers::Contains;
using ima_test::Buffer;
using ima_test::digest;
using ima_test::Field;
using ima_test::hex;
using ima_test::name;
using ima_test::nothing;
using ima_test::number;
using ima_test::Record;
using ima_test::some_digest;

const Field kDng = digest("sha256", some_digest(32));
const Field kName = name("/usr/bin/a");

Field raw(const Buffer& bytes) { return {bytes, "?"}; }
Field text(std::string_view characters) { return raw(Writer().text(characters).out); }

std::string error_of(const Record& r) {
  return ima_test::read_list(r.binary(), ListFormat::kBinary, Hash::kSha1).error;
}

// A record with this data in place of what its fields make.
std::string error_of_data(std::string_view template_name, const Buffer& data) {
  const Buffer record = Writer()
                            .le<std::uint32_t>(10)
                            .fill(20, 1)
                            .le(static_cast<std::uint32_t>(template_name.size()))
                            .text(template_name)
                            .le(static_cast<std::uint32_t>(data.size()))
                            .bytes(data)
                            .out;
  return ima_test::read_list(record, ListFormat::kBinary, Hash::kSha1).error;
}

Record evm_sig(std::size_t replaced, const Field& by) {
  Record r = ima_test::evm_sig("/f");
  r.fields.at(replaced) = by;
  return r;
}

}  // namespace

TEST_CASE("a field that breaks one rule is refused for that rule") {
  struct Case {
    std::string rule;
    Record record;
    std::string says;
  };
  const Buffer d = some_digest(32);
  Record legacy_nul = ima_test::legacy(std::string("/a\0b", 4));
  const std::vector<Case> cases{
      {"a name ends in NUL", {10, "ima-ng", {kDng, text("/a")}}, "n-ng: no NUL at its end"},
      {"a name is not nothing", {10, "ima-ng", {kDng, nothing()}}, "n-ng: no NUL at its end"},
      {"a name has one NUL",
       {10, "ima-ng", {kDng, raw({'/', 0, 'a', 0})}},
       "n-ng: a NUL inside it"},
      {"a name has no second NUL",
       {10, "ima-ng", {kDng, raw({'/', 0, 0})}},
       "n-ng: a NUL inside it"},
      {"a legacy name has no NUL", legacy_nul, "n: a NUL inside it"},
      {"a custom n is bounded",
       {10, "d|n", {hex(some_digest(20)), name(std::string(256, 'a'))}},
       "n: longer than 255 bytes"},
      {"a digest has a prefix", {10, "ima-ng", {hex(d), kName}}, "d-ng: no \":\" and NUL"},
      {"a digest is not nothing", {10, "ima-ng", {nothing(), kName}}, "d-ng: no \":\" and NUL"},
      {"a prefix ends in a colon",
       {10, "ima-ng", {raw(Writer().text("sha256").raw({0}).bytes(d).out), kName}},
       "d-ng: no \":\" and NUL"},
      {"a prefix is not only NUL",
       {10, "ima-ng", {raw(Writer().raw({0}).bytes(d).out), kName}},
       "d-ng: no \":\" and NUL"},
      {"an algorithm is the kernel's",
       {10, "ima-ng", {digest("sha257\n", d), kName}},
       "d-ng: unknown digest algorithm \"sha257\\x0a\""},
      {"an algorithm is in lower case",
       {10, "ima-ng", {digest("SHA256", d), kName}},
       "unknown digest algorithm \"SHA256\""},
      {"a digest is not shorter than its algorithm's",
       {10, "ima-ng", {digest("sha256", some_digest(31)), kName}},
       "d-ng: digest is not of the size of sha256"},
      {"a digest is not longer than its algorithm's",
       {10, "ima-ng", {digest("sha1", some_digest(21)), kName}},
       "d-ng: digest is not of the size of sha1"},
      {"a digest is there",
       {10, "ima-ng", {digest("sha256", {}), kName}},
       "not of the size of sha256"},
      {"only a violation may have 20 zeros",
       {10, "ima-ng", {digest("sha256", Buffer(20, 0)), kName}},
       "not of the size of sha256"},
      {"a violation may only have zeros for it",
       {10, "ima-ng", {digest("sha256", some_digest(20)), kName}, true},
       "not of the size of sha256"},
      {"a violation has 20 of them",
       {10, "ima-ng", {digest("sha256", Buffer(21, 0)), kName}, true},
       "not of the size of sha256"},
      {"a digest without algorithm is SHA-1 or MD5",
       {10, "ima-ng", {digest("", d), kName}},
       "d-ng: digest is not of the size of sha1"},
      {"a bare digest is SHA-1 or MD5",
       {10, "d|n", {hex(d), kName}},
       "d: digest is not of the size"},
      {"a d-ngv2 has a type",
       {10, "ima-ngv2", {digest("sha256", d), kName}},
       "d-ngv2: its type is neither ima: nor verity:"},
      {"a d-ngv2's type is known",
       {10, "ima-ngv2", {digest("imb:sha256", d), kName}},
       "d-ngv2: its type is neither"},
      {"a d-ngv2 has an algorithm",
       {10, "ima-ngv2", {digest("ima:", d), kName}},
       "d-ngv2: no digest algorithm"},
      {"a d-ngv2 has a prefix", {10, "ima-ngv2", {hex(d), kName}}, "d-ngv2: no \":\" and NUL"},
      {"a d-ngv2's algorithm is known",
       {10, "ima-ngv2", {digest("verity:x:sha256", d), kName}},
       "d-ngv2: unknown digest algorithm \"x:sha256\""},
      {"a d-ng has no type",
       {10, "ima-ng", {digest("ima:sha256", d), kName}},
       "d-ng: unknown digest algorithm \"ima:sha256\""},
      {"a d-modsig fits its algorithm",
       {10, "ima-modsig", {kDng, kName, hex({}), digest("sha1", d), hex({})}},
       "d-modsig: digest is not of the size of sha1"},
      {"a template's last field is there",
       {10, "ima-sig", {kDng, kName}},
       "sig: input ends inside this field"},
      {"a template has no more fields",
       {10, "ima-ng", {kDng, kName, hex({})}},
       "template data: has bytes after its last field"},
      {"xattr names end in NUL", evm_sig(3, text("security.ima")), "xattrnames: no NUL at its end"},
      {"xattr names are not empty", evm_sig(3, name("")), "xattrnames: an empty name"},
      {"xattr lengths are 32-bit", evm_sig(4, hex({1, 0, 0})),
       "xattrlengths: not a list of 32-bit"},
      {"one length a name", evm_sig(4, hex({5, 0, 0, 0})), "xattrlengths: not one length for each"},
      {"names without lengths", evm_sig(4, hex({})), "xattrlengths: not one length for each"},
      {"values are as long as lengths say", evm_sig(5, hex({1, 2, 3, 4})),
       "xattrvalues: not as long"},
      {"values are there", evm_sig(5, hex({})), "xattrvalues: not as long"},
      {"iuid is 32-bit", evm_sig(6, number<std::uint16_t>(1)), "iuid: not of its number's size"},
      {"igid is 32-bit", evm_sig(7, number<std::uint64_t>(1)), "igid: not of its number's size"},
      {"imode is 16-bit", evm_sig(8, number<std::uint32_t>(1)), "imode: not of its number's size"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.rule) {
      const std::string error = error_of(c.record);
      CHECK_THAT(error, Contains(c.says));
      CHECK_THAT(error, Contains("IMA list: byte "));
    }
  }
}

TEST_CASE("lengths of extended attributes can not add up past 32 bits") {
  const Buffer lengths = Writer().le(std::uint32_t{0xfffffffe}).le(std::uint32_t{7}).out;
  CHECK_THAT(error_of(evm_sig(4, hex(lengths))), Contains("xattrvalues: not as long"));
}

TEST_CASE("a violation's digest may be 20 zeros or of its algorithm's size") {
  const std::size_t size = GENERATE(as<std::size_t>{}, 20, 64);
  const Record r{10, "ima-ng", {digest("sha512", Buffer(size, 0)), kName}, true};
  CHECK(error_of(r).empty());
  const auto ascii = ima_test::read_list(as_bytes(r.ascii()));
  CHECK(ascii.error.empty());
  REQUIRE(ascii.entries.size() == 1);
  CHECK(ascii.entries[0].violation);
  CHECK(ascii.entries[0].digest.value.size() == size);
}

TEST_CASE("every algorithm of the kernel's is read, with its size") {
  struct Case {
    const char* name;
    std::size_t size;
  };
  const auto c = GENERATE(
      values<Case>({{"md4", 16},      {"md5", 16},      {"sha1", 20},        {"rmd160", 20},
                    {"sha256", 32},   {"sha384", 48},   {"sha512", 64},      {"sha224", 28},
                    {"rmd128", 16},   {"rmd256", 32},   {"rmd320", 40},      {"wp256", 32},
                    {"wp384", 48},    {"wp512", 64},    {"tgr128", 16},      {"tgr160", 20},
                    {"tgr192", 24},   {"sm3", 32},      {"streebog256", 32}, {"streebog512", 64},
                    {"sha3-256", 32}, {"sha3-384", 48}, {"sha3-512", 64},    {"sm3-256", 32}}));
  DYNAMIC_SECTION(c.name) {
    const Record good = ima_test::ng("/a", some_digest(c.size), c.name);
    const auto binary = ima_test::read_list(good.binary());
    REQUIRE(binary.error.empty());
    CHECK(binary.entries.at(0).digest.algorithm ==
          (c.name == std::string("sm3-256") ? "sm3" : c.name));
    CHECK(binary.entries.at(0).digest.value.size() == c.size);
    CHECK(ima_test::read_list(as_bytes(good.ascii())).entries.at(0).data ==
          binary.entries.at(0).data);
    const Record bad = ima_test::ng("/a", some_digest(c.size + 1), c.name);
    CHECK_THAT(error_of(bad), Contains("digest is not of the size"));
  }
}

TEST_CASE("template data must be consumed exactly") {
  const Buffer good = ima_test::ng("/a").data();
  for (std::size_t n = 0; n < good.size(); ++n) {
    CHECK_THAT(error_of_data("ima-ng", {good.begin(), good.begin() + static_cast<long>(n)}),
               Contains("input ends inside this field"));
  }
  CHECK(error_of_data("ima-ng", good).empty());
  Buffer longer = good;
  longer.push_back(0);
  CHECK_THAT(error_of_data("ima-ng", longer), Contains("has bytes after its last field"));
}

TEST_CASE("a field's length one off or absurd is malformed") {
  const Buffer good = ima_test::ng("/a").data();
  const std::uint8_t delta = GENERATE(as<std::uint8_t>{}, 1, 0xff);
  Buffer bad = good;
  bad[0] = static_cast<std::uint8_t>(bad[0] + delta);
  CHECK_FALSE(error_of_data("ima-ng", bad).empty());
  bad = good;
  for (std::size_t i = 0; i < 4; ++i) bad[i] = 0xff;
  CHECK_THAT(error_of_data("ima-ng", bad), Contains("d-ng: input ends inside this field"));
}

TEST_CASE("one template's data is not another's") {
  const Record ng = ima_test::ng("/a");
  const Record sig = ima_test::sig("/a", some_digest(32), {3, 2, 4});
  CHECK_THAT(error_of_data("ima-sig", ng.data()), Contains("sig: input ends inside this field"));
  CHECK_THAT(error_of_data("ima-ng", sig.data()), Contains("has bytes after its last field"));
  CHECK_THAT(error_of_data("ima-ngv2", ng.data()), Contains("neither ima: nor verity:"));
  CHECK_THAT(error_of_data("d|n-ng", ng.data()), Contains("d: digest is not of the size"));
}

TEST_CASE("the error's offset is where the field is") {
  Record second = ima_test::ng("/a");
  second.fields[1] = text("/a");
  const Buffer first = ima_test::ng("boot_aggregate").binary();
  Buffer list = first;
  const Buffer more = second.binary();
  list.insert(list.end(), more.begin(), more.end());
  const auto outcome = ima_test::read_list(list);
  CHECK(outcome.entries.size() == 1);
  CHECK(outcome.error_offset == list.size() - 2);
}
