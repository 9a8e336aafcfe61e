// SPDX-License-Identifier: Apache-2.0

// Logs of dynamic launches: the forms that they come in, and what they claim.

#include "libattest/eventlog/launch.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "libattest/base/hex.h"
#include "libattest/eventlog/describe.h"
#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/types.h"
#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;
using Catch::Matchers::Contains;

std::string why(const Data& log) {
  try {
    Log::parse_launch(log);
  } catch (const ParseError& e) {
    CHECK(e.offset() <= log.size());
    return e.what();
  }
  return "parsed";
}

// A container of `area` bytes around SHA-1 events; `used` says how many bytes of it are.
Data container(const Data& events, std::size_t area = 4096, std::size_t gap = 0) {
  Writer w;
  w.text("TXT Event Container").raw({0}).fill(12, 0).raw({1, 0, 1, 0});
  w.le(static_cast<std::uint32_t>(area));
  w.le(static_cast<std::uint32_t>(48 + gap));
  w.le(static_cast<std::uint32_t>(48 + gap + events.size()));
  w.fill(gap, 0).bytes(events);
  if (area > w.out.size()) w.fill(area - w.out.size(), 0);
  return w.out;
}

Data descriptor(std::uint32_t id, std::uint32_t size) {
  return Writer().text("FRMT ID EVENT00").raw({0}).le(std::uint32_t{1}).le(id).le(size).out;
}

Data record(std::uint32_t pcr, std::uint32_t type, Bytes digest, const Data& data) {
  Writer w;
  w.le(pcr).le(type).bytes(digest).le(static_cast<std::uint32_t>(data.size())).bytes(data);
  return w.out;
}

Data legacy(Hash bank, std::uint32_t id, const Data& events) {
  const auto size = static_cast<std::uint32_t>(crypto::hash_size(bank));
  return cat(record(0, kEvNoAction, Data(20, 0), descriptor(id, size)), events);
}

// By the details and authorities mapping, as SINIT and tboot log it.
template <typename Builder>
Builder& launch(Builder& b) {
  b.measured(17, kTxtHashStart, {}, text("sinit"));
  b.event(17, kTxtLcpDetailsHash, text("details"));
  b.measured(17, kTxtTbootMeasurement, {}, text("policy"));
  b.measured(17, kTxtTbootMeasurement, {}, text("kernel"));
  b.measured(17, kTxtTbootMeasurement, {}, text("ramdisk"));
  b.measured(17, kTxtTbootMeasurement, {}, text("more"));
  b.measured(18, kTxtSinitPubkeyHash, {}, text("pubkey"));
  b.measured(18, kTxtTbootMeasurement, {}, text("policy"));
  return b;
}

Data sha1_launch() {
  LogBuilder b({});
  return launch(b).bytes();
}

Data agile_launch() {
  LogBuilder b({Hash::kSha1, Hash::kSha256});
  return launch(b).bytes();
}

Checked checked(const Data& bytes) {
  const Log log = Log::parse_launch(bytes);
  return check(log, *log.algorithms().front().hash);
}

}  // namespace

