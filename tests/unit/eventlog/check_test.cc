// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/check.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/eventlog_check.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const std::vector<Hash> kBanks{Hash::kSha1, Hash::kSha256};

// The one issue of a log, and that it is the only one.
Issue only_issue(const Data& bytes) {
  const Checked c = check_bytes(bytes);
  for (const Issue& i : c.issues) UNSCOPED_INFO(i.what);
  REQUIRE(c.issues.size() == 1);
  return c.issues[0];
}

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

TEST_CASE("a flood of issues is cut at eight hundred, and hides none of another kind") {
  LogBuilder b(kBanks);
  for (int i = 0; i < 1500; ++i) b.measured(11, kEvAction, text("x"), text("y"));
  b.measured(0, kEvAction, text("x"), text("y"));
  b.event(11, kEvUnused, {});
  const Checked c = check_bytes(b.bytes());
  CHECK(c.coverage.size() == 1503);
  REQUIRE(c.issues.size() == 1 + 499 + 1 + 1 + 1);
  CHECK(c.issues[c.issues.size() - 3].pcr == 0);
  CHECK(c.issues[c.issues.size() - 2].problem == Problem::kUnusedType);
  const Issue& last = c.issues.back();
  CHECK_THAT(last.what, StartsWith("and 1000 more, "));
  CHECK(last.problem == Problem::kDataMismatch);
  CHECK(last.event == 1500);
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
