// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/describe.h"

#include <catch2/catch.hpp>

#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;

std::string words(std::uint32_t type, const Data& data) {
  const Data bytes = LogBuilder({Hash::kSha256}).event(1, type, data).bytes();
  const Log log = Log::parse(bytes);
  return describe(log, log.events().back());
}

TEST_CASE("events of a real log are described in words") {
  const Data bytes = read_vector("boot/shim-sb-ima-sig/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  const auto at = [&](std::size_t i) { return describe(log, log.events().at(i)); };
  CHECK(at(0) == "header \"Spec ID Event03\"");
  CHECK(at(1) == "version \"\"");
  CHECK(at(2) == "917504 bytes at 0x820000");
  CHECK(at(4) == "variable \"SecureBoot\": 01");
  CHECK(at(6) == "variable \"KEK\": 2 signatures");
  CHECK(at(8) == "variable \"dbx\": 1 signature");
  CHECK(at(9) == "00000000");
  CHECK(at(10) == "variable \"BootOrder\": 010000000200");
  CHECK(at(11) == "variable \"Boot0001\": \"UEFI Misc Device\"");
  CHECK(at(14) == "Calling EFI Application from Boot Option");
  CHECK(at(23).substr(0, 5) == "disk ");
  CHECK(at(23).find(", 1 partition") != std::string::npos);
  CHECK(at(25) == "MokList");
  CHECK(at(30) == "4183488 bytes at 0x1c92f018, file \"\\\\EFI\\\\BOOT\\\\grubx64.efi\"");
  CHECK(at(35) == "(hd0,gpt1)/EFI/debian/grub.cfg");
  CHECK(at(38) == "grub_cmd: terminal_output serial");
}

TEST_CASE("tags, tables, versions and codes are described") {
  const Data bytes = read_vector("boot/kernel-ima-legacy/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  CHECK(describe(log, log.events().at(22)) == "tag 0x8f3b22ec: Linux initrd");
  CHECK(words(kEvEventTag, tagged(7, Data(24, 0))) == "tag 0x07: 24 bytes");
  const Data table = Writer().le(std::uint64_t{1}).bytes(kShimLock).fill(8, 1).out;
  CHECK(words(kEvEfiHandoffTables, table) == "1 table, 605dab50-e046-4300-abb6-3dd810dd8b23");
  CHECK(words(kEvEfiHandoffTables2, cat({6, 'S', 'M', 'B', 'I', 'O', 'S'}, table)) ==
        "1 table, \"SMBIOS\", 605dab50-e046-4300-abb6-3dd810dd8b23");
  CHECK(words(kEvEfiHandoffTables, Data(8)) == "0 tables");
  const Data blob = Writer().le(std::uint64_t{0}).le(std::uint64_t{16}).out;
  CHECK(words(kEvEfiPlatformFirmwareBlob2, cat({2, 'M', 'E'}, blob)) == "16 bytes at 0x00, \"ME\"");
  CHECK(words(kEvPostCode, blob) == "16 bytes at 0x00");
  CHECK(words(kEvPostCode, text("ACPI DATA")) == "ACPI DATA");
  CHECK(words(kEvSCrtmContents, cat(text("Boot Guard Measured S-CRTM"), {0})) ==
        "Boot Guard Measured S-CRTM");
  CHECK(words(kEvSCrtmVersion, Data(kShimLock.begin(), kShimLock.end())) ==
        "605dab50-e046-4300-abb6-3dd810dd8b23");
  CHECK(words(kEvSCrtmVersion, cat(utf16("1.23.45"), {0, 0})) == "version \"1.23.45\"");
  CHECK(words(kEvEfiVariableBoot, variable(kEfiGlobalVariable, "Boot0000", {1, 2})) ==
        "variable \"Boot0000\": 0102");
  CHECK(words(kEvIpl, cat(utf16("quiet"), {0, 0})) == "quiet");
  CHECK(words(kEvIpl, {}) == "empty");
  CHECK(words(kEvEfiGptEvent, gpt(2)) == "disk 77777777-7777-7777-7777-777777777777, 2 partitions");
  CHECK(words(0x12345678, Data(99, 1)) == "99 bytes");
}

TEST_CASE("EV_NO_ACTION is described by its signature") {
  CHECK(words(kEvNoAction, cat(text("StartupLocality"), {0, 3})) == "StartupLocality 3");
  CHECK(words(kEvNoAction, cat(text("StartupLocality"), {0})) == "StartupLocality 16 bytes");
  CHECK(words(kEvNoAction, text("else")) == "4 bytes");
  const Data component =
      Writer().text("H-CRTM CompMeas").raw({0, 3}).text("ACM").raw({0}).le(std::uint16_t{0}).out;
  CHECK(words(kEvNoAction, component) == "H-CRTM component \"ACM\"");
  Writer one;
  one.text("SP800-155 Event").raw({0}).fill(4, 0).bytes(kShimLock);
  CHECK(words(kEvNoAction, one.out) == "reference manifest 605dab50-e046-4300-abb6-3dd810dd8b23");
  Writer two;
  two.text("SP800-155 Event2").fill(4, 0).bytes(kShimLock);
  two.raw({2, 'a', 0, 2, 'b', 0, 0, 0}).fill(4, 0).raw({2, 'c', 0});
  CHECK(words(kEvNoAction, two.out) ==
        "reference manifest 605dab50-e046-4300-abb6-3dd810dd8b23 of \"a\" \"b\", firmware \"c\"");
}

TEST_CASE("hostile text is escaped and cut") {
  CHECK(words(kEvIpl, text("a\x1b[31m\nb")) == "a\\x1b[31m\\x0ab");
  CHECK(words(kEvEfiAction, Data(10000, 'x')).size() < 300);
  const Data v = variable(kEfiGlobalVariable, "x\x1b", {});
  CHECK(words(kEvEfiVariableBoot, v) == "variable \"x\\x1b\": empty");
}

TEST_CASE("data that is not of its type's structure is so many bytes") {
  CHECK(words(kEvEfiVariableBoot, text("x")) == "1 byte, not of the type's structure");
  CHECK(words(kEvNoAction, text("SP800-155 Event2")) == "16 bytes, not of the type's structure");
}

TEST_CASE("only covered data is more than a hint") {
  CHECK_FALSE(is_hint(Coverage::kCovered));
  CHECK_FALSE(is_hint(Coverage::kPartly));
  CHECK(is_hint(Coverage::kOpaque));
  CHECK(is_hint(Coverage::kMismatch));
  CHECK(is_hint(Coverage::kUnextended));
}

}  // namespace
}  // namespace attest::eventlog
