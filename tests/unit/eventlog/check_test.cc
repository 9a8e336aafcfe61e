// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/check.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "libattest/eventlog/efi.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const std::vector<Hash> kBanks{Hash::kSha1, Hash::kSha256};

Checked check_bytes(const Data& bytes, Hash bank = Hash::kSha256) {
  return check(Log::parse(bytes), bank);
}

// The one issue of a log, and that it is the only one.
Issue only_issue(const Data& bytes) {
  const Checked c = check_bytes(bytes);
  for (const Issue& i : c.issues) UNSCOPED_INFO(i.what);
  REQUIRE(c.issues.size() == 1);
  return c.issues[0];
}

// A boot without anything wrong, for tests to add one thing to.
LogBuilder good_boot() {
  LogBuilder b(kBanks);
  b.event(0, kEvSCrtmVersion, utf16("v1"));
  b.event(7, kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "SecureBoot", {0}));
  b.separators();
  b.action(4, "Calling EFI Application from Boot Option");
  b.measured(4, kEvEfiBootServicesApplication, image_load(file_path("\\a.efi")), text("PE hash"));
  return b;
}
// Index of the event that is added to good_boot() next.
constexpr std::uint32_t kNext = 13;

TEST_CASE("a boot by the rules has no issues") {
  const Checked c = check_bytes(good_boot().exit_boot_services().bytes());
  CHECK(c.issues.empty());
  REQUIRE(c.coverage.size() == kNext + 2);
  CHECK(c.coverage[0] == Coverage::kUnextended);
  CHECK(c.coverage[1] == Coverage::kCovered);
  CHECK(c.coverage[kNext - 1] == Coverage::kOpaque);
}

TEST_CASE("a bank that the log does not carry can not be checked") {
  const Data bytes = good_boot().bytes();
  const Log log = Log::parse(bytes);
  CHECK_THROWS_AS(check(log, Hash::kSha384), std::invalid_argument);
}

TEST_CASE("each bank is checked by its own digests") {
  Data bytes = good_boot().action(4, "hello").bytes();
  bytes[bytes.size() - 5 - 4 - 1] ^= 1;  // SHA-256's last byte
  CHECK(check_bytes(bytes, Hash::kSha1).issues.empty());
  CHECK(check_bytes(bytes, Hash::kSha256).coverage.back() == Coverage::kMismatch);
}

// Coverage of one event at the end of a good boot, and what is reported.
struct Outcome {
  Coverage coverage;
  std::vector<Issue> issues;
};
Outcome outcome(std::uint32_t pcr, std::uint32_t type, const Data& data, const Data& measured) {
  const Checked c = check_bytes(good_boot().measured(pcr, type, data, measured).bytes());
  return {c.coverage.back(), c.issues};
}

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

TEST_CASE("EV_NO_ACTION with a digest is reported, in whichever bank it is") {
  LogBuilder b = good_boot();
  SECTION("all banks") { b.filled(0, kEvNoAction, text("x"), 1); }
  SECTION("the bank that is not checked") {
    Writer w;
    w.le(std::uint32_t{0}).le(std::uint32_t{kEvNoAction}).le(std::uint32_t{2});
    w.le(std::uint16_t{4}).fill(20, 1).le(std::uint16_t{0xb}).fill(32, 0).le(std::uint32_t{0});
    b.raw(w.out);
  }
  const Issue i = only_issue(b.bytes());
  CHECK(i.problem == Problem::kNoActionDigest);
  CHECK(i.event == kNext);
}

TEST_CASE("the Windows loader's record is a quirk with a name") {
  const Issue i = only_issue(good_boot().filled(0xffffffff, kEvNoAction, text("WBCL"), 1).bytes());
  CHECK(i.problem == Problem::kQuirk);
  CHECK(i.pcr == 0xffffffff);
  CHECK_THAT(i.what, StartsWith("windows-trust-boundary: "));
}