TEST_CASE("the four forms of a launch's log hold the same events") {
  const Data legacy_log = read_vector("drtm/launchlog.legacy.bin");
  const Data agile_log = read_vector("drtm/launchlog.agile.bin");
  const Data container_log = read_vector("drtm/launchlog.container.bin");
  const Log agile = Log::parse_launch(agile_log);
  const Log legacy = Log::parse_launch(legacy_log);
  const Log boxed = Log::parse_launch(container_log);
  CHECK(name_of(agile.format()) == "crypto-agile");
  CHECK(name_of(legacy.format()) == "txt-legacy");
  CHECK(name_of(boxed.format()) == "txt-container");
  CHECK(legacy.algorithms().size() == 1);
  CHECK(legacy.find(Hash::kSha256) == 0);
  REQUIRE(agile.events().size() == 20);
  REQUIRE(legacy.events().size() == 20);
  REQUIRE(boxed.events().size() == 20);
  CHECK(boxed.events()[0].pcr == kTxtDataPcr);
  for (std::size_t i = 1; i < agile.events().size(); ++i) {
    for (const Log* other : {&legacy, &boxed}) {
      CHECK(other->events()[i].pcr == agile.events()[i].pcr);
      CHECK(other->events()[i].type == agile.events()[i].type);
    }
    CHECK(std::ranges::equal(legacy.digest(legacy.events()[i], 0),
                             agile.digest(agile.events()[i], 1)));
    CHECK(
        std::ranges::equal(boxed.digest(boxed.events()[i], 0), agile.digest(agile.events()[i], 0)));
  }
  const Replay replayed = replay(agile);
  CHECK(replay(legacy).banks[0].pcrs == replayed.banks[1].pcrs);
  CHECK(replay(boxed).banks[0].pcrs == replayed.banks[0].pcrs);
  // What the TPM had after the same events.
  const std::string pcrs = read_text_vector("drtm/pcrs.yaml");
  for (const Bank& bank : replayed.banks) {
    for (const std::uint32_t pcr : {17U, 18U}) {
      std::string hex = to_hex(bank.pcrs[pcr].bytes());
      for (char& c : hex) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
      CHECK_THAT(pcrs, Contains("0x" + hex));
    }
    CHECK(bank.pcrs[19].all(0));
  }
  // Bare SHA-1 records, which element 7 has for its SHA-1 bank.
  CHECK(Log::parse_launch(sha1_launch()).format() == Format::kSha1);
}

TEST_CASE("a launch's log that is cut anywhere but between records is malformed") {
  for (const char* name : {"agile", "legacy", "container"}) {
    CAPTURE(name);
    const Data bytes = read_vector(std::string("drtm/launchlog.") + name + ".bin");
    const Log whole = Log::parse_launch(bytes);
    for (std::size_t n = 1; n < bytes.size(); ++n) {
      const bool between =
          std::ranges::any_of(whole.events(), [&](const Event& e) { return e.offset == n; });
      const std::string words = why(Data(bytes.begin(), bytes.begin() + static_cast<long>(n)));
      // Zeros that a record begins with are taken for the area's unused part.
      const bool zeros = n < 5;
      const std::size_t used = 48 + 32 + 4 + 19 * 32 + 14 + 14 + 16 + 16;
      if (whole.format() == Format::kTxtContainer) {
        CHECK((words == "parsed") == (n == used));
      } else {
        CHECK((words == "parsed") == (between || zeros));
      }
    }
    CHECK(why(cat(bytes, {1})) != "parsed");
  }
}

TEST_CASE("zeros after the last event are the rest of the log's area, and nothing else is") {
  for (Data bytes : {agile_launch(), sha1_launch(),
                     legacy(Hash::kSha256, 2, record(17, kTxtHashStart, Data(32, 7), {}))}) {
    const std::size_t events = Log::parse_launch(bytes).events().size();
    const std::size_t used = bytes.size();
    bytes.resize(used + 4096, 0);
    CHECK(Log::parse_launch(bytes).events().size() == events);
    bytes.back() = 1;
    CHECK(why(bytes) != "parsed");
    bytes.resize(used);
    bytes.resize(used + 64, 0xff);
    CHECK_THAT(why(bytes), Contains("no PCR has this number"));
  }
  // A firmware log has no such area.
  Data firmware = LogBuilder({}).separators().bytes();
  firmware.resize(firmware.size() + 16, 0);
  CHECK_THROWS_AS(Log::parse(firmware), ParseError);
}

