// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/replay.h"

#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/eventlog/types.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;

const std::vector<Hash> kBanks{Hash::kSha1, Hash::kSha256, Hash::kSha384};

std::string pcr_hex(const Replay& r, Hash bank, std::size_t pcr) {
  const Bank* found = r.find(bank);
  REQUIRE(found != nullptr);
  return to_hex(found->pcrs.at(pcr).bytes());
}

Replay replay_bytes(const Data& bytes) { return replay(Log::parse(bytes)); }

// H(start || H(data))
std::string extended(Hash bank, const crypto::Digest& start, const Data& data) {
  crypto::Hasher h(bank);
  const crypto::Digest measured = h(data);
  return to_hex(h({start.bytes(), measured.bytes()}).bytes());
}
crypto::Digest zero_but(Hash bank, std::uint8_t last) {
  crypto::Digest d = crypto::Digest::filled(crypto::hash_size(bank), 0);
  d.resize(d.size()).back() = last;
  return d;
}

// PCR values as tpm2_pcrread writes them (YAML) or as "N hex" lines, for one bank.
std::string pcr_of_file(const std::string& file, std::string_view bank, std::size_t pcr) {
  const std::string content = read_text_vector(file);
  Lines lines(content);
  std::string_view current = "sha1";
  while (const auto line = lines.next()) {
    const std::string_view t = strip(*line);
    if (t.ends_with(':')) current = t.substr(0, t.size() - 1);
    const std::size_t space = t.find_first_of(" :");
    if (current != bank || space == std::string_view::npos) continue;
    if (t.substr(0, space) != std::to_string(pcr)) continue;
    const std::string_view value = t.substr(t.find_last_of(" x") + 1);
    const auto bytes = from_hex(value);
    REQUIRE(bytes);
    return to_hex(*bytes);
  }
  return {};
}

TEST_CASE("real logs replay to the PCRs that were read, in every bank") {
  struct Case {
    const char* name;
    const char* pcrs;
    std::vector<std::string> banks;
  };
  const Case c = GENERATE(Case{"bios12-tpm12", "pcrs.txt", {"sha1"}},
                          Case{"grub-ima-ng", "pcrs.yaml", {"sha1", "sha256"}},
                          Case{"grub-many", "pcrs.yaml", {"sha1", "sha256"}},
                          Case{"kernel-ima-legacy", "pcrs.yaml", {"sha1", "sha256"}},
                          Case{"shim-sb-ima-sig", "pcrs.yaml", {"sha1", "sha256"}});
  const std::string folder = std::string("boot/") + c.name;
  const Data bytes = read_vector(folder + "/binary_bios_measurements");
  const Replay r = replay_bytes(bytes);
  REQUIRE(r.banks.size() == c.banks.size());
  for (const std::string& bank : c.banks) {
    for (std::size_t pcr = 0; pcr < kNumPcrs; ++pcr) {
      if (pcr == 10) continue;  // IMA's
      CAPTURE(c.name, bank, pcr);
      const std::string expected = pcr_of_file(folder + "/1-clean/" + c.pcrs, bank, pcr);
      REQUIRE_FALSE(expected.empty());
      CHECK(pcr_hex(r, *crypto::hash_from_name(bank), pcr) == expected);
    }
  }
  CHECK(r.startup_locality == 0);
  CHECK_FALSE(r.hcrtm);
}

TEST_CASE("one changed bit of a digest changes its PCR and no other") {
  Data bytes = read_vector("boot/grub-ima-ng/binary_bios_measurements");
  const Replay good = replay_bytes(bytes);
  const Log log = Log::parse(bytes);
  const Event& e = log.events().at(30);
  bytes[e.offset + 14] ^= 1;  // the first bank's digest
  const Replay bad = replay_bytes(bytes);
  for (std::size_t pcr = 0; pcr < kNumPcrs; ++pcr) {
    CHECK((good.banks[0].pcrs[pcr] == bad.banks[0].pcrs[pcr]) == (pcr != e.pcr));
    CHECK(good.banks[1].pcrs[pcr] == bad.banks[1].pcrs[pcr]);
  }
}

