// SPDX-License-Identifier: Apache-2.0

// Target: attest::eventlog::Log::parse_launch, replay, check, describe. Properties: an error's
// offset is inside the input; every event lies inside it, behind the one before; only events of
// PCRs 17 to 22 are extended, and replaying is folding their digests; where a container is not,
// zeros behind the log change nothing; check() has an answer for every event and at most a thousand
// issues.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/describe.h"
#include "libattest/eventlog/launch.h"
#include "libattest/eventlog/log.h"
#include "libattest/eventlog/replay.h"

namespace {

using attest::Bytes;
using attest::eventlog::Event;
using attest::eventlog::Format;
using attest::eventlog::Log;

void require(bool good) {
  if (!good) std::abort();
}

void check_events(const Log& log, Bytes in) {
  require(log.source() == attest::eventlog::Source::kLaunch);
  const std::uint8_t* end = in.data();
  for (const Event& e : log.events()) {
    require(in.data() + e.offset >= end);
    for (std::size_t i = 0; i < log.algorithms().size(); ++i) {
      const Bytes digest = log.digest(e, i);
      require(digest.empty() || digest.data() > in.data() + e.offset);
    }
    end = e.data.data() + e.data.size();
    require(e.data.data() >= in.data() + e.offset && end <= in.data() + in.size());
    require(!attest::eventlog::is_extended(e) || (e.pcr >= 17 && e.pcr <= 22));
  }
}

void check_replay(const Log& log) {
  const attest::eventlog::Replay replayed = attest::eventlog::replay(log);
  for (const attest::eventlog::Bank& bank : replayed.banks) {
    const std::size_t algorithm = *log.find(bank.hash);
    attest::crypto::Hasher hasher(bank.hash);
    const bool launch =
        std::any_of(log.events().begin(), log.events().end(), attest::eventlog::is_extended);
    for (std::uint32_t pcr = 17; pcr <= 22; ++pcr) {
      auto value = attest::crypto::Digest::filled(hasher.size(), launch ? 0 : 0xff);
      for (const Event& e : log.events()) {
        if (e.pcr == pcr && attest::eventlog::is_extended(e)) {
          value = hasher({value.bytes(), log.digest(e, algorithm)});
        }
      }
      require(value == bank.pcrs[pcr]);
    }
    const attest::eventlog::Checked checked = attest::eventlog::check(log, bank.hash);
    require(checked.coverage.size() == log.events().size() && checked.issues.size() <= 1000);
    for (const attest::eventlog::Issue& i : checked.issues) {
      require(i.event < log.events().size() && !i.what.empty());
    }
  }
}

// The log again, in an area that is larger.
void check_area(const Log& log, Bytes in) {
  if (log.format() == Format::kTxtContainer) return;
  std::vector<std::uint8_t> longer(in.begin(), in.end());
  longer.resize(in.size() + 40, 0);
  const Log again = Log::parse_launch(longer);
  require(again.events().size() == log.events().size() && again.format() == log.format());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in(data, size);
  try {
    const Log log = Log::parse_launch(in);
    check_events(log, in);
    check_replay(log);
    if (size < (1U << 20U) - 40) check_area(log, in);
    for (const Event& e : log.events()) {
      const std::string words = attest::eventlog::describe(log, e);
      require(!words.empty());
      require(std::none_of(words.begin(), words.end(), [](char c) { return c >= 0 && c < ' '; }));
    }
  } catch (const attest::ParseError& e) {
    require(e.offset() <= size);
  }
  return 0;
}
