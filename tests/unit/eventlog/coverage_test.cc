// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/coverage.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/support/eventlog_check.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::StartsWith;

TEST_CASE("data that its digest must cover is covered or a mismatch") {
  struct Case {
    std::uint32_t type;
    Data data;
  };
  const Case c = GENERATE(
      Case{kEvAction, text("Start Option ROM Scan")}, Case{kEvEfiAction, text("UEFI Debug Mode")},
      Case{kEvSCrtmVersion, utf16("v2")},
      Case{kEvOmitBootDeviceEvents, text("BOOT ATTEMPTS OMITTED")},
      Case{kEvEventTag, tagged(7, text("seven"))},
      Case{kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "PK", {})},
      Case{kEvEfiVariableBoot2, variable(kEfiGlobalVariable, "Boot0001", {1, 2, 3})},
      Case{kEvEfiVariableAuthority, variable(kImageSecurityDatabase, "db", signature({1, 2}))},
      Case{kEvEfiGptEvent, gpt(2)}, Case{kEvEfiGptEvent2, gpt(1)});
  CAPTURE(c.type);
  const Outcome good = outcome(1, c.type, c.data, c.data);
  CHECK(good.coverage == Coverage::kCovered);
  CHECK(good.issues.empty());
  const Outcome bad = outcome(1, c.type, c.data, text("something else"));
  CHECK(bad.coverage == Coverage::kMismatch);
  REQUIRE(bad.issues.size() == 1);
  CHECK(bad.issues[0].problem == Problem::kDataMismatch);
  CHECK(bad.issues[0].event == kNext);
  CHECK(bad.issues[0].pcr == 1);
  CHECK(bad.issues[0].what == "the digest is not that of the event's data");
}

TEST_CASE("data that its digest may cover is covered or a hint") {
  const std::uint32_t type =
      GENERATE(std::uint32_t{kEvPostCode}, std::uint32_t{kEvPostCode2},
               std::uint32_t{kEvPlatformConfigFlags}, std::uint32_t{kEvCompactHash},
               std::uint32_t{kEvNonhostInfo}, std::uint32_t{kEvEfiSpdmFirmwareConfig},
               std::uint32_t{kEvEfiSpdmDevicePolicy}, std::uint32_t{kEvEfiSpdmDeviceAuthority},
               std::uint32_t{kEvIpl});
  CAPTURE(type);
  const Outcome good = outcome(0, type, text("ACPI DATA"), text("ACPI DATA"));
  CHECK(good.coverage == Coverage::kCovered);
  CHECK(good.issues.empty());
  const Outcome hint = outcome(0, type, text("ACPI DATA"), text("the code"));
  CHECK(hint.coverage == Coverage::kOpaque);
  CHECK(hint.issues.empty());
}

TEST_CASE("data of blobs is a hint even where the digest is its hash") {
  struct Case {
    std::uint32_t type;
    Data data;
  };
  const Data blob(16, 0x10);
  const Data table = Writer().le(std::uint64_t{1}).fill(24, 0x33).out;
  const Case c = GENERATE_COPY(
      Case{kEvPrebootCert, text("x")}, Case{kEvSCrtmContents, text("x")},
      Case{kEvCpuMicrocode, text("x")}, Case{kEvTableOfDevices, text("x")},
      Case{kEvIplPartitionData, text("x")}, Case{kEvNonhostCode, text("x")},
      Case{kEvNonhostConfig, text("x")}, Case{kEvEfiSpdmFirmwareBlob, text("x")},
      Case{kEvEfiBootServicesApplication, image_load({})},
      Case{kEvEfiBootServicesDriver, image_load({})},
      Case{kEvEfiRuntimeServicesDriver, image_load({})}, Case{kEvEfiPlatformFirmwareBlob, blob},
      Case{kEvEfiPlatformFirmwareBlob2, cat({1, 'x'}, blob)}, Case{kEvEfiHandoffTables, table},
      Case{kEvEfiHandoffTables2, cat({1, 'x'}, table)});
  CAPTURE(c.type);
  const Outcome o = outcome(2, c.type, c.data, c.data);
  CHECK(o.coverage == Coverage::kOpaque);
  CHECK(o.issues.empty());
}

