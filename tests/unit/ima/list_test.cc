// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/list.h"

#include <catch2/catch.hpp>

#include "libattest/ima/binary.h"
#include "tests/support/ima_builder.h"
#include "tests/support/ima_entries.h"
#include "tests/support/vectors.h"

namespace {

using attest::as_bytes;
using attest::Bytes;
using attest::ParseError;
using attest::crypto::Hash;
using attest::ima::DigestKind;
using attest::ima::Entry;
using attest::ima::EntrySink;
using attest::ima::ListFormat;
using attest::ima::ListReader;
using Catch::Matchers::Contains;
using ima_test::ascii_list;
using ima_test::binary_list;
using ima_test::Buffer;
using ima_test::Outcome;
using ima_test::read_list;
using ima_test::Record;

Outcome read_binary(const std::vector<Record>& records, Hash bank = Hash::kSha1) {
  return read_list(binary_list(records, bank));
}
Outcome read_ascii(const std::vector<Record>& records, Hash bank = Hash::kSha1) {
  return read_list(as_bytes(ascii_list(records, bank)));
}

std::string text_of(const Buffer& bytes) { return {bytes.begin(), bytes.end()}; }

class CountingSink : public EntrySink {
 public:
  void entry(const Entry& /*entry*/) override { ++count; }
  int count = 0;
};

}  // namespace

TEST_CASE("each template's fields are read from both forms of a list") {
  const auto records = ima_test::one_of_each();
  const Outcome outcome = GENERATE(true, false) ? read_binary(ima_test::one_of_each())
                                                : read_ascii(ima_test::one_of_each());
  REQUIRE(outcome.error.empty());
  REQUIRE(outcome.entries.size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& e = outcome.entries[i];
    INFO("entry " << i << ", " << records[i].template_name);
    CHECK(e.index == i);
    CHECK(e.pcr == records[i].pcr);
    CHECK(e.template_name == records[i].template_name);
    CHECK(e.known);
    CHECK(e.violation == records[i].violation);
    CHECK(e.header_digest == text_of(records[i].header(Hash::kSha1)));
    CHECK(e.data == text_of(records[i].data()));
  }
  const std::string d = text_of(ima_test::some_digest(32));
  const std::string s = text_of(ima_test::some_digest(64, 0x70));
  const auto& e = outcome.entries;
  CHECK(e[0].digest.algorithm == "sha256");
  CHECK(e[0].digest.value == d);
  CHECK(e[0].digest.kind == DigestKind::kContent);
  CHECK(e[0].name == "boot_aggregate");
  CHECK_FALSE(e[0].has_signature_field);
  CHECK_FALSE(e[0].has_buffer_field);
  CHECK(e[1].digest.kind == DigestKind::kVerity);
  CHECK(e[1].digest.algorithm == "sha256");
  CHECK(e[1].digest.value == d);
  CHECK(e[2].has_signature_field);
  CHECK(e[2].signature == s);
  CHECK(e[3].has_signature_field);
  CHECK(e[3].signature.empty());
  CHECK(e[4].digest.kind == DigestKind::kContent);
  CHECK(e[4].digest.algorithm == "sha512");
  CHECK(e[4].signature == s);
  CHECK(e[5].has_buffer_field);
  CHECK(e[5].buffer == "6.1");
  REQUIRE(e[6].modsig_digest);
  CHECK(e[6].modsig_digest->algorithm == "sha1");
  CHECK(e[6].modsig_digest->value == text_of(ima_test::some_digest(20)));
  CHECK(e[6].modsig == s);
  CHECK_FALSE(e[7].modsig_digest);
  CHECK(e[7].signature == s);
  CHECK(e[8].evm_signature == std::string("\x05\x02\x04\x09"));
  CHECK(e[9].evm_signature.empty());
  CHECK(e[10].name == "/custom");
  CHECK(e[10].buffer == "\x01");
  CHECK(e[11].digest.algorithm == "sha1");
  CHECK(e[12].digest.algorithm == "md5");
  CHECK(e[13].digest.algorithm == "sha1");
  CHECK(e[13].name == "/bare");
  CHECK(e[13].has_buffer_field);
  CHECK(e[13].buffer.empty());
  CHECK(e[15].digest.algorithm == "sha1");
  CHECK(e[15].name == "/bin/legacy");
  CHECK(e[15].data.size() == 276);
}