TEST_CASE("every number in a container's header is checked") {
  const Data events = sha1_launch();
  const std::size_t end = 48 + events.size();
  const Data good = container(events);
  CHECK(Log::parse_launch(good).events().size() == 8);
  const auto with = [&](std::size_t offset, std::uint32_t value) {
    Data bytes = good;
    const Data number = Writer().le(value).out;
    std::ranges::copy(number, bytes.begin() + static_cast<long>(offset));
    return why(bytes);
  };
  const auto next = static_cast<std::uint32_t>(end);
  CHECK_THAT(with(20, 1), Contains("is not zero"));
  CHECK_THAT(with(32, 0x01000002), Contains("ContainerVerMajor"));
  CHECK_THAT(with(32, 0x00020001), Contains("PCREventVerMajor"));
  CHECK_THAT(with(36, 4095), Contains("neither the container nor its used part"));
  CHECK_THAT(with(36, 0xffffffff), Contains("neither the container nor its used part"));
  CHECK_THAT(with(36, next - 1), Contains("behind the container's end"));
  CHECK_THAT(with(40, 47), Contains("lies in the header"));
  CHECK_THAT(with(40, 0), Contains("lies in the header"));
  CHECK_THAT(with(40, 0xffffffff), Contains("before the first event"));
  CHECK_THAT(with(40, 49), Contains("is not zero"));
  CHECK_THAT(with(44, 47), Contains("before the first event"));
  CHECK_THAT(with(44, 0xffffffff), Contains("behind the container's end"));
  CHECK_THAT(with(44, 4097), Contains("behind the container's end"));
  CHECK_THAT(with(44, next - 1), Contains("input ends inside this field"));
  CHECK_THAT(with(44, next + 1), Contains("input ends inside this field"));
  CHECK_THAT(with(44, next - 32), Contains("unused part"));  // an event that nothing speaks of
  CHECK(with(44, 48 + 32).find("unused part") != std::string::npos);

  SECTION("its used part alone, a gap, and no events at all are good") {
    CHECK(why(Data(good.begin(), good.begin() + static_cast<long>(end))) == "parsed");
    CHECK(Log::parse_launch(container(events, 4096, 16)).events().front().offset == 64);
    CHECK(Log::parse_launch(container({})).events().empty());
  }
  SECTION("its header is no firmware log's") { CHECK_THROWS_AS(Log::parse(good), ParseError); }
}

TEST_CASE("a log descriptor names one algorithm by number and size") {
  struct Case {
    Hash hash;
    std::uint32_t id;
  };
  for (const Case& c :
       {Case{Hash::kSha1, 1}, Case{Hash::kSha1, 4}, Case{Hash::kSha256, 2},
        Case{Hash::kSha256, 0xb}, Case{Hash::kSha384, 3}, Case{Hash::kSha384, 0xc},
        Case{Hash::kSha512, 4}, Case{Hash::kSha512, 0xd}, Case{Hash::kSm3_256, 0x12}}) {
    const Data digest(crypto::hash_size(c.hash), 7);
    const Data bytes = legacy(c.hash, c.id, record(17, kTxtHashStart, digest, {}));
    const Log log = Log::parse_launch(bytes);
    CHECK(log.format() == Format::kTxtLegacy);
    CHECK(log.algorithms().at(0).hash == c.hash);
    CHECK(log.digest(log.events().at(0), 0).empty());
    CHECK(std::ranges::equal(log.digest(log.events().at(1), 0), digest));
  }
  const auto with = [](const Data& data, std::uint8_t digest = 0, std::uint32_t pcr = 0) {
    return why(record(pcr, kEvNoAction, Data(20, digest), data));
  };
  CHECK_THAT(with(descriptor(2, 20)), Contains("no algorithm of this number and size"));
  CHECK_THAT(with(descriptor(0, 0)), Contains("no algorithm"));
  CHECK_THAT(with(descriptor(0xb, 0xffffffff)), Contains("no algorithm"));
  CHECK_THAT(with(cat(descriptor(2, 32), {0})), Contains("TCG_LOG_DESCRIPTOR"));
  CHECK_THAT(with(descriptor(2, 32), 1), Contains("its digest is not zero"));
  CHECK_THAT(with(descriptor(2, 32), 0, 17), Contains("its pcrIndex is not 0"));
  Data revision = descriptor(2, 32);
  revision[16] = 2;
  CHECK_THAT(with(revision), Contains("Revision"));
  // A firmware log has no such records: its first one is an event of the SHA-1 format.
  CHECK(Log::parse(legacy(Hash::kSha256, 2, {})).format() == Format::kSha1);
}