TEST_CASE("StartupLocality that breaks a rule is reported") {
  LogBuilder b(kBanks);
  const char* words = nullptr;
  SECTION("twice") {
    b.startup_locality(3).startup_locality(3);
    words = "a second StartupLocality";
  }
  SECTION("late") {
    b.event(0, kEvSCrtmVersion, utf16("v")).startup_locality(3);
    words = "after PCR 0 was extended";
  }
  SECTION("another PCR") {
    b.filled(1, kEvNoAction, Writer().text("StartupLocality").raw({0, 3}).out, 0);
    words = "for PCR 0 only";
  }
  SECTION("no locality") {
    b.startup_locality(5);
    words = "no locality";
  }
  SECTION("size") {
    b.no_action(Writer().text("StartupLocality").raw({0, 3, 0}).out);
    words = "not of its size";
  }
  const Issue i = only_issue(b.bytes());
  CHECK(i.problem == Problem::kLocality);
  CHECK_THAT(i.what, Contains(words));
}

TEST_CASE("localities 0 to 4 before PCR 0's first event are in order") {
  const int locality = GENERATE(range(0, 5));
  CHECK(
      check_bytes(LogBuilder(kBanks).startup_locality(static_cast<std::uint8_t>(locality)).bytes())
          .issues.empty());
}

TEST_CASE("an H-CRTM event that breaks a rule is reported") {
  LogBuilder b(kBanks);
  const Data name = text("HCRTM");
  CHECK(check_bytes(LogBuilder(kBanks).measured(0, kEvEfiHcrtmEvent, name, text("x")).bytes())
            .issues.empty());
  const char* words = nullptr;
  SECTION("late") {
    b.event(0, kEvSCrtmVersion, utf16("v")).measured(0, kEvEfiHcrtmEvent, name, text("x"));
    words = "after PCR 0 was extended";
  }
  SECTION("twice") {
    b.measured(0, kEvEfiHcrtmEvent, name, text("x"));
    b.measured(0, kEvEfiHcrtmEvent, name, text("x"));
    words = "a second";
  }
  SECTION("another PCR") {
    b.measured(1, kEvEfiHcrtmEvent, name, text("x"));
    words = "for PCR 0 only";
  }
  const Issue i = only_issue(b.bytes());
  CHECK(i.problem == Problem::kHcrtm);
  CHECK_THAT(i.what, Contains(words));
}

TEST_CASE("separators are 00000000 or ffffffff, once a PCR") {
  LogBuilder b(kBanks);
  CHECK(
      check_bytes(LogBuilder(kBanks).event(3, kEvSeparator, Data(4, 0xff)).bytes()).issues.empty());
  const char* words = "a separator whose data or digest";
  Coverage coverage = Coverage::kMismatch;
  SECTION("other data") {
    b.event(3, kEvSeparator, {0, 0, 0, 2});
    coverage = Coverage::kCovered;
  }
  SECTION("too short") {
    b.event(3, kEvSeparator, {0, 0, 0});
    coverage = Coverage::kCovered;
  }
  SECTION("another digest") { b.measured(3, kEvSeparator, {0, 0, 0, 0}, text("x")); }
  SECTION("the digest of the other form") {
    b.measured(3, kEvSeparator, {0, 0, 0, 0}, Data(4, 0xff));
  }
  SECTION("twice") {
    b.separators(3, 3).separators(3, 3);
    words = "a second separator";
    coverage = Coverage::kCovered;
  }
  const Data bytes = b.bytes();
  const Issue i = only_issue(bytes);
  CHECK(i.problem == Problem::kSeparator);
  CHECK(i.pcr == 3);
  CHECK_THAT(i.what, StartsWith(words));
  CHECK(check_bytes(bytes).coverage.back() == coverage);
}

TEST_CASE("separators of operating systems hold other data") {
  CHECK(outcome(12, kEvSeparator, text("WBCL"), text("WBCL")).issues.empty());
  const Outcome bad = outcome(12, kEvSeparator, text("WBCL"), text("other"));
  CHECK(bad.issues.at(0).problem == Problem::kDataMismatch);
}

TEST_CASE("each of PCRs 0 to 7 has its separator before ExitBootServices") {
  LogBuilder b(kBanks);
  b.separators(0, 2).separators(4, 7).exit_boot_services().separators(3, 3);
  const Issue i = only_issue(b.bytes());
  CHECK(i.problem == Problem::kSeparator);
  CHECK(i.pcr == 3);
  CHECK(i.what == "PCR 3 has no separator before ExitBootServices");
  CHECK(check_bytes(LogBuilder(kBanks).exit_boot_services().exit_boot_services().bytes())
            .issues.size() == 8);
}

