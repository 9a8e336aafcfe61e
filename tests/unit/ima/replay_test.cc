// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/replay.h"

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "libattest/ima/boot_aggregate.h"
#include "libattest/ima/list.h"
#include "libattest/tpm/pcr.h"
#include "tests/support/ima_builder.h"
#include "tests/support/vectors.h"

namespace {

using attest::as_bytes;
using attest::Bytes;
using attest::to_hex;
using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::ima::DigestMode;
using attest::ima::Entry;
using attest::ima::EntrySink;
using attest::ima::ListReader;
using attest::ima::Replay;
using ima_test::Buffer;

// Replays what a reader gives, and keeps each bank's value after each entry.
class ReplaySink : public EntrySink {
 public:
  explicit ReplaySink(const std::vector<Hash>& banks, DigestMode mode = DigestMode::kNative,
                      Hash list_bank = Hash::kSha1)
      : replay(list_bank, banks, mode) {}

  void entry(const Entry& e) override {
    if (!replay.check_header(e)) ++bad_headers;
    replay.extend(e);
    if (attest::ima::is_boot_aggregate(e)) aggregate = to_hex(e.digest.value);
    if (e.violation) ++violations;
    for (const auto& bank : replay.banks()) values[bank.hash].push_back(to_hex(bank.value.bytes()));
  }

  Replay replay;
  int bad_headers = 0;
  int violations = 0;
  std::string aggregate;
  std::map<Hash, std::vector<std::string>> values;
};

void run(ReplaySink& sink, Bytes list) {
  ListReader reader(sink);
  reader.feed(list);
  reader.finish();
}

// The same from first principles.
std::string expected_pcr(const std::vector<ima_test::Record>& records, Hash bank) {
  Hasher hasher(bank);
  Digest pcr = Digest::filled(hasher.size(), 0);
  for (const auto& r : records) {
    const Digest d = r.violation ? Digest::filled(hasher.size(), 0xff) : hasher(r.data());
    pcr = hasher({pcr.bytes(), d.bytes()});
  }
  return to_hex(pcr.bytes());
}

Entry entry_of(const Buffer& header, const Buffer& data) {
  Entry e;
  e.known = true;
  e.header_digest = header;
  e.template_data = data;
  return e;
}

const std::map<std::string, std::size_t> kSnapshots{{"bios12-tpm12/1-clean", 0},
                                                    {"grub-ima-ng/1-clean", 0},
                                                    {"grub-ima-ng/2-tampered", 0},
                                                    {"grub-ima-ng/3-violation", 1},
                                                    {"grub-many/1-clean", 0},
                                                    {"grub-many/2-tampered", 0},
                                                    {"grub-many/3-violation", 1},
                                                    {"grub-many/4-many", 1},
                                                    {"kernel-ima-legacy/1-clean", 0},
                                                    {"kernel-ima-legacy/2-tampered", 0},
                                                    {"kernel-ima-legacy/3-violation", 1},
                                                    {"shim-sb-ima-sig/1-clean", 0},
                                                    {"shim-sb-ima-sig/2-tampered", 0},
                                                    {"shim-sb-ima-sig/3-violation", 1}};

}  // namespace

TEST_CASE("the known-answer list replays to its known values, entry by entry, in both forms") {
  const std::string form = GENERATE("bin", "ascii");
  ReplaySink sink({Hash::kSha1, Hash::kSha256, Hash::kSha384});
  run(sink, read_vector("ima/known-answer/list." + form));
  CHECK(sink.bad_headers == 0);
  CHECK(sink.violations == 1);
  std::istringstream expected(read_text_vector("ima/known-answer/expected.txt"));
  std::string bank;
  std::size_t after = 0;
  std::string value;
  int checked = 0;
  while (expected >> bank >> after >> value) {
    const auto hash = attest::crypto::hash_from_name(bank);
    REQUIRE(hash);
    INFO(bank << " after " << after);
    CHECK(sink.values[*hash].at(after - 1) == value);
    ++checked;
  }
  CHECK(checked == 9);
}