TEST_CASE("a boot variable is measured whole, or its data alone by a quirk with a name") {
  const Data v = variable(kEfiGlobalVariable, "BootOrder", {1, 0, 2, 0});
  CHECK(outcome(1, kEvEfiVariableBoot, v, v).coverage == Coverage::kCovered);
  const Outcome part = outcome(1, kEvEfiVariableBoot, v, {1, 0, 2, 0});
  CHECK(part.coverage == Coverage::kPartly);
  REQUIRE(part.issues.size() == 1);
  CHECK(part.issues[0].problem == Problem::kQuirk);
  CHECK_THAT(part.issues[0].what, StartsWith("variable-boot-data-only: "));
  CHECK(outcome(1, kEvEfiVariableBoot, v, {2, 0, 1, 0}).coverage == Coverage::kMismatch);
  CHECK(outcome(1, kEvEfiVariableBoot2, v, {1, 0, 2, 0}).coverage == Coverage::kMismatch);
}

TEST_CASE("shim's authorities: a byte too many and a missing owner are quirks with names") {
  const Data good = variable(kShimLock, "Shim", signature(certificate()));
  const Data longer = cat(good, {0});
  const Outcome byte = outcome(7, kEvEfiVariableAuthority, longer, good);
  CHECK(byte.coverage == Coverage::kPartly);
  REQUIRE(byte.issues.size() == 1);
  CHECK_THAT(byte.issues[0].what, StartsWith("shim-authority-trailing-byte: "));
  CHECK(outcome(7, kEvEfiVariableAuthority, cat(longer, {0}), good).coverage ==
        Coverage::kMismatch);
  CHECK(outcome(7, kEvEfiVariableAuthority, {}, good).coverage == Coverage::kMismatch);

  const Data bare = variable(kShimLock, "Shim", certificate());
  const Outcome owner = outcome(7, kEvEfiVariableAuthority, bare, bare);
  CHECK(owner.coverage == Coverage::kCovered);
  REQUIRE(owner.issues.size() == 1);
  CHECK_THAT(owner.issues[0].what, StartsWith("shim-authority-no-owner: "));
}

TEST_CASE("GRUB measures what follows its prefix") {
  const std::string prefix = GENERATE(
      "grub_cmd: ", "kernel_cmdline: ", "module_cmdline: ", "grub_kernel_cmdline ", "grub_cmd ");
  const Data data = cat(text(prefix + "linux /vmlinuz"), {0});
  const Outcome good = outcome(8, kEvIpl, data, text("linux /vmlinuz"));
  CHECK(good.coverage == Coverage::kPartly);
  CHECK(good.issues.empty());
  CHECK(outcome(8, kEvIpl, text(prefix + "linux /vmlinuz"), text("linux /vmlinuz")).coverage ==
        Coverage::kPartly);
  const Outcome nul = outcome(8, kEvIpl, data, cat(text("linux /vmlinuz"), {0}));
  CHECK(nul.coverage == Coverage::kPartly);
  REQUIRE(nul.issues.size() == 1);
  CHECK_THAT(nul.issues[0].what, StartsWith("grub-hashes-nul: "));
  CHECK(outcome(8, kEvIpl, data, data).coverage == Coverage::kCovered);
  const Outcome bad = outcome(8, kEvIpl, data, text("linux /other"));
  CHECK(bad.coverage == Coverage::kMismatch);
  CHECK(bad.issues.at(0).problem == Problem::kDataMismatch);
}

TEST_CASE("GRUB's files are hints") {
  const Outcome o = outcome(9, kEvIpl, cat(text("/vmlinuz"), {0}), text("what the file holds"));
  CHECK(o.coverage == Coverage::kOpaque);
  CHECK(o.issues.empty());
}

