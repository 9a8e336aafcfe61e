// SPDX-License-Identifier: Apache-2.0

// Logs looked at by themselves, without a quote: what `attest eventlog` and `attest ima` show.

#ifndef LIBATTEST_VERIFY_INSPECT_H_
#define LIBATTEST_VERIFY_INSPECT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"
#include "libattest/eventlog/replay.h"
#include "libattest/ima/list.h"
#include "libattest/ima/replay.h"
#include "libattest/policy/finding.h"

namespace attest::verify {

struct EventLogInspection {
  std::vector<std::uint8_t> bytes;  // what `log` looks into
  eventlog::Log log;
  crypto::Hash bank{};  // whose digests the data was checked against
  eventlog::Replay replay;
  eventlog::Checked checked;
  policy::Findings findings;  // nothing is a failure: no policy says what is expected
};

// `bank`: nothing chooses sha256, else the log's first; std::invalid_argument when the log lacks
// it.
EventLogInspection inspect_eventlog(Bytes in, std::optional<crypto::Hash> bank,
                                    eventlog::Source source = eventlog::Source::kFirmware);
std::string to_json(const EventLogInspection& inspection);

// A streaming replay of a measurement list. Not for two threads at a time.
class ImaInspection final : private ima::EntrySink {
 public:
  ImaInspection(ima::ListFormat format, crypto::Hash bank, std::optional<crypto::Hash> list_bank,
                ima::DigestMode mode);

  void feed(Bytes chunk) { reader_.feed(chunk); }
  void finish() { reader_.finish(); }

  std::uint64_t num_entries() const noexcept { return reader_.num_entries(); }
  std::uint64_t num_violations() const noexcept { return num_violations_; }
  crypto::Hash bank() const noexcept { return bank_; }
  // By PCR number: a list may hold more than one.
  std::map<std::uint32_t, crypto::Digest> pcrs() const;
  const policy::Findings& findings() const noexcept { return findings_; }
  std::string to_json() const;

 private:
  // A list has one PCR and one template as a rule: what more a hostile one has is bounded.
  static constexpr std::size_t kMaxPcrs = 24;
  static constexpr std::size_t kMaxTemplates = 64;

  void entry(const ima::Entry& entry) override;

  crypto::Hash bank_;
  ima::DigestMode mode_;
  ima::ListReader reader_;
  std::map<std::uint32_t, ima::Replay> replays_;  // by PCR number
  std::uint64_t num_violations_ = 0;
  std::set<std::string, std::less<>> templates_;
  std::string last_template_;                  // the one last added
  std::optional<std::string> boot_aggregate_;  // "sha256:…" of the first entry
  policy::Findings findings_;
};

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_INSPECT_H_