TEST_CASE("lists of booted machines replay to the PCR 10 that their TPM quoted") {
  for (const auto& [snapshot, violations] : kSnapshots) {
    for (const std::string form : {"bin", "ascii"}) {
      // Its ascii list is too large to be kept here.
      if (snapshot == "grub-many/4-many" && form == "ascii") continue;
      const bool is_tpm12 = snapshot == "bios12-tpm12/1-clean";
      INFO(snapshot << ", " << form);
      const std::string dir = "boot/" + snapshot + "/";
      ReplaySink sink({Hash::kSha1, Hash::kSha256});
      run(sink, read_vector(dir + "ima." + form));
      CHECK(sink.bad_headers == 0);
      CHECK(sink.violations == static_cast<int>(violations));
      if (is_tpm12) {
        // TPM 1.2: read from the quote's own file, and the list ran on after it.
        const std::string pcrs = read_text_vector(dir + "pcrs.txt");
        const std::size_t at = pcrs.find("\n10 ");
        REQUIRE(at != std::string::npos);
        const std::string quoted = pcrs.substr(at + 4, 40);
        const auto& values = sink.values[Hash::kSha1];
        CHECK(std::find(values.begin(), values.end(), quoted) != values.end());
        continue;
      }
      const Buffer raw = read_vector(dir + "quote_both.pcrs");
      const auto pcrs = attest::tpm::parse_pcrs_serialized(raw);
      std::map<Hash, std::vector<Digest>> values;
      std::map<Hash, std::string> ten;
      std::size_t next = 0;
      for (const auto& selection : pcrs.selections) {
        const auto hash = attest::crypto::hash_from_id(selection.alg);
        REQUIRE(hash);
        for (std::uint32_t pcr = 0; pcr < attest::tpm::kNumPcrs; ++pcr) {
          if ((selection.mask >> pcr & 1U) == 0) continue;
          const Digest& value = pcrs.values.at(next++);
          if (pcr < 10) values[*hash].push_back(value);
          if (pcr == 10) ten[*hash] = to_hex(value.bytes());
        }
      }
      REQUIRE(ten.size() == 2);
      for (const auto& [hash, value] : ten) CHECK(sink.values[hash].back() == value);
      // Its first entry sums up the PCRs of its boot.
      const Hash hash = sink.aggregate.size() == 40 ? Hash::kSha1 : Hash::kSha256;
      REQUIRE(values[hash].size() == 10);
      CHECK(sink.aggregate == to_hex(attest::ima::boot_aggregate(hash, values[hash]).bytes()));
    }
  }
}

TEST_CASE("every bank replays with its own hash, whatever the list's bank is") {
  const Hash list_bank = GENERATE(from_range(attest::crypto::kAllHashes));
  DYNAMIC_SECTION(attest::crypto::hash_name(list_bank)) {
    const auto records = ima_test::one_of_each();
    ReplaySink sink({attest::crypto::kAllHashes.begin(), attest::crypto::kAllHashes.end()},
                    DigestMode::kNative, list_bank);
    run(sink, ima_test::binary_list(records, list_bank));
    CHECK(sink.bad_headers == 0);
    for (const Hash bank : attest::crypto::kAllHashes) {
      CHECK(sink.values[bank].back() == expected_pcr(records, bank));
    }
  }
}

TEST_CASE("before the first entry a PCR is zero") {
  const std::vector<Hash> banks{Hash::kSha1, Hash::kSha512};
  const Replay replay(Hash::kSha1, banks, DigestMode::kNative);
  REQUIRE(replay.banks().size() == 2);
  CHECK(replay.banks()[0].value == Digest::filled(20, 0));
  CHECK(replay.banks()[1].value == Digest::filled(64, 0));
  CHECK(replay.banks()[1].hash == Hash::kSha512);
  CHECK(replay.banks()[1].mode == DigestMode::kNative);
}

TEST_CASE("padded modes extend SHA-1 and zeros, and differ in violations") {
  const bool old = GENERATE(false, true);
  const DigestMode mode = old ? DigestMode::kPaddedOld : DigestMode::kPadded;
  const Hash list_bank = GENERATE(Hash::kSha1, Hash::kSha256);
  const std::vector<ima_test::Record> records{ima_test::ng("boot_aggregate"),
                                              ima_test::violation("/v"), ima_test::ng("/a")};
  ReplaySink sink({Hash::kSha1, Hash::kSha256, Hash::kSha384}, mode, list_bank);
  run(sink, ima_test::binary_list(records, list_bank));
  CHECK(sink.bad_headers == 0);
  CHECK(sink.values[Hash::kSha1].back() == expected_pcr(records, Hash::kSha1));
  for (const Hash bank : {Hash::kSha256, Hash::kSha384}) {
    Hasher hasher(bank);
    Digest pcr = Digest::filled(hasher.size(), 0);
    for (const auto& r : records) {
      Buffer extended(hasher.size(), 0);
      if (r.violation) {
        std::fill_n(extended.begin(), old ? 20 : hasher.size(), std::uint8_t{0xff});
      } else {
        const Digest sha1 = Hasher(Hash::kSha1)(r.data());
        std::copy(sha1.bytes().begin(), sha1.bytes().end(), extended.begin());
      }
      pcr = hasher({pcr.bytes(), extended});
    }
    CHECK(sink.values[bank].back() == to_hex(pcr.bytes()));
    CHECK(sink.values[bank].back() != expected_pcr(records, bank));
  }
}