TEST_CASE("an entry's offset is where its record begins") {
  const auto records = ima_test::one_of_each();
  const Outcome binary = read_binary(records);
  const Outcome ascii = read_ascii(records);
  REQUIRE(binary.entries.size() == records.size());
  REQUIRE(ascii.entries.size() == records.size());
  std::size_t binary_at = 0;
  std::size_t ascii_at = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(binary.entries[i].offset == binary_at);
    CHECK(ascii.entries[i].offset == ascii_at);
    binary_at += records[i].binary().size();
    ascii_at += records[i].ascii().size();
  }
}

TEST_CASE("the known-answer list reads alike in both forms") {
  const Outcome binary = read_list(read_vector("ima/known-answer/list.bin"));
  const Outcome ascii = read_list(read_vector("ima/known-answer/list.ascii"));
  REQUIRE(binary.error.empty());
  REQUIRE(ascii.error.empty());
  CHECK(binary.format == ListFormat::kBinary);
  CHECK(ascii.format == ListFormat::kAscii);
  CHECK(binary.bank == Hash::kSha1);
  CHECK(ascii.bank == Hash::kSha1);
  REQUIRE(binary.entries.size() == 7);
  REQUIRE(ascii.entries.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    auto same = ascii.entries[i];
    same.offset = binary.entries[i].offset;
    CHECK(binary.entries[i] == same);
  }
}

TEST_CASE("chunks of any size give the same entries") {
  const auto records = ima_test::one_of_each();
  const Buffer binary = binary_list(records, Hash::kSha256);
  const std::string ascii = ascii_list(records, Hash::kSha256);
  const bool is_binary = GENERATE(true, false);
  const Bytes list = is_binary ? Bytes(binary) : as_bytes(ascii);
  const Outcome whole = read_list(list);
  REQUIRE(whole.error.empty());
  REQUIRE(whole.entries.size() == records.size());
  for (std::size_t size = 1; size < 200; ++size) {
    CHECK(read_list(list, [=] { return size; }) == whole);
  }
}

TEST_CASE("the bank of a list is found out from its first record") {
  const Hash bank = GENERATE(from_range(attest::crypto::kAllHashes));
  DYNAMIC_SECTION(attest::crypto::hash_name(bank)) {
    const std::vector<Record> records{ima_test::ng("boot_aggregate"), ima_test::ng("/a")};
    const std::vector<Record> legacy{ima_test::legacy("boot_aggregate"), ima_test::ng("/a")};
    for (const auto& list : {records, legacy}) {
      const Outcome binary = read_binary(list, bank);
      CHECK(binary.error.empty());
      CHECK(binary.bank == bank);
      CHECK(binary.entries.size() == 2);
      const Outcome ascii = read_ascii(list, bank);
      CHECK(ascii.error.empty());
      CHECK(ascii.bank == bank);
      CHECK(ascii.entries.size() == 2);
    }
  }
}

TEST_CASE("a list that begins with a violation has the bank of its zero digest's size") {
  const std::vector<Record> records{ima_test::violation("/v"), ima_test::ng("/a")};
  const Hash bank = GENERATE(Hash::kSha1, Hash::kSha256, Hash::kSha384, Hash::kSha512);
  CHECK(read_binary(records, bank).bank == bank);
  CHECK(read_ascii(records, bank).bank == bank);
  CHECK(read_binary(records, bank).entries.size() == 2);
  CHECK(read_ascii(records, bank).entries.size() == 2);
}

TEST_CASE("a list whose first digest checks in no bank is refused unless its bank is named") {
  std::vector<Record> records{ima_test::ng("boot_aggregate"), ima_test::ng("/a")};
  Buffer binary = binary_list(records);
  binary[4] ^= 1U;
  std::string ascii = ascii_list(records);
  ascii[3] = ascii[3] == 'f' ? 'e' : 'f';
  CHECK_THAT(read_list(binary).error, Contains("does not check in any bank"));
  CHECK(read_list(binary).entries.empty());
  CHECK_THAT(read_list(as_bytes(ascii)).error, Contains("line 1: template digest: does not check"));
  CHECK(read_list(binary, ListFormat::kDetect, Hash::kSha1).entries.size() == 2);
  CHECK(read_list(as_bytes(ascii), ListFormat::kDetect, Hash::kSha1).entries.size() == 2);
}