TEST_CASE("an error separator is the firmware's failure, whatever its data") {
  for (const Data& data : {text("fan"), Data{1, 0, 0, 0}, Data(100, 0xaa), Data{0, 0, 0, 0}}) {
    const Data bytes = LogBuilder(kBanks).measured(2, kEvSeparator, data, {1, 0, 0, 0}).bytes();
    const Issue i = only_issue(bytes);
    CHECK(i.problem == Problem::kFirmwareError);
    CHECK_THAT(i.what, StartsWith("the firmware reported an error"));
    CHECK(check_bytes(bytes).coverage.back() ==
          (data == Data{1, 0, 0, 0} ? Coverage::kCovered : Coverage::kOpaque));
  }
}

TEST_CASE("types outside the specification are reported") {
  const Outcome unknown = outcome(11, 0x12345678, text("x"), text("x"));
  CHECK(unknown.coverage == Coverage::kOpaque);
  CHECK(unknown.issues.at(0).problem == Problem::kUnknownType);
  CHECK_THAT(unknown.issues.at(0).what, Contains("0x12345678"));
  CHECK(outcome(3, 0x402, text("x"), text("x")).issues.at(0).problem == Problem::kUnknownType);
  CHECK(outcome(17, 0x402, text("x"), text("x")).issues.empty());
  CHECK(outcome(23, 0x402, text("x"), text("x")).issues.size() == 1);
  CHECK(outcome(3, kEvUnused, text("x"), text("x")).issues.at(0).problem == Problem::kUnusedType);
}

TEST_CASE("a well-known digest under another type is reported") {
  struct Case {
    std::uint32_t type;
    Data measured;
    const char* words;
  };
  const Case c = GENERATE(
      Case{kEvPostCode, Data(4, 0x00), "a separator, the type is EV_POST_CODE"},
      Case{kEvIpl, Data(4, 0xff), "a separator, the type is EV_IPL"},
      Case{kEvPostCode, Data{1, 0, 0, 0}, "a separator, the type is EV_POST_CODE"},
      Case{kEvIpl, text("Exit Boot Services Returned with Failure"), "an action, the type"},
      Case{0x12345678, text("Calling EFI Application from Boot Option"), "an action, the type"},
      Case{kEvPostCode, text("BOOT ATTEMPTS OMITTED"), "an action, the type"},
      Case{kEvOmitBootDeviceEvents, text("Calling INT 19h"), "an action, the type"},
      Case{kEvEfiBootServicesApplication, text("UEFI Debug Mode"), "an action, the type"});
  CAPTURE(c.type);
  const Outcome o = outcome(1, c.type, image_load({}), c.measured);
  const auto it = std::find_if(o.issues.begin(), o.issues.end(),
                               [](const Issue& i) { return i.problem == Problem::kRetyped; });
  REQUIRE(it != o.issues.end());
  CHECK_THAT(it->what, Contains(c.words));
}

TEST_CASE("a separator's type with an action's digest is reported as retyped") {
  const Outcome o = outcome(8, kEvSeparator, {0, 0, 0, 0}, text("Calling INT 19h"));
  CHECK(o.issues.at(0).problem == Problem::kRetyped);
}

TEST_CASE("ExitBootServices counts by its digest, whatever its type") {
  const Data bytes =
      LogBuilder(kBanks).measured(5, kEvIpl, {}, text("Exit Boot Services Invocation")).bytes();
  const Checked c = check_bytes(bytes);
  CHECK(std::count_if(c.issues.begin(), c.issues.end(),
                      [](const Issue& i) { return i.problem == Problem::kSeparator; }) == 8);
}

