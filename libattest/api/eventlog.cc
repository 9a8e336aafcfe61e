// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog.h"

#include <string>
#include <vector>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"
#include "libattest/verify/inspect.h"

using attest::api::guard;
namespace eventlog = attest::eventlog;

struct attest_eventlog {
  attest::verify::EventLogInspection inspection;
  std::vector<std::string> type_names;  // one an event
};

namespace attest::api {
template <>
inline constexpr std::size_t kFirstSize<attest_event> = offsetof(attest_event, coverage) +
                                                        sizeof(attest_coverage);
}  // namespace attest::api

namespace {

attest_status parse(attest_eventlog** out, const std::uint8_t* data, std::size_t data_len,
                    const attest_hash& bank, eventlog::Source source) {
  return guard([&] {
    attest::api::clear_output(out);
    auto inspection = attest::verify::inspect_eventlog(attest::api::bytes(data, data_len),
                                                       attest::api::hash_of(bank, "bank"), source);
    std::vector<std::string> names;
    names.reserve(inspection.log.events().size());
    for (const eventlog::Event& event : inspection.log.events()) {
      names.push_back(eventlog::type_name(event.type));
    }
    attest::api::give(out, attest_eventlog{std::move(inspection), std::move(names)});
  });
}

attest_pcrs replayed_pcrs(const eventlog::Replay& replay) {
  attest_pcrs out;
  for (const eventlog::Bank& bank : replay.banks) {
    for (std::uint32_t pcr = 0; pcr < eventlog::kNumPcrs; ++pcr) {
      if (replay.num_extends[pcr] != 0) out.values.push_back({bank.hash, pcr, bank.pcrs[pcr]});
    }
  }
  return out;
}

}  // namespace

extern "C" {

attest_status attest_eventlog_parse(attest_eventlog** out, const std::uint8_t* data,
                                    std::size_t data_len, attest_hash bank) {
  return parse(out, data, data_len, bank, eventlog::Source::kFirmware);
}

attest_status attest_eventlog_parse_launch(attest_eventlog** out, const std::uint8_t* data,
                                           std::size_t data_len, attest_hash bank) {
  return parse(out, data, data_len, bank, eventlog::Source::kLaunch);
}

attest_eventlog_format attest_eventlog_get_format(const attest_eventlog* log) {
  return log == nullptr ? ATTEST_EVENTLOG_NONE
                        : static_cast<attest_eventlog_format>(log->inspection.log.format());
}

std::size_t attest_eventlog_num_events(const attest_eventlog* log) {
  return log == nullptr ? 0 : log->inspection.log.events().size();
}

attest_status attest_eventlog_event(attest_event* out, const attest_eventlog* log,
                                    std::size_t index) {
  return guard([&] {
    attest::api::require(log, "log");
    const auto& events = log->inspection.log.events();
    if (index >= events.size()) throw std::invalid_argument("no event has this index");
    const eventlog::Event& e = events[index];
    attest_event event = ATTEST_EVENT_INIT;
    event.offset = e.offset;
    event.pcr = e.pcr;
    event.type = e.type;
    event.type_name = log->type_names[index].c_str();
    event.data = e.data.data();
    event.data_len = e.data.size();
    event.coverage = static_cast<attest_coverage>(log->inspection.checked.coverage.at(index));
    attest::api::fill(out, event);
  });
}

const std::uint8_t* attest_eventlog_digest(const attest_eventlog* log, std::size_t index,
                                           attest_hash bank, std::size_t* digest_len) {
  if (digest_len != nullptr) *digest_len = 0;
  if (log == nullptr || index >= log->inspection.log.events().size()) return nullptr;
  const eventlog::Log& parsed = log->inspection.log;
  const auto hash = attest::crypto::hash_from_id(
      static_cast<std::uint16_t>(attest::api::number_of(bank) & 0xffff));
  const auto algorithm = hash ? parsed.find(*hash) : std::nullopt;
  if (!algorithm || static_cast<int>(*hash) != attest::api::number_of(bank)) return nullptr;
  const attest::Bytes digest = parsed.digest(parsed.events()[index], *algorithm);
  if (digest.empty()) return nullptr;
  if (digest_len != nullptr) *digest_len = digest.size();
  return digest.data();
}

attest_status attest_eventlog_pcrs(attest_pcrs** out, const attest_eventlog* log) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(log, "log");
    attest::api::give(out, replayed_pcrs(log->inspection.replay));
  });
}

std::size_t attest_eventlog_num_findings(const attest_eventlog* log) {
  return log == nullptr ? 0 : log->inspection.findings.list().size();
}

attest_status attest_eventlog_finding(attest_finding* out, const attest_eventlog* log,
                                      std::size_t index) {
  return guard([&] {
    attest::api::require(log, "log");
    attest::api::fill_finding(out, log->inspection.findings, index);
  });
}

attest_status attest_eventlog_to_json(attest_buffer** out, const attest_eventlog* log) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(log, "log");
    attest::api::give_text(out, attest::verify::to_json(log->inspection));
  });
}

void attest_eventlog_free(attest_eventlog* log) { delete log; }

const char* attest_coverage_name(attest_coverage coverage) {
  const int number = attest::api::number_of(coverage);
  if (number < ATTEST_COVERAGE_OPAQUE || number > ATTEST_COVERAGE_UNEXTENDED) return "?";
  return eventlog::name_of(static_cast<eventlog::Coverage>(number)).data();  // a literal
}

}  // extern "C"
