// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/secure_boot.h"

#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;

SecureBootState state_of(const Data& bytes) {
  const Log log = Log::parse(bytes);
  return secure_boot(log, check(log, Hash::kSha256));
}

const Data kCertificates = signature_list(kX509Type, {signature(certificate(1))});
const Data kHashes = signature_list(kSha256Type, {signature(Data(32, 7)), signature(Data(32, 8))});

// The pieces of a boot with Secure Boot on, so that a test can leave out or replace one.
struct Boot {
  Data secure_boot{1};
  Data pk = kCertificates, kek = kCertificates, db = cat(kCertificates, kHashes), dbx = kHashes;
  bool secure_boot_variable = true;
  bool separator2 = true, separator7 = true, authority = true;
  LogBuilder before = LogBuilder({Hash::kSha256});
  std::vector<std::pair<std::uint32_t, Data>> extra;       // in PCR 7, before the separator
  std::vector<std::pair<std::uint32_t, Data>> extra_late;  // and after it

  SecureBootState state() const {
    LogBuilder b = before;
    const std::uint32_t config = kEvEfiVariableDriverConfig;
    if (secure_boot_variable) {
      b.event(7, config, variable(kEfiGlobalVariable, "SecureBoot", secure_boot));
    }
    b.event(7, config, variable(kEfiGlobalVariable, "PK", pk));
    b.event(7, config, variable(kEfiGlobalVariable, "KEK", kek));
    b.event(7, config, variable(kImageSecurityDatabase, "db", db));
    b.event(7, config, variable(kImageSecurityDatabase, "dbx", dbx));
    for (const auto& [type, data] : extra) b.event(7, type, data);
    if (separator7) b.separators(7, 7);
    if (separator2) b.separators(2, 2);
    if (authority) {
      b.event(7, kEvEfiVariableAuthority,
              variable(kImageSecurityDatabase, "db", signature(certificate(1))));
    }
    for (const auto& [type, data] : extra_late) b.event(7, type, data);
    return state_of(b.bytes());
  }
};

std::string sha256_hex(const Data& data) {
  return to_hex(crypto::Hasher(Hash::kSha256)(data).bytes());
}

// That the state is unknown for one reason.
void check_unknown(const Boot& boot, const std::string& reason) {
  const SecureBootState s = boot.state();
  CHECK(s.state == SecureBoot::kUnknown);
  REQUIRE(s.reasons.size() == 1);
  CHECK_THAT(s.reasons[0], Contains(reason));
}

TEST_CASE("a real log without Secure Boot says disabled") {
  for (const char* name : {"grub-ima-ng", "kernel-ima-legacy"}) {
    const SecureBootState s =
        state_of(read_vector(std::string("boot/") + name + "/binary_bios_measurements"));
    CHECK(s.reasons.empty());
    CHECK(s.state == SecureBoot::kDisabled);
    CHECK(s.pk.present);
    CHECK(s.pk.count == 0);
    CHECK(s.authorities.empty());
  }
}