TEST_CASE("a launch's events are of PCRs 17 to 22, and 255 is data") {
  for (const std::uint32_t pcr : {17U, 18U, 22U, 255U}) {
    CHECK(why(record(pcr, kTxtHashStart, Data(20, 1), {})) == "parsed");
  }
  for (const std::uint32_t pcr : {0U, 1U, 16U, 23U}) {
    CHECK_THAT(why(record(pcr, kTxtHashStart, Data(20, 1), {})), Contains("not 17 to 22"));
  }
  for (const std::uint32_t pcr : {24U, 254U, 256U, 0xffffffffU}) {
    CHECK_THAT(why(record(pcr, kTxtHashStart, Data(20, 1), {})),
               Contains("no PCR has this number"));
  }
  const Data data = record(255, kTxtPcrMapping, Data(20, 0xa5), {1, 0, 0, 0});
  const Log log = Log::parse_launch(data);
  CHECK_FALSE(is_extended(log.events()[0]));
  CHECK(replay(log).banks[0].pcrs[17].all(0xff));
  const Checked c = checked(data);
  CHECK(c.issues.empty());
  CHECK(c.coverage[0] == Coverage::kUnextended);
  // Nor does a firmware log know it.
  CHECK_THROWS_AS(Log::parse(data), ParseError);
}

TEST_CASE("a launch's log is bounded in bytes and events") {
  Data many;
  const Data one = record(18, kTxtTbootMeasurement, Data(20, 1), {});
  for (int i = 0; i < 4096; ++i) many.insert(many.end(), one.begin(), one.end());
  CHECK(Log::parse_launch(many).events().size() == 4096);
  CHECK_THAT(why(cat(many, one)), Contains("more than 4096 events"));
  CHECK_THAT(why(Data((1U << 20U) + 1, 0)), Contains("larger than 1 MiB"));
  CHECK(checked(many).issues.size() <= 1000);
}

TEST_CASE("events without data are named by their place, in both mappings") {
  const Data details = agile_launch();
  const Log log = Log::parse_launch(details);
  CHECK(claimed_mapping(log) == Mapping::kDetailsAuthorities);
  CHECK(name_of(Mapping::kDetailsAuthorities) == "details-authorities");
  const auto words = [](const Log& of, std::size_t i) { return describe(of, of.events()[i]); };
  CHECK(words(log, 1) == "no data");
  CHECK(words(log, 2) == "details");
  CHECK(words(log, 3) == "tboot policy");
  CHECK(words(log, 4) == "module 0 (the kernel)");
  CHECK(words(log, 5) == "module 1 (the ramdisk)");
  CHECK(words(log, 6) == "module 2");
  CHECK(words(log, 8) == "tboot policy");

  LogBuilder b({});
  b.measured(17, kTxtHashStart, {}, text("sinit"));
  b.measured(17, kTxtCombinedHash, {}, text("combined"));
  b.measured(17, kTxtTbootMeasurement, {}, text("policy"));
  b.measured(18, 0x404, {}, text("mle"));
  b.measured(18, kTxtTbootMeasurement, {}, text("kernel"));
  b.measured(19, kTxtTbootMeasurement, {}, text("ramdisk"));
  b.measured(22, kTxtTbootMeasurement, {}, text("tag"));
  b.measured(21, kTxtTbootMeasurement, {}, text("?"));
  const Data old = container(b.bytes());
  const Log legacy_log = Log::parse_launch(old);
  CHECK(claimed_mapping(legacy_log) == Mapping::kLegacy);
  CHECK(name_of(Mapping::kLegacy) == "legacy");
  CHECK(checked(old).issues.empty());
  CHECK(words(legacy_log, 2) == "tboot policy");
  CHECK(words(legacy_log, 4) == "module 0 (the kernel)");
  CHECK(words(legacy_log, 5) == "module 1 (the ramdisk)");
  CHECK(words(legacy_log, 6) == "an NV index");
  CHECK(words(legacy_log, 7) == "no data");

  LogBuilder both({});
  both.measured(17, kTxtCombinedHash, {}, text("x"))
      .measured(17, kTxtLcpDetailsHash, {}, text("y"));
  CHECK(claimed_mapping(Log::parse_launch(both.bytes())) == Mapping::kUnknown);
  CHECK(name_of(Mapping::kUnknown).empty());
}

