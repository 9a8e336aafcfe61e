// SPDX-License-Identifier: Apache-2.0

// Target: attest::eventlog::Log::parse, replay, check, describe, secure_boot. Properties: an
// error's offset is inside the input; the parsed events, written again, are the input; replaying is
// folding each PCR's digests one after the other; check() has an answer for every event, at most
// eight hundred issues, and throws nothing; nothing depends on anything but the input.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/describe.h"
#include "libattest/eventlog/log.h"
#include "libattest/eventlog/replay.h"
#include "libattest/eventlog/secure_boot.h"
#include "libattest/eventlog/startup.h"
#include "libattest/eventlog/types.h"

namespace {

using attest::Bytes;
using attest::eventlog::Event;
using attest::eventlog::Log;

void require(bool good) {
  if (!good) std::abort();
}

void put(std::vector<std::uint8_t>& out, std::size_t size, std::uint64_t value) {
  for (; size > 0; --size, value >>= 8U) out.push_back(static_cast<std::uint8_t>(value));
}
void put(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The record as it stood in the input, but for the order of its digests.
std::vector<std::uint8_t> encode(const Log& log, const Event& e, Bytes record) {
  const bool agile = log.format() == attest::eventlog::Format::kCryptoAgile && e.index != 0;
  std::vector<std::uint8_t> out;
  put(out, 4, e.pcr);
  put(out, 4, e.type);
  if (!agile) {
    put(out, log.digest(e, 0));
    out.resize(28);  // the header of a crypto-agile log has a digest of zeros
  } else {
    put(out, 4, log.algorithms().size());
    std::size_t at = out.size();
    for (std::size_t n = 0; n < log.algorithms().size(); ++n) {
      const auto id = static_cast<std::uint16_t>(record[at] | record[at + 1] << 8U);
      std::size_t i = 0;
      while (log.algorithms().at(i).id != id) ++i;
      put(out, 2, id);
      put(out, log.digest(e, i));
      at += 2U + log.algorithms()[i].size;
    }
  }
  put(out, 4, e.data.size());
  put(out, e.data);
  return out;
}

void check_encoding(const Log& log, Bytes in) {
  std::size_t end = 0;
  for (const Event& e : log.events()) {
    require(e.offset == end);
    const Bytes record = in.subspan(e.offset);
    const std::vector<std::uint8_t> again = encode(log, e, record);
    require(again.size() <= record.size() &&
            std::equal(again.begin(), again.end(), record.begin()));
    end += again.size();
  }
  require(end == in.size());
}

void check_replay(const Log& log) {
  const attest::eventlog::Replay replayed = attest::eventlog::replay(log);
  for (const attest::eventlog::Bank& bank : replayed.banks) {
    const std::size_t algorithm = *log.find(bank.hash);
    attest::crypto::Hasher hasher(bank.hash);
    bool launch = false;
    for (std::uint32_t pcr = 17; pcr <= 22; ++pcr) launch |= replayed.num_extends[pcr] != 0;
    for (std::uint32_t pcr = 0; pcr < attest::eventlog::kNumPcrs; ++pcr) {
      const bool ones = pcr >= 17 && pcr <= 22 && !launch;
      auto value = attest::crypto::Digest::filled(hasher.size(), ones ? 0xff : 0);
      if (pcr == 0) value.resize(hasher.size()).back() = replayed.startup_locality;
      std::uint32_t extends = 0;
      for (const Event& e : log.events()) {
        if (e.pcr != pcr || !attest::eventlog::is_extended(e)) continue;
        value = hasher({value.bytes(), log.digest(e, algorithm)});
        ++extends;
      }
      require(value == bank.pcrs[pcr] && extends == replayed.num_extends[pcr]);
    }
  }
}

void check_checks(const Log& log) {
  for (const attest::eventlog::Algorithm& a : log.algorithms()) {
    if (!a.hash) continue;
    const attest::eventlog::Checked checked = attest::eventlog::check(log, *a.hash);
    require(checked.coverage.size() == log.events().size() && checked.issues.size() <= 800);
    for (const attest::eventlog::Issue& i : checked.issues) {
      require(i.event < log.events().size() && !i.what.empty());
      require(i.pcr < attest::eventlog::kNumPcrs || i.pcr == attest::eventlog::kTrustBoundaryPcr);
    }
    const auto state = attest::eventlog::secure_boot(log, checked);
    const bool known = state.state != attest::eventlog::SecureBoot::kUnknown;
    require(known == state.reasons.empty());
  }
  for (const Event& e : log.events()) {
    const std::string words = attest::eventlog::describe(log, e);
    require(!words.empty());
    require(std::none_of(words.begin(), words.end(), [](char c) { return c >= 0 && c < ' '; }));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes in(data, size);
  try {
    const Log log = Log::parse(in);
    check_encoding(log, in);
    check_replay(log);
    check_checks(log);
  } catch (const attest::ParseError& e) {
    require(e.offset() <= size);
  }
  return 0;
}