TEST_CASE("a real log with Secure Boot says enabled, and by whose keys") {
  const Data bytes = read_vector("boot/shim-sb-ima-sig/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  for (const Hash bank : {Hash::kSha1, Hash::kSha256}) {
    const SecureBootState s = secure_boot(log, check(log, bank));
    CHECK(s.reasons.empty());
    CHECK(s.state == SecureBoot::kEnabled);
    CHECK(s.pk.count == 1);
    CHECK(s.kek.count == 2);
    CHECK(s.db.count == 2);
    CHECK(s.db.certificates.size() == 2);
    CHECK(s.dbx.count == 1);
    // SHA-256 of nothing, which the firmware's makers put into an empty dbx.
    CHECK(s.dbx.hashes.at(0) ==
          "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    REQUIRE(s.authorities.size() == 3);
    CHECK(s.authorities[0].variable == "db");
    CHECK_FALSE(s.authorities[0].before_separator);
    // Microsoft Corporation UEFI CA 2011 vouches for shim, and is in db.
    CHECK(s.authorities[0].certificate ==
          "48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507");
    CHECK((s.db.certificates[0] == s.authorities[0].certificate ||
           s.db.certificates[1] == s.authorities[0].certificate));
    CHECK(s.authorities[1].variable == "SbatLevel");
    CHECK(s.authorities[1].certificate.empty());
    CHECK(s.authorities[1].hash.empty());
    CHECK(s.authorities[2].variable == "MokListRT");
    CHECK(s.authorities[2].certificate.size() == 64);
    CHECK_FALSE(s.dma_protection_disabled);
    CHECK_FALSE(s.debugger);
  }
}

TEST_CASE("a log of a BIOS, or none, says unknown") {
  const Data bytes = read_vector("boot/bios12-tpm12/binary_bios_measurements");
  const Log log = Log::parse(bytes);
  const SecureBootState s = secure_boot(log, check(log, Hash::kSha1));
  CHECK(s.state == SecureBoot::kUnknown);
  CHECK_THAT(s.reasons.back(), Contains("no variable SecureBoot"));
  const Log empty = Log::parse({});
  CHECK(secure_boot(empty, check(empty, Hash::kSha1)).state == SecureBoot::kUnknown);
}

TEST_CASE("Secure Boot that is on has keys, an authority and separators") {
  const Boot good;
  const SecureBootState s = good.state();
  CHECK(s.reasons.empty());
  CHECK(s.state == SecureBoot::kEnabled);
  CHECK(s.db.certificates == std::vector<std::string>{sha256_hex(certificate(1))});
  CHECK(s.db.hashes.size() == 2);
  CHECK(s.db.count == 3);
  CHECK(s.authorities.at(0).certificate == sha256_hex(certificate(1)));
  Boot b;
  SECTION("PK") {
    b.pk.clear();
    check_unknown(b, "PK is empty");
  }
  SECTION("KEK") {
    b.kek.clear();
    check_unknown(b, "KEK is empty");
  }
  SECTION("db") {
    b.db.clear();
    check_unknown(b, "db is empty");
  }
  SECTION("dbx may be empty") {
    b.dbx.clear();
    CHECK(b.state().state == SecureBoot::kEnabled);
  }
  SECTION("authority") {
    b.authority = false;
    check_unknown(b, "no authority vouched");
  }
  SECTION("SbatLevel vouches for nothing") {
    b.authority = false;
    b.extra_late = {{kEvEfiVariableAuthority, variable(kShimLock, "SbatLevel", text("sbat,1"))},
                    {kEvEfiVariableAuthority, variable(kShimLock, "MokListTrusted", {1})}};
    check_unknown(b, "no authority vouched");
  }
  SECTION("separator of PCR 2") {
    b.separator2 = false;
    check_unknown(b, "PCR 2 has no separator");
  }
  SECTION("separator of PCR 7") {
    b.separator7 = false;
    check_unknown(b, "PCR 7 has no separator");
  }
}

TEST_CASE("Secure Boot that is off needs no keys, but all the rest") {
  Boot b;
  b.secure_boot = {0};
  b.pk = b.kek = b.db = b.dbx = {};
  b.authority = false;
  CHECK(b.state().state == SecureBoot::kDisabled);
  SECTION("separator") {
    b.separator7 = false;
    check_unknown(b, "no separator");
  }
  SECTION("another value") {
    b.secure_boot = {2};
    CHECK(b.state().state == SecureBoot::kUnknown);
    CHECK_THAT(b.state().reasons.at(0), Contains("neither 0 nor 1"));
  }
  SECTION("no byte") {
    b.secure_boot = {};
    CHECK(b.state().state == SecureBoot::kUnknown);
  }
  SECTION("two bytes") {
    b.secure_boot = {0, 0};
    CHECK(b.state().state == SecureBoot::kUnknown);
  }
  SECTION("no variable") {
    b.secure_boot_variable = false;
    check_unknown(b, "no variable SecureBoot");
  }
}

TEST_CASE("anything in PCR 7 that does not belong there makes the state unknown") {
  Boot b;
  SECTION("another type") {
    b.extra = {{kEvIpl, text("x")}};
    check_unknown(b, "PCR 7 has no events of type EV_IPL");
  }
  SECTION("an unknown type") {
    b.extra = {{0x12345678, text("x")}};
    check_unknown(b, "does not cover");
  }
  SECTION("another action") {
    b.extra = {{kEvEfiAction, text("hello")}};
    check_unknown(b, "an action that PCR 7 does not have");
  }
  SECTION("a variable twice") {
    b.extra = {{kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "SecureBoot", {0})}};
    check_unknown(b, "variable \"SecureBoot\" a second time");
  }
  SECTION("a variable after the separator") {
    b.extra_late = {{kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "AuditMode", {0})}};
    check_unknown(b, "variable \"AuditMode\" after the separator");
  }
  SECTION("a second separator") {
    b.extra = {{kEvSeparator, Data(4, 0)}};
    check_unknown(b, "a second separator in PCR 7");
  }
  SECTION("a separator of other data") {
    b.separator7 = false;
    b.extra = {{kEvSeparator, {0, 0, 0, 0xff}}};
    check_unknown(b, "a separator that is none");
  }
  SECTION("a malformed database") {
    b.dbx = cat(kHashes, {0});
    check_unknown(b, "EFI_SIGNATURE_LIST");
  }
  SECTION("a malformed authority") {
    b.extra_late = {{kEvEfiVariableAuthority, text("x")}};
    check_unknown(b, "UEFI_VARIABLE_DATA");
  }
  SECTION("an EV_NO_ACTION") {
    b.before.filled(7, kEvNoAction, text("x"), 0);
    check_unknown(b, "does not cover");
  }
  SECTION("a digest that does not cover its variable") {
    b.before.measured(7, kEvEfiVariableDriverConfig, variable(kEfiGlobalVariable, "dbt", {}),
                      text("x"));
    check_unknown(b, "event 1: the digest in PCR 7 does not cover");
  }
  SECTION("a debugger") {
    b.extra = {{kEvEfiAction, text("UEFI Debug Mode")}};
    check_unknown(b, "a debugger was active");
    CHECK(b.state().debugger);
  }
}