TEST_CASE("a record that looks longer in a wrong bank does not hide the right one") {
  // A name was searched for with which, taken for a SHA-1 list's, this SHA-256 list has a template
  // name of 34 bytes and then 4 KiB of template data.
  Buffer value;
  for (int i = 0; i < 8; ++i) value.insert(value.end(), {0x00, 0x10, 0x00, 0x00});
  const Record first = ima_test::ng("/b0008464104", value);
  const auto wrong = attest::ima::frame_record(first.binary(Hash::kSha256), 20, 0);
  REQUIRE(wrong.cut == "template data");
  REQUIRE(wrong.size > 4096);

  // With fewer bytes the end decides, with more the digest: both are right.
  const std::size_t more = GENERATE(as<std::size_t>{}, 0, 1, 60);
  std::vector<Record> records(more, ima_test::ng("/a"));
  records.insert(records.begin(), first);
  const Buffer list = binary_list(records, Hash::kSha256);
  REQUIRE((list.size() > wrong.size) == (more == 60));
  const std::size_t size = GENERATE(as<std::size_t>{}, 1, 7, 100, 4096, 100000);
  const Outcome outcome = read_list(list, [=] { return size; });
  CHECK(outcome.error.empty());
  CHECK(outcome.bank == Hash::kSha256);
  REQUIRE(outcome.entries.size() == more + 1);
  CHECK(outcome.entries.back().index == more);
}

TEST_CASE("an unknown template in a binary list keeps its data and has no fields") {
  Record r = ima_test::ng("/a");
  r.template_name = GENERATE("ima-new", "d-ng|n-new", "d-ng|", "|n-ng", "d-ng|d", "n|n-ng",
                             "sig|sig", "IMA-NG", "sig|buf|sig");
  const Outcome binary = read_binary({ima_test::ng("boot_aggregate"), r, ima_test::ng("/b")});
  REQUIRE(binary.error.empty());
  REQUIRE(binary.entries.size() == 3);
  CHECK_FALSE(binary.entries[1].known);
  CHECK(binary.entries[1].template_name == r.template_name);
  CHECK(binary.entries[1].data == text_of(r.data()));
  CHECK(binary.entries[1].name.empty());
  CHECK(binary.entries[1].digest.value.empty());
  CHECK(binary.entries[2].known);
}

TEST_CASE("an unknown template in an ascii list has neither data nor fields") {
  Record r = ima_test::ng("/a");
  r.template_name = "ima-new";
  const Outcome ascii = read_ascii({r, ima_test::ng("/b")});
  REQUIRE(ascii.error.empty());
  REQUIRE(ascii.entries.size() == 2);
  CHECK_FALSE(ascii.entries[0].known);
  CHECK(ascii.entries[0].data.empty());
  CHECK(ascii.entries[0].name.empty());
  CHECK(ascii.entries[1].known);
  CHECK(ascii.bank == Hash::kSha1);
}

TEST_CASE("a list cut short anywhere but between records is malformed or lacks its last entries") {
  const auto records = ima_test::one_of_each();
  const Buffer list = binary_list(records);
  std::vector<std::size_t> ends{0};
  for (const Record& r : records) ends.push_back(ends.back() + r.binary().size());
  for (std::size_t n = 0; n < list.size(); ++n) {
    const Outcome outcome = read_list(Bytes(list).first(n), ListFormat::kBinary, Hash::kSha1);
    const bool at_end = std::ranges::find(ends, n) != ends.end();
    INFO("cut at " << n);
    CHECK(outcome.error.empty() == at_end);
    CHECK(outcome.error_offset <= n);
    if (!at_end) CHECK_THAT(outcome.error, Contains("the list ends inside this field"));
  }
}

TEST_CASE("an ascii line cut short anywhere does not read as the same entry") {
  const auto records = ima_test::one_of_each();
  for (const Record& r : records) {
    const std::string line = r.ascii();
    const Outcome whole = read_list(as_bytes(line), ListFormat::kAscii, Hash::kSha1);
    REQUIRE(whole.entries.size() == 1);
    // The last cut only takes the newline off, which the last line may lack.
    CHECK(read_list(as_bytes(line.substr(0, line.size() - 1)), ListFormat::kAscii, Hash::kSha1) ==
          whole);
    for (std::size_t n = 1; n + 1 < line.size(); ++n) {
      const Outcome cut = read_list(as_bytes(line.substr(0, n)), ListFormat::kAscii, Hash::kSha1);
      INFO(r.template_name << " cut at " << n);
      CHECK(cut.entries != whole.entries);
    }
  }
}