TEST_CASE("a header digest that is not the data's hash is told, and changes no PCR") {
  const std::vector<Hash> banks{Hash::kSha256};
  const auto r = ima_test::ng("/a");
  const Buffer data = r.data();
  Buffer header = r.header(Hash::kSha1);
  Replay honest(Hash::kSha1, banks, DigestMode::kNative);
  CHECK(honest.check_header(entry_of(header, data)));
  honest.extend(entry_of(header, data));

  const std::size_t at = GENERATE(as<std::size_t>{}, 0, 10, 19);
  header[at] ^= 0x80U;
  Replay forged(Hash::kSha1, banks, DigestMode::kNative);
  CHECK_FALSE(forged.check_header(entry_of(header, data)));
  forged.extend(entry_of(header, data));
  CHECK(forged.banks()[0].value == honest.banks()[0].value);
}

TEST_CASE("data that is not what the header digest is of is told, and changes the PCR") {
  const std::vector<Hash> banks{Hash::kSha1, Hash::kSha256};
  const auto r = ima_test::ng("/a");
  Buffer data = r.data();
  const Buffer header = r.header(Hash::kSha1);
  data.back() ^= 1U;
  Replay replay(Hash::kSha1, banks, DigestMode::kNative);
  CHECK_FALSE(replay.check_header(entry_of(header, data)));
  replay.extend(entry_of(header, data));
  CHECK(to_hex(replay.banks()[0].value.bytes()) != expected_pcr({r}, Hash::kSha1));
  CHECK(to_hex(replay.banks()[1].value.bytes()) != expected_pcr({r}, Hash::kSha256));
}

TEST_CASE("a header digest of another size or none does not check") {
  const auto r = ima_test::ng("/a");
  const Buffer data = r.data();
  Buffer header = r.header(Hash::kSha1);
  Replay replay(Hash::kSha1, {}, DigestMode::kNative);
  header.push_back(0);
  CHECK_FALSE(replay.check_header(entry_of(header, data)));
  header.resize(19);
  CHECK_FALSE(replay.check_header(entry_of(header, data)));
  CHECK_FALSE(replay.check_header(entry_of({}, data)));
}

TEST_CASE("an unknown template checks by its data, and without data never") {
  const auto r = ima_test::ng("/a");
  const Buffer data = r.data();
  const Buffer header = r.header(Hash::kSha1);
  Replay replay(Hash::kSha1, {}, DigestMode::kNative);
  Entry e = entry_of(header, data);
  e.known = false;
  CHECK(replay.check_header(e));
  const Digest empty = Hasher(Hash::kSha1)(Bytes());
  e.header_digest = empty.bytes();
  e.template_data = {};
  CHECK_FALSE(replay.check_header(e));
}

TEST_CASE("a violation extends 0xff bytes, whatever its data says") {
  const std::vector<Hash> banks{Hash::kSha256};
  for (const std::string path : {"/var/log/x", "/usr/bin/other"}) {
    ReplaySink sink(banks);
    run(sink, ima_test::binary_list({ima_test::violation(path)}));
    const Digest expected =
        Hasher(Hash::kSha256)({Digest::filled(32, 0).bytes(), Digest::filled(32, 0xff).bytes()});
    CHECK(sink.values[Hash::kSha256].back() == to_hex(expected.bytes()));
  }
}

TEST_CASE("digest modes have the names that policies and options use") {
  CHECK(name_of(DigestMode::kNative) == "native");
  CHECK(name_of(DigestMode::kPadded) == "padded");
  CHECK(name_of(DigestMode::kPaddedOld) == "padded-old");
}