TEST_CASE("an error separator in PCR 2 or 7 makes the state unknown") {
  const std::uint32_t pcr = GENERATE(2U, 7U);
  Boot b;
  (pcr == 2 ? b.separator2 : b.separator7) = false;
  b.before.measured(pcr, kEvSeparator, {0, 0, 0, 0}, {1, 0, 0, 0});
  CHECK(b.state().state == SecureBoot::kUnknown);
  CHECK_THAT(b.state().reasons.at(0), Contains("reports an error"));
}

TEST_CASE("a separator may be ffffffff") {
  Boot b;
  b.separator7 = false;
  b.extra = {{kEvSeparator, Data(4, 0xff)}};
  CHECK(b.state().state == SecureBoot::kEnabled);
}

TEST_CASE("DMA protection that is off is told and changes nothing else") {
  Boot b;
  b.extra = {{kEvEfiAction, text("DMA Protection Disabled")}};
  CHECK(b.state().state == SecureBoot::kEnabled);
  CHECK(b.state().dma_protection_disabled);
}

TEST_CASE("other variables are listed, shim's late database too") {
  Boot b;
  b.extra = {{kEvEfiVariableDriverConfig, variable(kImageSecurityDatabase, "dbt", {})}};
  b.extra_late = {
      {kEvEfiVariableDriverConfig, variable(kImageSecurityDatabase, "vendor_db", kCertificates)}};
  const SecureBootState s = b.state();
  CHECK(s.state == SecureBoot::kEnabled);
  CHECK(s.other_variables == std::vector<std::string>{"dbt", "vendor_db"});
}

TEST_CASE("authorities before the separator, by hash, without owner or with a byte too many") {
  Boot b;
  const Data image = variable(kImageSecurityDatabase, "db", signature(Data(32, 9)));
  const Data bare = variable(kShimLock, "Shim", certificate(3));
  const Data owned = variable(kShimLock, "vendor_db", signature(certificate(4)));
  b.extra = {{kEvEfiVariableAuthority, image}};
  b.extra_late = {{kEvEfiVariableAuthority, bare}};
  b.before.measured(7, kEvEfiVariableAuthority, cat(owned, {0}), owned);
  const SecureBootState s = b.state();
  CHECK(s.state == SecureBoot::kEnabled);
  REQUIRE(s.authorities.size() == 4);
  CHECK(s.authorities[0].before_separator);
  CHECK(s.authorities[0].certificate == sha256_hex(certificate(4)));
  CHECK(s.authorities[1].before_separator);
  CHECK(s.authorities[1].hash == to_hex(Data(32, 9)));
  CHECK(s.authorities[1].certificate.empty());
  CHECK_FALSE(s.authorities[2].before_separator);
  CHECK(s.authorities[3].certificate == sha256_hex(certificate(3)));
}

TEST_CASE("longer hashes are listed with their names, other signatures counted") {
  const Guid sha384{0x07, 0x53, 0x3e, 0xff, 0xd0, 0x9f, 0xc9, 0x48,
                    0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70, 0x1e, 0x01};
  const Guid sha512{0xae, 0x0f, 0x3e, 0x09, 0xc4, 0xa6, 0x50, 0x4f,
                    0x9f, 0x1b, 0xd4, 0x1e, 0x2b, 0x89, 0xc1, 0x9a};
  Boot b;
  b.dbx = cat(signature_list(sha384, {signature(Data(48, 1))}),
              cat(signature_list(sha512, {signature(Data(64, 2))}),
                  signature_list(kOwner, {signature({1})})));
  const SecureBootState s = b.state();
  CHECK(s.dbx.count == 3);
  CHECK(s.dbx.hashes ==
        std::vector<std::string>{"sha384:" + to_hex(Data(48, 1)), "sha512:" + to_hex(Data(64, 2))});
}

TEST_CASE("reasons and variables are bounded, and reasons escaped") {
  Boot b;
  for (int i = 0; i < 100; ++i) {
    b.extra.emplace_back(kEvEfiVariableDriverConfig,
                         variable(kShimLock, "v" + std::to_string(i), {}));
  }
  const SecureBootState s = b.state();
  CHECK(s.state == SecureBoot::kUnknown);
  CHECK(s.reasons.size() == 32);
  CHECK(s.other_variables.size() == 59);
  Boot c;
  c.extra_late = {{kEvEfiVariableDriverConfig, variable(kShimLock, "a\nb", {})}};
  check_unknown(c, "variable \"a\\x0ab\" after");
}

TEST_CASE("states have names, and zero is unknown") {
  CHECK(name_of(SecureBoot{}) == "unknown");
  CHECK(name_of(SecureBoot::kDisabled) == "disabled");
  CHECK(name_of(SecureBoot::kEnabled) == "enabled");
}

}  // namespace
}  // namespace attest::eventlog