TEST_CASE("the measured launch's events replay to PCRs 17 and 18 from zero") {
  // HASH_START is the extend of H(data) into a PCR that the launch set to zero.
  const std::string json = read_text_vector("drtm/events.json");
  LogBuilder b({Hash::kSha1, Hash::kSha256});
  for (std::size_t at = 0; (at = json.find("\"pcr\": ", at)) != std::string::npos;) {
    at += 7;
    const std::uint32_t pcr = json.compare(at, 2, "17") == 0 ? 17 : 18;
    const auto value = [&](std::string_view key, std::size_t digits) {
      const std::size_t start = json.find(std::string("\"") + std::string(key) + "\": \"", at);
      return *from_hex(std::string_view(json).substr(start + key.size() + 5, digits));
    };
    Writer w;
    w.le(pcr).le(std::uint32_t{0x402}).le(std::uint32_t{2});
    w.le(std::uint16_t{4}).bytes(value("sha1", 40));
    w.le(std::uint16_t{0xb}).bytes(value("sha256", 64)).le(std::uint32_t{0});
    b.raw(w.out);
  }
  const Replay r = replay_bytes(b.bytes());
  CHECK(r.num_extends[17] == 12);
  CHECK(r.num_extends[18] == 7);
  for (const std::size_t pcr : {17U, 18U, 19U}) {
    CHECK(pcr_hex(r, Hash::kSha1, pcr) == pcr_of_file("drtm/pcrs.yaml", "sha1", pcr));
    CHECK(pcr_hex(r, Hash::kSha256, pcr) == pcr_of_file("drtm/pcrs.yaml", "sha256", pcr));
  }
}

TEST_CASE("PCRs 17 to 22 are all ones without a launch and zero before its first event") {
  const Replay none = replay_bytes(LogBuilder(kBanks).separators().bytes());
  const Replay launch = replay_bytes(LogBuilder(kBanks).event(18, 0x402, text("x")).bytes());
  for (std::size_t pcr = 0; pcr < kNumPcrs; ++pcr) {
    const bool drtm = pcr >= 17 && pcr <= 22;
    if (pcr > 7) CHECK(none.banks[1].pcrs[pcr].all(drtm ? 0xff : 0x00));
    if (pcr != 18) CHECK(launch.banks[1].pcrs[pcr].all(0x00));
  }
  CHECK(pcr_hex(launch, Hash::kSha256, 18) ==
        extended(Hash::kSha256, zero_but(Hash::kSha256, 0), text("x")));
}

TEST_CASE("StartupLocality is PCR 0's first last byte, in every bank") {
  const Data version = utf16("v");
  const std::uint8_t locality = GENERATE(std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{4});
  const Data bytes =
      LogBuilder(kBanks).startup_locality(locality).event(0, kEvSCrtmVersion, version).bytes();
  const Replay r = replay_bytes(bytes);
  CHECK(r.startup_locality == locality);
  CHECK_FALSE(r.hcrtm);
  for (const Hash bank : kBanks) {
    CHECK(pcr_hex(r, bank, 0) == extended(bank, zero_but(bank, locality), version));
    CHECK(pcr_hex(r, bank, 1) == to_hex(zero_but(bank, 0).bytes()));
  }
  // TPM2_Startup at locality 3 and nothing more, as a TPM has it.
  const Replay bare = replay_bytes(LogBuilder(kBanks).startup_locality(3).bytes());
  CHECK(pcr_hex(bare, Hash::kSha1, 0) == "0000000000000000000000000000000000000003");
}

TEST_CASE("a StartupLocality that breaks a rule is not followed") {
  LogBuilder b(kBanks);
  const Data version = utf16("v");
  std::uint8_t expected = 0;
  SECTION("late") { b.event(0, kEvSCrtmVersion, version).startup_locality(3); }
  SECTION("in another PCR") {
    b.filled(1, kEvNoAction, Writer().text("StartupLocality").raw({0, 3}).out, 0);
    b.event(0, kEvSCrtmVersion, version);
  }
  SECTION("twice: the first counts") {
    b.startup_locality(3).startup_locality(0).event(0, kEvSCrtmVersion, version);
    expected = 3;
  }
  SECTION("no locality") { b.startup_locality(5).event(0, kEvSCrtmVersion, version); }
  SECTION("too long") {
    b.no_action(Writer().text("StartupLocality").raw({0, 3, 0}).out);
    b.event(0, kEvSCrtmVersion, version);
  }
  SECTION("too short") {
    b.no_action(Writer().text("StartupLocality").raw({0}).out);
    b.event(0, kEvSCrtmVersion, version);
  }
  SECTION("another type") {
    b.event(1, kEvAction, Writer().text("StartupLocality").raw({0, 3}).out);
    b.event(0, kEvSCrtmVersion, version);
  }
  const Replay r = replay_bytes(b.bytes());
  CHECK(r.startup_locality == expected);
  CHECK(pcr_hex(r, Hash::kSha256, 0) ==
        extended(Hash::kSha256, zero_but(Hash::kSha256, expected), version));
}