TEST_CASE("a boot order of 0001, 0000 is no error separator in disguise, and only that") {
  const Data one{1, 0, 0, 0};
  const Data order = variable(kEfiGlobalVariable, "BootOrder", one);
  const auto retyped = [&](std::uint32_t pcr, const Data& data) {
    const Outcome o = outcome(pcr, kEvEfiVariableBoot, data, one);
    return std::any_of(o.issues.begin(), o.issues.end(),
                       [](const Issue& i) { return i.problem == Problem::kRetyped; });
  };
  CHECK_FALSE(retyped(1, order));
  CHECK(retyped(5, order));
  CHECK(retyped(1, variable(kEfiGlobalVariable, "BootNext", one)));
  CHECK(retyped(1, variable(kEfiGlobalVariable, "BootOrder", {2, 0, 0, 0})));
  CHECK(retyped(1, one));
}

TEST_CASE("typed data that is not of its structure is reported") {
  const std::uint32_t type = GENERATE(
      std::uint32_t{kEvEventTag}, std::uint32_t{kEvEfiVariableDriverConfig},
      std::uint32_t{kEvEfiVariableBoot}, std::uint32_t{kEvEfiVariableBoot2},
      std::uint32_t{kEvEfiVariableAuthority}, std::uint32_t{kEvEfiBootServicesApplication},
      std::uint32_t{kEvEfiBootServicesDriver}, std::uint32_t{kEvEfiRuntimeServicesDriver},
      std::uint32_t{kEvEfiGptEvent}, std::uint32_t{kEvEfiGptEvent2},
      std::uint32_t{kEvEfiPlatformFirmwareBlob}, std::uint32_t{kEvEfiPlatformFirmwareBlob2},
      std::uint32_t{kEvEfiHandoffTables}, std::uint32_t{kEvEfiHandoffTables2});
  CAPTURE(type);
  const Outcome o = outcome(1, type, text("\xffshort"), text("\xffshort"));
  REQUIRE(o.issues.size() == 1);
  CHECK(o.issues[0].problem == Problem::kMalformedData);
  CHECK_THAT(o.issues[0].what, Contains("byte "));
}

TEST_CASE("EV_NO_ACTION data is held to the structure that its signature names") {
  const auto issues = [](const Data& data) {
    return check_bytes(good_boot().no_action(data).bytes()).issues;
  };
  CHECK(issues(text("anything else")).empty());
  CHECK(issues({}).empty());
  for (const char* signature : {"SP800-155 Event2", "SP800-155 Event3", "SP800-155 Event2x"}) {
    REQUIRE(issues(text(signature)).size() == 1);
    CHECK(issues(text(signature))[0].problem == Problem::kMalformedData);
  }
  const Data component = cat(text("H-CRTM CompMeas"), {0, 1});
  REQUIRE(issues(component).size() == 1);
  CHECK_THAT(issues(component)[0].what, Contains("TCG_HCRTMComponentEvent: byte 17"));
}

TEST_CASE("a flood of issues is cut at a thousand, and hides none of another kind") {
  LogBuilder b(kBanks);
  for (int i = 0; i < 1500; ++i) b.measured(11, kEvAction, text("x"), text("y"));
  b.measured(0, kEvAction, text("x"), text("y"));
  b.event(11, kEvUnused, {});
  const Checked c = check_bytes(b.bytes());
  CHECK(c.coverage.size() == 1503);
  REQUIRE(c.issues.size() == 1 + 700 + 1 + 1 + 1);
  CHECK(c.issues[c.issues.size() - 3].pcr == 0);
  CHECK(c.issues[c.issues.size() - 2].problem == Problem::kUnusedType);
  const Issue& last = c.issues.back();
  CHECK_THAT(last.what, StartsWith("and 799 more, "));
  CHECK(last.problem == Problem::kDataMismatch);
  CHECK(last.event == 1500);
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

TEST_CASE("real logs: one changed letter in a covered event is found") {
  Data bytes = read_vector("boot/grub-ima-ng/binary_bios_measurements");
  const std::string all(bytes.begin(), bytes.end());
  const std::size_t at = all.find("kernel_cmdline: /vmlinuz console");
  REQUIRE(at != std::string::npos);
  bytes[at + 20] ^= 1;
  const Checked c = check_bytes(bytes);
  CHECK(std::count_if(c.issues.begin(), c.issues.end(), [](const Issue& i) {
          return i.problem == Problem::kDataMismatch && i.event == 40 && i.pcr == 8;
        }) == 1);
}

}  // namespace
}  // namespace attest::eventlog
