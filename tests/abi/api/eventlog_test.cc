// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog.h"

#include "tests/abi/api/calls.h"

namespace {
void parse_good(EventLog& log) {
  const auto& bytes = good_node().eventlog;
  REQUIRE(attest_eventlog_parse(log.place(), bytes.data(), bytes.size(), ATTEST_HASH_NONE) ==
          ATTEST_OK);
}
}  // namespace

TEST_CASE("a log's events are told with their data and digests") {
  EventLog log;
  parse_good(log);
  CHECK(attest_eventlog_get_format(log.get()) == ATTEST_EVENTLOG_CRYPTO_AGILE);
  REQUIRE(attest_eventlog_num_events(log.get()) > 10);
  std::uint64_t offset = 0;
  std::size_t digests = 0;
  for (std::size_t i = 0; i < attest_eventlog_num_events(log.get()); ++i) {
    attest_event event = ATTEST_EVENT_INIT;
    REQUIRE(attest_eventlog_event(&event, log.get(), i) == ATTEST_OK);
    CHECK((i == 0 || event.offset > offset));
    offset = event.offset;
    REQUIRE(event.type_name != nullptr);
    CHECK(std::string(event.type_name).find("EV_") == 0);
    CHECK(attest_coverage_name(event.coverage) != std::string("?"));
    CHECK((event.data != nullptr || event.data_len == 0));
    std::size_t size = 0;
    if (attest_eventlog_digest(log.get(), i, ATTEST_HASH_SHA256, &size) != nullptr) {
      CHECK(size == 32);
      ++digests;
    }
    CHECK(attest_eventlog_digest(log.get(), i, ATTEST_HASH_SHA512, &size) == nullptr);
    CHECK(size == 0);
  }
  CHECK(digests >= attest_eventlog_num_events(log.get()) - 1);
}

TEST_CASE("a log replays to the values that the node quoted") {
  EventLog log;
  Pcrs replayed, quoted;
  parse_good(log);
  REQUIRE(attest_eventlog_pcrs(replayed.place(), log.get()) == ATTEST_OK);
  REQUIRE(attest_pcrs_parse(quoted.place(), good_node().pcrs.data(), good_node().pcrs.size()) ==
          ATTEST_OK);
  std::size_t compared = 0;
  for (std::uint32_t pcr = 0; pcr < 10; ++pcr) {
    std::size_t size = 0, quoted_size = 0;
    const auto* value = attest_pcrs_find(replayed.get(), ATTEST_HASH_SHA256, pcr, &size);
    const auto* other = attest_pcrs_find(quoted.get(), ATTEST_HASH_SHA256, pcr, &quoted_size);
    if (value == nullptr) continue;
    REQUIRE(other != nullptr);
    ++compared;
    CHECK(std::vector(value, value + size) == std::vector(other, other + quoted_size));
  }
  CHECK(compared >= 8);
  CHECK(attest_pcrs_find(replayed.get(), ATTEST_HASH_SHA256, 10, nullptr) == nullptr);
  CHECK(attest_pcrs_find(replayed.get(), ATTEST_HASH_SHA1, 0, nullptr) != nullptr);
}

TEST_CASE("a log is rendered as JSON") {
  EventLog log;
  Buffer json;
  parse_good(log);
  REQUIRE(attest_eventlog_to_json(json.place(), log.get()) == ATTEST_OK);
  const std::string text = text_of(json);
  for (const char* key :
       {"\"format\"", "\"banks\"", "\"events\"", "\"secure_boot\"", "\"findings\""}) {
    CHECK(text.find(key) != std::string::npos);
  }
}

TEST_CASE("an empty log has no events") {
  EventLog log;
  REQUIRE(attest_eventlog_parse(log.place(), nullptr, 0, ATTEST_HASH_NONE) == ATTEST_OK);
  CHECK(attest_eventlog_num_events(log.get()) == 0);
  attest_event event = ATTEST_EVENT_INIT;
  check_failed(attest_eventlog_event(&event, log.get(), 0), ATTEST_E_ARGUMENT, "index");
}

