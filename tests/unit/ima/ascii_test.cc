// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/ascii.h"

#include <catch2/catch.hpp>

#include "tests/support/ima_builder.h"
#include "tests/support/ima_entries.h"

namespace {

using attest::as_bytes;
using attest::crypto::Hash;
using attest::ima::ListFormat;
using Catch::Matchers::Contains;
using ima_test::Outcome;
using ima_test::some_digest;

const std::string kHeader = "0adefe762c149c7cec19da62f0da1297fcfbffff";
const std::string kSha1 = "f572d396fae9206628714fb2ce00f72e94f2258f";
const std::string kSha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

Outcome read_line(const std::string& line) {
  return ima_test::read_list(as_bytes(line), ListFormat::kAscii, Hash::kSha1);
}

}  // namespace

TEST_CASE("an ascii line that breaks one rule is refused for that rule") {
  struct Case {
    std::string rule;
    std::string line;
    std::string says;
  };
  const std::string ng = "10 " + kHeader + " ima-ng sha256:" + kSha256;
  const std::string sig = "10 " + kHeader + " ima-sig sha256:" + kSha256;
  const std::string evm = "10 " + kHeader + " evm-sig sha256:" + kSha256 + " /f 05 a 01000000 00 ";
  const std::string modsig = "10 " + kHeader + " ima-modsig sha256:" + kSha256 + " /f  ";
  const std::vector<Case> cases{
      {"not empty", "\n", "PCR: not 0 to 23"},
      {"a PCR", "x " + kHeader, "PCR: not 0 to 23"},
      {"a PCR that is one", "24 " + kHeader + " ima-ng", "PCR: not 0 to 23"},
      {"no sign", "-1 " + kHeader + " ima-ng", "PCR: not 0 to 23"},
      {"one space before the PCR", "  9 " + kHeader + " ima-ng", "PCR: not 0 to 23"},
      {"no leading zero", "010 " + kHeader + " ima-ng", "PCR: not 0 to 23"},
      {"a header digest", "10", "template digest: missing"},
      {"header digits", "10 " + kHeader.substr(1) + "x ima-ng", "template digest: not hexadecimal"},
      {"header size", "10 " + kHeader.substr(2) + " ima-ng", "not 40, 64, 96 or 128 digits"},
      {"header size is even", "10 " + kHeader + "0 ima-ng", "not 40, 64, 96 or 128 digits"},
      {"one space between columns", "10  " + kHeader + " ima-ng", "not 40, 64, 96 or 128 digits"},
      {"the bank's size", "10 " + kSha256 + " ima-new", "template digest: not of the size of sha1"},
      {"a template name", "10 " + kHeader, "template name: missing"},
      {"a template name that is one", "10 " + kHeader + " ", "template name: not of 1 to 255"},
      {"a template name of bounded size", "10 " + kHeader + " " + std::string(256, 'a'),
       "template name: not of 1 to 255"},
      {"a digest field", "10 " + kHeader + " ima-ng", "d-ng: missing"},
      {"a digest", "10 " + kHeader + " ima-ng  /a", "d-ng: digest is not of the size"},
      {"digest digits", ng.substr(0, ng.size() - 1) + "g /a", "d-ng: not hexadecimal"},
      {"an even number of digits", ng.substr(0, ng.size() - 1) + " /a", "d-ng: not hexadecimal"},
      {"an algorithm", "10 " + kHeader + " ima-ng :" + kSha1 + " /a", "d-ng: no digest algorithm"},
      {"a known algorithm", "10 " + kHeader + " ima-ng sha0:" + kSha1 + " /a",
       "d-ng: unknown digest algorithm \"sha0\""},
      {"a type", "10 " + kHeader + " ima-ngv2 sha256:" + kSha256 + " /a", "d-ngv2: its type"},
      {"a type before bare digits", "10 " + kHeader + " ima-ngv2 " + kSha1 + " /a",
       "d-ngv2: its type"},
      {"a name", ng, "n-ng: missing"},
      {"a signature column", sig + " /a", "sig: missing"},
      {"signature digits", sig + " /a xy", "sig: not hexadecimal"},
      {"no column after the last", sig + " /a 03 04",
       "template data: has text after its last field"},
      {"no space after the last", sig + " /a 03 ", "template data: has text after its last field"},
      {"no NUL", ng + std::string(" /a\0b", 5), "line: a NUL inside it"},
      {"modsig digest", modsig + "sha1:00 ", "d-modsig: digest is not of the size of sha1"},
      {"iuid is decimal", evm + "x 0 0", "iuid: not a decimal number of its size"},
      {"iuid is 32-bit", evm + "4294967296 0 0", "iuid: not a decimal number of its size"},
      {"igid is unsigned", evm + "0 -1 0", "igid: not a decimal number of its size"},
      {"imode is 16-bit", evm + "0 0 65536", "imode: not a decimal number of its size"},
      {"lengths go with names",
       "10 " + kHeader + " evm-sig sha256:" + kSha256 + " /f 05 a|b 01000000 00 0 0 0",
       "xattrlengths: not one length for each"},
      {"an MD5 digest in template ima", "10 " + kHeader + " ima " + kSha1.substr(8) + " /a",
       "d: not a SHA-1 digest"},
      {"a long name in template ima",
       "10 " + kHeader + " ima " + kSha1 + " " + std::string(256, 'a'), "n: longer than 255 bytes"},
      {"digits in template ima", "10 " + kHeader + " ima x" + kSha1 + " /a", "d: not hexadecimal"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.rule) {
      const Outcome outcome = read_line(c.line);
      CHECK_THAT(outcome.error, Contains(c.says));
      CHECK_THAT(outcome.error, Contains("IMA list: line 1: "));
      CHECK(outcome.entries.empty());
      // The same behind a good line, which is given out before the error.
      const Outcome second = read_line(ima_test::ng("boot_aggregate").ascii() + c.line);
      CHECK_THAT(second.error, Contains("IMA list: line 2: "));
      CHECK(second.entries.size() == 1);
    }
  }
}