TEST_CASE("an H-CRTM event as PCR 0's first starts it at 4") {
  // A hash sequence before TPM2_Startup: PCR 0 = H(0…04 || H(data)).
  LogBuilder b(kBanks);
  SECTION("alone") {}
  SECTION("after a StartupLocality of 4") { b.startup_locality(4); }
  SECTION("after a StartupLocality of 3") { b.startup_locality(3); }
  b.measured(0, kEvEfiHcrtmEvent, text("HCRTM"), text("the H-CRTM"));
  const Replay r = replay_bytes(b.bytes());
  CHECK(r.hcrtm);
  CHECK(r.startup_locality == 4);
  for (const Hash bank : kBanks) {
    CHECK(pcr_hex(r, bank, 0) == extended(bank, zero_but(bank, 4), text("the H-CRTM")));
  }
}

TEST_CASE("a StartupLocality after the H-CRTM event is ignored") {
  LogBuilder b(kBanks);
  b.measured(0, kEvEfiHcrtmEvent, text("HCRTM"), text("x")).startup_locality(3);
  const Replay r = replay_bytes(b.bytes());
  CHECK(r.startup_locality == 4);
  CHECK(pcr_hex(r, Hash::kSha1, 0) == extended(Hash::kSha1, zero_but(Hash::kSha1, 4), text("x")));
}

TEST_CASE("an H-CRTM event that is late or elsewhere is an extend like any other") {
  LogBuilder b({Hash::kSha256});
  const Data x = text("x");
  SECTION("late") {
    b.event(0, kEvSCrtmVersion, x).event(0, kEvEfiHcrtmEvent, text("HCRTM"));
    const Replay r = replay_bytes(b.bytes());
    CHECK_FALSE(r.hcrtm);
    const Replay same = replay_bytes(LogBuilder({Hash::kSha256})
                                         .event(0, kEvSCrtmVersion, x)
                                         .event(0, kEvAction, text("HCRTM"))
                                         .bytes());
    CHECK(r.banks[0].pcrs[0] == same.banks[0].pcrs[0]);
  }
  SECTION("in PCR 1") {
    const Replay r = replay_bytes(b.event(1, kEvEfiHcrtmEvent, x).bytes());
    CHECK_FALSE(r.hcrtm);
    CHECK(pcr_hex(r, Hash::kSha256, 1) == extended(Hash::kSha256, zero_but(Hash::kSha256, 0), x));
  }
}

TEST_CASE("EV_NO_ACTION is never extended, whatever its digest") {
  LogBuilder b(kBanks);
  b.filled(0, kEvNoAction, text("x"), 0x42).filled(0xffffffff, kEvNoAction, text("WBCL"), 0x42);
  const Replay r = replay_bytes(b.bytes());
  CHECK(r.num_extends[0] == 0);
  for (const Bank& bank : r.banks) CHECK(bank.pcrs[0].all(0));
}

TEST_CASE("tpm2-tools 3224: a zero digest of another type is extended as it stands") {
  const Replay r =
      replay_bytes(LogBuilder({Hash::kSha1}).filled(0, kEvPostCode, text("BL_2"), 0).bytes());
  CHECK(r.num_extends[0] == 1);
  CHECK(pcr_hex(r, Hash::kSha1, 0) == to_hex(crypto::Hasher(Hash::kSha1)(Data(40)).bytes()));
}

TEST_CASE("a replay is of the banks asked for, which the log must carry") {
  const Data bytes = LogBuilder(kBanks).separators().bytes();
  const Log log = Log::parse(bytes);
  const Hash one[] = {Hash::kSha256};
  const Replay r = replay(log, one);
  CHECK(r.banks.size() == 1);
  CHECK(r.find(Hash::kSha256) != nullptr);
  CHECK(r.find(Hash::kSha1) == nullptr);
  CHECK(r.num_extends[7] == 1);
  const Hash missing[] = {Hash::kSha256, Hash::kSha512};
  CHECK_THROWS_AS(replay(log, missing), std::invalid_argument);
}

TEST_CASE("an empty log leaves every PCR as it starts") {
  const Replay r = replay_bytes({});
  REQUIRE(r.banks.size() == 1);
  for (std::uint32_t pcr = 0; pcr < kNumPcrs; ++pcr) {
    CHECK(r.num_extends[pcr] == 0);
    CHECK(is_initial(pcr, r.banks[0].pcrs[pcr].bytes()));
  }
}

TEST_CASE("initial values are zero, and all ones for PCRs 17 to 22") {
  const Data zeros(32, 0x00);
  const Data ones(32, 0xff);
  Data mixed(32, 0x00);
  mixed[31] = 3;
  for (std::uint32_t pcr = 0; pcr < kNumPcrs; ++pcr) {
    CHECK(is_initial(pcr, zeros) == (pcr != 17));
    CHECK(is_initial(pcr, ones) == (pcr >= 17 && pcr <= 22));
    CHECK_FALSE(is_initial(pcr, mixed));
    CHECK_FALSE(is_initial(pcr, {}));
  }
  CHECK_FALSE(is_initial(24, zeros));
}

}  // namespace
}  // namespace attest::eventlog
