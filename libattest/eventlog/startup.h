// SPDX-License-Identifier: Apache-2.0

// What PCR 0 holds before its first event: PFP section 10, StartupLocality and H-CRTM. One
// implementation for replay(), which follows it, and check(), which reports what does not follow
// it. For eventlog/ only.

#ifndef LIBATTEST_EVENTLOG_STARTUP_H_
#define LIBATTEST_EVENTLOG_STARTUP_H_

#include <cstdint>
#include <string_view>

#include "libattest/eventlog/log.h"

namespace attest::eventlog {

class Startup {
 public:
  enum class Step : std::uint8_t {
    kNothing,      // no event of this kind
    kApplied,      // PCR 0 starts with locality() in its last byte
    kBadLocality,  // a StartupLocality event that breaks a rule and is not followed
    kBadHcrtm,     // an H-CRTM event that breaks a rule: an extend like any other
  };
  struct Seen {
    Step step = Step::kNothing;
    std::string_view why;  // the rule, for the Bad steps
  };

  // To be called with each event, in order.
  Seen feed(const Event& event) noexcept;

  std::uint8_t locality() const noexcept { return locality_; }
  bool hcrtm() const noexcept { return hcrtm_; }

 private:
  Seen locality_event(const Event& event) noexcept;
  Seen hcrtm_event(const Event& event) noexcept;

  std::uint8_t locality_ = 0;
  bool seen_locality_ = false;
  bool hcrtm_ = false;
  bool extended_ = false;  // PCR 0, by an event before this one
};

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_STARTUP_H_