TEST_CASE("systemd-stub measures UTF-16 with and without its NUL, and section names in ASCII") {
  const Data line = utf16("quiet splash");
  const Data with_nul = cat(line, {0, 0});
  const Data odd = cat(with_nul, {0});
  CHECK(outcome(12, kEvIpl, with_nul, with_nul).coverage == Coverage::kCovered);
  CHECK(outcome(12, kEvIpl, with_nul, line).coverage == Coverage::kPartly);
  CHECK(outcome(12, kEvIpl, line, line).coverage == Coverage::kCovered);
  CHECK(outcome(12, kEvIpl, odd, line).coverage == Coverage::kPartly);
  CHECK(outcome(12, kEvIpl, odd, with_nul).coverage == Coverage::kPartly);
  CHECK(outcome(12, kEvIpl, with_nul, text("quiet splash")).coverage == Coverage::kOpaque);
  const Data section = cat(utf16(".linux"), {0, 0});
  CHECK(outcome(11, kEvIpl, section, cat(text(".linux"), {0})).coverage == Coverage::kPartly);
  CHECK(outcome(11, kEvIpl, section, text(".linux")).coverage == Coverage::kOpaque);
  CHECK(outcome(11, kEvIpl, section, text("contents")).coverage == Coverage::kOpaque);
  const Data wide = Writer().bytes(utf16(".l")).raw({0, 1, 0, 0}).out;
  CHECK(outcome(11, kEvIpl, wide, text("contents")).coverage == Coverage::kOpaque);
}

TEST_CASE("tags of systemd and of Linux's stub name what is measured") {
  const std::uint32_t id = GENERATE(0xf5bc582aU, 0x6c46f751U, 0x49dffe0fU, 0xdac08e1aU, 0xd5cb7cbcU,
                                    0xe0d47bc8U, 0xc0b3bd23U, 0x8f3b22ecU, 0x8f3b22edU);
  const Outcome o = outcome(9, kEvEventTag, tagged(id, text("Linux initrd")), text("initrd"));
  CHECK(o.coverage == Coverage::kOpaque);
  CHECK(o.issues.empty());
  CHECK(outcome(9, kEvEventTag, tagged(id + 0x100, text("x")), text("y")).coverage ==
        Coverage::kMismatch);
}

TEST_CASE("coverages have names") {
  CHECK(name_of(Coverage::kOpaque) == "opaque");
  CHECK(name_of(Coverage::kCovered) == "covered");
  CHECK(name_of(Coverage::kPartly) == "partly");
  CHECK(name_of(Coverage::kMismatch) == "mismatch");
  CHECK(name_of(Coverage::kUnextended) == "unextended");
}

TEST_CASE("real logs: every event is covered as its writer measures it") {
  struct Case {
    const char* name;
    std::size_t opaque, covered, partly, unextended;
  };
  const Case c =
      GENERATE(Case{"bios12-tpm12", 0, 13, 0, 0}, Case{"grub-ima-ng", 9, 18, 17, 1},
               Case{"kernel-ima-legacy", 5, 17, 2, 1}, Case{"shim-sb-ima-sig", 14, 21, 21, 1});
  const Data bytes = read_vector(std::string("boot/") + c.name + "/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  for (const Algorithm& a : log.algorithms()) {
    const Checked checked = check(log, *a.hash);
    std::map<Coverage, std::size_t> n;
    for (const Coverage coverage : checked.coverage) ++n[coverage];
    CAPTURE(c.name, a.id);
    CHECK(n[Coverage::kOpaque] == c.opaque);
    CHECK(n[Coverage::kCovered] == c.covered);
    CHECK(n[Coverage::kPartly] == c.partly);
    CHECK(n[Coverage::kUnextended] == c.unextended);
    CHECK(n[Coverage::kMismatch] == 0);
    for (const Issue& i : checked.issues) {
      CAPTURE(i.event, i.what);
      CHECK(i.problem == Problem::kQuirk);
      CHECK_THAT(i.what, StartsWith("variable-boot-data-only: "));
    }
  }
}

TEST_CASE("well-known events are known by their digests") {
  const KnownDigests known(Hash::kSha1);
  const auto find = [&](const Data& measured) {
    return known.find(crypto::Hasher(Hash::kSha1)(measured).bytes());
  };
  CHECK(find({0, 0, 0, 0}) == Known::kSeparator);
  CHECK(find(Data(4, 0xff)) == Known::kSeparator);
  CHECK(find({1, 0, 0, 0}) == Known::kErrorSeparator);
  CHECK(find(text("BOOT ATTEMPTS OMITTED")) == Known::kOmitBootDevices);
  CHECK(find(text("Exit Boot Services Invocation")) == Known::kExitBootServices);
  for (const std::string_view action : kKnownActions) CHECK(find(text(action)) >= Known::kAction);
  CHECK(find({0, 0, 0}) == Known::kNone);
  CHECK(known.find({}) == Known::kNone);
}

}  // namespace
}  // namespace attest::eventlog