TEST_CASE("bytes after the last record are malformed") {
  Buffer binary = binary_list({ima_test::ng("boot_aggregate")});
  binary.push_back(0);
  CHECK_THAT(read_list(binary).error, Contains("PCR: the list ends inside this field"));
  const std::string ascii = ascii_list({ima_test::ng("boot_aggregate")});
  CHECK_THAT(read_list(as_bytes(ascii + "\n")).error, Contains("line 2: PCR"));
  CHECK_THAT(read_list(as_bytes(ascii + " ")).error, Contains("line 2: PCR"));
}

TEST_CASE("what begins neither form of a list is refused") {
  const std::string text = GENERATE("{\"a\": 1}", "\x18", "\xff\xff", "-10 ", "a");
  CHECK_THAT(read_list(as_bytes(text)).error,
             Contains("begins neither a binary nor an ascii list"));
}

TEST_CASE("an empty list has no entries and no format") {
  const Outcome outcome = read_list(Bytes());
  CHECK(outcome.error.empty());
  CHECK(outcome.entries.empty());
  CHECK(outcome.format == ListFormat::kDetect);
  CHECK_FALSE(outcome.bank);
}

TEST_CASE("a reader is unusable once it has failed or ended") {
  const Buffer list = binary_list({ima_test::ng("boot_aggregate")});
  CountingSink sink;
  ListReader ended(sink);
  ended.feed(list);
  CHECK(ended.num_entries() == 1);
  ended.finish();
  CHECK_THROWS_AS(ended.feed(list), std::invalid_argument);
  CHECK_THROWS_AS(ended.finish(), std::invalid_argument);
  ListReader failed(sink, ListFormat::kBinary, Hash::kSha1);
  CHECK_THROWS_AS(failed.feed(Buffer(40, 0xff)), ParseError);
  CHECK_THROWS_AS(failed.feed(list), std::invalid_argument);
  CHECK_THROWS_AS(failed.finish(), std::invalid_argument);
  CHECK(sink.count == 1);
}

TEST_CASE("what a sink throws comes through and ends the reading") {
  class Throwing : public EntrySink {
   public:
    void entry(const Entry& /*entry*/) override { throw std::runtime_error("enough"); }
  };
  Throwing sink;
  ListReader reader(sink);
  const Buffer list = binary_list({ima_test::ng("boot_aggregate")});
  CHECK_THROWS_WITH(reader.feed(list), "enough");
  CHECK_THROWS_AS(reader.finish(), std::invalid_argument);
}

TEST_CASE("an ascii line longer than any record is refused before it is kept") {
  CountingSink sink;
  ListReader reader(sink, ListFormat::kAscii, Hash::kSha1);
  const Buffer chunk(std::size_t{1} << 20U, '1');
  std::size_t fed = 0;
  const auto feed_all = [&] {
    for (int i = 0; i < 64; ++i, fed += chunk.size()) reader.feed(chunk);
  };
  CHECK_THROWS_WITH(feed_all(), Contains("line 1: line: longer than 32 MiB"));
  CHECK(fed <= (std::size_t{33} << 20U));
}

TEST_CASE("template data larger than any kernel's is refused in an ascii list too") {
  CountingSink sink;
  const std::size_t around = 4 + 40 + 4 + 1;  // lengths, d-ng and the name's NUL
  const std::size_t most = (std::size_t{16} << 20U) - around;
  const std::string line = ima_test::ng("").ascii();
  const std::string front = line.substr(0, line.size() - 1);
  ListReader largest(sink, ListFormat::kAscii, Hash::kSha1);
  largest.feed(as_bytes(front + std::string(most, 'a') + "\n"));
  CHECK(sink.count == 1);
  ListReader larger(sink, ListFormat::kAscii, Hash::kSha1);
  CHECK_THROWS_WITH(larger.feed(as_bytes(front + std::string(most + 1, 'a') + "\n")),
                    Contains("line 1: template data: more than 16 MiB"));
}