TEST_CASE("hexadecimal digits are read in either case") {
  const auto r = ima_test::sig("/a", some_digest(32, 0xaa), {0xab, 0xcd});
  std::string upper = r.ascii();
  for (char& c : upper) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  // Names are what they are.
  for (const char* word : {"imA-sig", "shA256", "/A"}) {
    const std::string right = word == std::string("imA-sig")  ? "ima-sig"
                              : word == std::string("shA256") ? "sha256"
                                                              : "/a";
    upper.replace(upper.find(word), right.size(), right);
  }
  REQUIRE(upper != r.ascii());
  CHECK(read_line(upper) == read_line(r.ascii()));
}

TEST_CASE("a name in the last column may hold spaces and whatever else is no newline or NUL") {
  const std::string odd = GENERATE("/a b", " ", "", "/tab\there", "/cr\r", "/\xff\xfe", "/a  b ");
  for (const std::string name : {"ima-ng", "ima"}) {
    const auto r = name == "ima" ? ima_test::legacy(odd) : ima_test::ng(odd);
    const Outcome outcome = read_line(r.ascii());
    CHECK(outcome.error.empty());
    REQUIRE(outcome.entries.size() == 1);
    CHECK(outcome.entries[0].name == odd);
    CHECK(outcome.entries[0].data == ima_test::read_list(r.binary()).entries.at(0).data);
  }
}

TEST_CASE("a name before the last column ends at its space") {
  auto r = ima_test::sig("/a b", some_digest(32), {3});
  CHECK_THAT(read_line(r.ascii()).error, Contains("sig: not hexadecimal"));
}

TEST_CASE("PCRs below 10 stand behind a space, which may have been stripped") {
  auto r = ima_test::ng("/a");
  r.pcr = 9;
  const std::string line = r.ascii();
  REQUIRE(line[0] == ' ');
  CHECK(read_line(line).entries.at(0).pcr == 9);
  CHECK(read_line(line.substr(1)).entries.at(0).pcr == 9);
  CHECK(ima_test::read_list(as_bytes(line)).format == ListFormat::kAscii);
}