TEST_CASE("a log has no findings about itself when it is good, and says what they are if not") {
  EventLog log;
  parse_good(log);
  attest_finding f = ATTEST_FINDING_INIT;
  check_failed(attest_eventlog_finding(&f, log.get(), attest_eventlog_num_findings(log.get())),
               ATTEST_E_ARGUMENT, "index");
  // The last byte of the last event's data: its digest covers it, or its type needs none.
  std::vector<std::uint8_t> bytes = good_node().eventlog;
  for (std::size_t at = bytes.size() / 2; at < bytes.size(); ++at) {
    std::vector<std::uint8_t> changed = bytes;
    changed[at] ^= 0x40U;
    EventLog other;
    if (attest_eventlog_parse(other.place(), changed.data(), changed.size(), ATTEST_HASH_NONE) !=
            ATTEST_OK ||
        attest_eventlog_num_findings(other.get()) <= attest_eventlog_num_findings(log.get())) {
      continue;
    }
    REQUIRE(attest_eventlog_finding(&f, other.get(),
                                    attest_eventlog_num_findings(other.get()) - 1) == ATTEST_OK);
    CHECK(f.component == ATTEST_COMPONENT_EVENTLOG);
    CHECK(f.severity != ATTEST_SEVERITY_FAILURE);
    return;
  }
  FAIL("no change of the log was noticed");
}

TEST_CASE("a bank that the log lacks, or that is none, is the caller's mistake") {
  const auto& bytes = good_node().eventlog;
  for (const int bank : {0x0d, 0x2a, -1, 0x1000b}) {
    auto* log = rubbish<attest_eventlog>();
    check_failed(attest_eventlog_parse(&log, bytes.data(), bytes.size(), any<attest_hash>(bank)),
                 ATTEST_E_ARGUMENT, "");
    CHECK(log == nullptr);
  }
}

TEST_CASE("a log that is cut inside a record is malformed") {
  const auto& bytes = good_node().eventlog;
  auto* log = rubbish<attest_eventlog>();
  check_failed(attest_eventlog_parse(&log, bytes.data(), bytes.size() - 1, ATTEST_HASH_NONE),
               ATTEST_E_MALFORMED, "byte ");
  CHECK(log == nullptr);
}

TEST_CASE("no log is empty, and coverage has names") {
  std::size_t size = 7;
  attest_event event = ATTEST_EVENT_INIT;
  attest_finding f = ATTEST_FINDING_INIT;
  auto* pcrs = rubbish<attest_pcrs>();
  auto* json = rubbish<attest_buffer>();
  CHECK(attest_eventlog_get_format(nullptr) == ATTEST_EVENTLOG_NONE);
  CHECK(attest_eventlog_num_events(nullptr) == 0);
  CHECK(attest_eventlog_num_findings(nullptr) == 0);
  CHECK(attest_eventlog_digest(nullptr, 0, ATTEST_HASH_SHA256, &size) == nullptr);
  CHECK(size == 0);
  check_failed(attest_eventlog_event(&event, nullptr, 0), ATTEST_E_ARGUMENT, "log is NULL");
  check_failed(attest_eventlog_finding(&f, nullptr, 0), ATTEST_E_ARGUMENT, "log is NULL");
  check_failed(attest_eventlog_pcrs(&pcrs, nullptr), ATTEST_E_ARGUMENT, "log is NULL");
  check_failed(attest_eventlog_to_json(&json, nullptr), ATTEST_E_ARGUMENT, "log is NULL");
  CHECK(pcrs == nullptr);
  CHECK(json == nullptr);
  check_failed(attest_eventlog_parse(nullptr, nullptr, 0, ATTEST_HASH_NONE), ATTEST_E_ARGUMENT,
               "out is NULL");

  CHECK(attest_coverage_name(ATTEST_COVERAGE_COVERED) == std::string("covered"));
  CHECK(attest_coverage_name(ATTEST_COVERAGE_UNEXTENDED) != std::string("?"));
  for (const int number : {-1, 0, 6, 257}) {
    CHECK(attest_coverage_name(any<attest_coverage>(number)) == std::string("?"));
  }

  EventLog log;
  parse_good(log);
  for (const int bank : {0, 0x2a, -1, 0x1000b}) {
    CHECK(attest_eventlog_digest(log.get(), 1, any<attest_hash>(bank), &size) == nullptr);
  }
  CHECK(attest_eventlog_digest(log.get(), 1, ATTEST_HASH_SHA256, nullptr) != nullptr);
  CHECK(attest_eventlog_digest(log.get(), 100000, ATTEST_HASH_SHA256, &size) == nullptr);
}
