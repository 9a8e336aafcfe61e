// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/launch.h"

#include <algorithm>
#include <array>
#include <functional>

#include "libattest/eventlog/issues.h"
#include "libattest/eventlog/types.h"
#include "libattest/tpm/pcr.h"

namespace attest::eventlog {
namespace {

constexpr std::uint32_t kAuthoritiesPcr = 18;
constexpr std::uint32_t kModulesPcr = 19;
constexpr std::uint32_t kNvPcr = 22;

std::string module(std::size_t number) {
  const std::string name = "module " + std::to_string(number);
  if (number == 0) return name + " (the kernel)";
  return number == 1 ? name + " (the ramdisk)" : name;
}

// How many of tboot's own events come before this one in its PCR.
std::size_t place_of(const Log& log, const Event& event) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(log.events(), [&](const Event& e) {
    return e.index < event.index && e.pcr == event.pcr && e.type == kTxtTbootMeasurement;
  }));
}

class LaunchChecker {
 public:
  LaunchChecker(const Log& log, crypto::Hash bank, Checked& out)
      : log_(log), algorithm_(*log.find(bank)), hasher_(bank), issues_(out.issues) {}

  Coverage event(const Event& e) {
    if (e.type == kEvNoAction) {
      no_action(e);
      return Coverage::kUnextended;
    }
    if (!is_txt_type(e.type)) {
      issues_.add(Problem::kUnknownType, e, e.pcr,
                  [&] { return "event type " + type_name(e.type) + " is none of a launch's"; });
    }
    if (!is_extended(e)) return Coverage::kUnextended;
    order(e);
    const Bytes digest = log_.digest(e, algorithm_);
    const bool covered = !e.data.empty() && std::ranges::equal(hasher_(e.data).bytes(), digest);
    return covered ? Coverage::kCovered : Coverage::kOpaque;
  }

  void finish() {
    if (log_.full() && !log_.events().empty()) {
      issues_.add(Problem::kLogFull, log_.events().back(),
                  "the log's area is full: events after this one may have been lost");
    }
    issues_.finish();
  }

 private:
  void no_action(const Event& e) {
    for (std::size_t i = 0; i < log_.algorithms().size(); ++i) {
      if (std::ranges::none_of(log_.digest(e, i), std::identity{})) continue;
      issues_.add(Problem::kNoActionDigest, e, "EV_NO_ACTION with a digest that is not zero");
      return;
    }
  }

  void order(const Event& e) {
    const bool first = !begun_[e.pcr];
    begun_[e.pcr] = true;
    if ((e.type == kTxtHashStart) != (first && e.pcr == tpm::kLaunchPcr)) {
      issues_.add(Problem::kRetyped, e, e.pcr, [&] {
        return first && e.pcr == tpm::kLaunchPcr
                   ? std::string("PCR 17 begins with an event that is no HASH_START")
                   : std::string("a HASH_START that does not begin PCR 17");
      });
    }
    if (e.type == kTxtTbootMeasurement) {
      launched_[e.pcr] = true;
    } else if (launched_[e.pcr]) {
      issues_.add(Problem::kRetyped, e, "an event of SINIT's after one of tboot's");
    }
  }

  const Log& log_;
  std::size_t algorithm_;
  crypto::Hasher hasher_;
  Issues issues_;
  std::array<bool, kNumPcrs> begun_{};     // by PCR: an event was extended
  std::array<bool, kNumPcrs> launched_{};  // by PCR: tboot extended one
};

}  // namespace

Mapping claimed_mapping(const Log& log) noexcept {
  Mapping mapping = Mapping::kUnknown;
  for (const Event& e : log.events()) {
    const bool details = e.type == kTxtLcpDetailsHash || e.type == kTxtLcpAuthoritiesHash ||
                         e.type == kTxtSinitPubkeyHash;
    if (!is_extended(e) || (!details && e.type != kTxtCombinedHash)) continue;
    const Mapping says = details ? Mapping::kDetailsAuthorities : Mapping::kLegacy;
    if (mapping != Mapping::kUnknown && mapping != says) return Mapping::kUnknown;
    mapping = says;
  }
  return mapping;
}

std::string_view name_of(Mapping mapping) noexcept {
  switch (mapping) {
    case Mapping::kUnknown:
      return {};
    case Mapping::kLegacy:
      return "legacy";
    case Mapping::kDetailsAuthorities:
      return "details-authorities";
  }
  return {};
}

std::string name_in_launch(const Log& log, const Event& event) {
  if (event.type != kTxtTbootMeasurement) return "no data";
  const std::size_t place = place_of(log, event);
  const Mapping mapping = claimed_mapping(log);
  if (event.pcr == kNvPcr) return "an NV index";
  if (event.pcr == kModulesPcr) return module(place + 1);
  if (event.pcr == tpm::kLaunchPcr && place == 0) return "tboot policy";
  if (event.pcr == tpm::kLaunchPcr && mapping == Mapping::kDetailsAuthorities)
    return module(place - 1);
  if (event.pcr == kAuthoritiesPcr && place == 0) {
    if (mapping == Mapping::kDetailsAuthorities) return "tboot policy";
    if (mapping == Mapping::kLegacy) return module(0);
  }
  return "no data";
}

Checked check_launch(const Log& log, crypto::Hash bank) {
  Checked out;
  out.coverage.reserve(log.events().size());
  LaunchChecker checker(log, bank, out);
  for (const Event& e : log.events()) out.coverage.push_back(checker.event(e));
  checker.finish();
  return out;
}

}  // namespace attest::eventlog