TEST_CASE("data that its digest covers is told from what is not") {
  const Checked c = checked(agile_launch());
  CHECK(c.issues.empty());
  CHECK(c.coverage[0] == Coverage::kUnextended);
  CHECK(c.coverage[1] == Coverage::kOpaque);
  CHECK(c.coverage[2] == Coverage::kCovered);
  LogBuilder b({});
  b.measured(17, kTxtHashStart, text("sinit"), text("other"));
  CHECK(checked(b.bytes()).coverage[0] == Coverage::kOpaque);
}

TEST_CASE("what no launch does is found") {
  struct Case {
    Problem problem;
    const char* words;
    std::function<void(LogBuilder&)> add;
  };
  const Case c = GENERATE(values<Case>({
      {Problem::kRetyped, "PCR 17 begins with an event that is no HASH_START",
       [](LogBuilder& b) { b.measured(17, kTxtLcpDetailsHash, {}, text("x")); }},
      {Problem::kRetyped, "a HASH_START that does not begin PCR 17",
       [](LogBuilder& b) { launch(b).measured(17, kTxtHashStart, {}, text("again")); }},
      {Problem::kRetyped, "a HASH_START that does not begin PCR 17",
       [](LogBuilder& b) { b.measured(18, kTxtHashStart, {}, text("x")); }},
      {Problem::kRetyped, "an event of SINIT's after one of tboot's",
       [](LogBuilder& b) { launch(b).measured(18, kTxtLcpAuthoritiesHash, {}, text("x")); }},
      {Problem::kUnknownType, "event type EV_IPL is none of a launch's",
       [](LogBuilder& b) { launch(b).measured(17, kEvIpl, {}, text("x")); }},
      {Problem::kUnknownType, "event type 0x00000777 is none of a launch's",
       [](LogBuilder& b) { launch(b).measured(19, 0x777, {}, text("x")); }},
      {Problem::kNoActionDigest, "EV_NO_ACTION with a digest that is not zero",
       [](LogBuilder& b) { launch(b).filled(17, kEvNoAction, {}, 1); }},
  }));
  CAPTURE(c.words);
  LogBuilder b({Hash::kSha256});
  c.add(b);
  const Checked found = checked(b.bytes());
  CHECK(std::ranges::any_of(found.issues, [&](const Issue& i) {
    return i.problem == c.problem && i.what.find(c.words) != std::string::npos;
  }));
}

TEST_CASE("an area without room for one more event is full") {
  const Data events = sha1_launch();
  for (const std::size_t room : {0U, 31U}) {
    const Data bytes = container(events, 48 + events.size() + room);
    CHECK(Log::parse_launch(bytes).full());
    const Checked c = checked(bytes);
    REQUIRE(c.issues.size() == 1);
    CHECK(c.issues[0].problem == Problem::kLogFull);
    CHECK(c.issues[0].event == 7);
  }
  CHECK_FALSE(Log::parse_launch(container(events, 48 + events.size() + 32)).full());
  CHECK_FALSE(Log::parse_launch(agile_launch()).full());
  CHECK(checked(container({}, 48)).issues.empty());
}

TEST_CASE("what software alone leads a PCR to is computed for words") {
  const Data bytes = agile_launch();
  const Log log = Log::parse_launch(bytes);
  crypto::Hasher hasher(Hash::kSha256);
  auto value = crypto::Digest::filled(32, 0xff);
  for (const char* measured : {"pubkey", "policy"}) {
    value = hasher({value.bytes(), hasher(text(measured)).bytes()});
  }
  CHECK(replay_without_launch(log, Hash::kSha256, 18) == value);
  CHECK(replay_without_launch(log, Hash::kSha256, 20).all(0xff));
  CHECK_THROWS_AS(replay_without_launch(log, Hash::kSha384, 18), std::invalid_argument);
}

}  // namespace attest::eventlog
