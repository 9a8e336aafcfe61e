// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/check.h"

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/eventlog/coverage.h"
#include "libattest/eventlog/event_data.h"
#include "libattest/eventlog/issues.h"
#include "libattest/eventlog/launch.h"
#include "libattest/eventlog/startup.h"
#include "libattest/eventlog/types.h"
#include "libattest/tpm/pcr.h"

namespace attest::eventlog {
namespace {

// The firmware's own PCRs, each of which ends in a separator (PFP 3.3.4).
constexpr std::uint32_t kNumFirmwarePcrs = 8;
constexpr std::uint32_t kExitBootServicesPcr = 5;

class Checker {
 public:
  Checker(const Log& log, crypto::Hash bank, std::size_t algorithm, Checked& out)
      : log_(log), algorithm_(algorithm), rules_(bank), known_(bank), issues_(out.issues) {}

  Coverage event(const Event& e) {
    startup(e);
    if (e.type == kEvNoAction) {
      structure(e, {});
      no_action(e);
      return Coverage::kUnextended;
    }
    const Bytes digest = log_.digest(e, algorithm_);
    const Known known = known_.find(digest);
    Cover cover = rules_.of(e, digest);
    if (e.type == kEvSeparator && known == Known::kErrorSeparator) cover.coverage = error(e, cover);
    structure(e, cover);
    type(e);
    retyped(e, known, cover);
    if (e.type == kEvSeparator && e.pcr < kNumFirmwarePcrs) {
      separator(e, known, cover.coverage);
    } else if (cover.coverage == Coverage::kMismatch) {
      issues_.add(Problem::kDataMismatch, e, "the digest is not that of the event's data");
    }
    if (cover.quirk) allow(e, *cover.quirk);
    if (known == Known::kExitBootServices && e.pcr == kExitBootServicesPcr) exit_boot_services(e);
    return cover.coverage;
  }

  void finish() { issues_.finish(); }

 private:
  void startup(const Event& e) {
    const Startup::Seen seen = startup_.feed(e);
    if (seen.step == Startup::Step::kBadLocality) issues_.add(Problem::kLocality, e, seen.why);
    if (seen.step == Startup::Step::kBadHcrtm) issues_.add(Problem::kHcrtm, e, seen.why);
  }

  void structure(const Event& e, const Cover& cover) {
    try {
      if (cover.quirk == QuirkId::kShimTrailingByte) {
        parse_shim_authority(e.data);
        return;
      }
      check_structure(e.type, e.data, log_.pointer_size());
    } catch (const ParseError& error) {
      issues_.add(Problem::kMalformedData, e, error.what());
    }
  }

  // The digests of EV_NO_ACTION are zero, in every bank. The Windows loader's record
  // is no event of the firmware's.
  void no_action(const Event& e) {
    if (e.pcr == kTrustBoundaryPcr) {
      allow(e, QuirkId::kTrustBoundary);
      return;
    }
    for (std::size_t i = 0; i < log_.algorithms().size(); ++i) {
      if (!std::ranges::any_of(log_.digest(e, i), std::identity{})) continue;
      issues_.add(Problem::kNoActionDigest, e, "EV_NO_ACTION with a digest that is not zero");
      return;
    }
  }

  void allow(const Event& e, QuirkId id) {
    issues_.add(Problem::kQuirk, e, e.pcr,
                [&] { return std::string(quirk(id).name) + ": " + std::string(quirk(id).what); });
  }

  void type(const Event& e) {
    const bool launch = tpm::is_launch_pcr(e.pcr);
    if (e.type == kEvUnused) {
      issues_.add(Problem::kUnusedType, e, "EV_UNUSED, which no event may have");
    } else if (!is_pfp_type(e.type) && !(launch && is_txt_type(e.type))) {
      issues_.add(Problem::kUnknownType, e, e.pcr,
                  [&] { return "event type " + type_name(e.type) + " is none of this PCR's"; });
    }
  }

  // On an error the separator's digest is that of 1 and its data says what happened.
  Coverage error(const Event& e, const Cover& cover) {
    issues_.add(Problem::kFirmwareError, e, e.pcr, [&] {
      const std::size_t shown = std::min<std::size_t>(e.data.size(), 16);
      return "the firmware reported an error, with the data " + to_hex(e.data.first(shown)) +
             (shown < e.data.size() ? "..." : "");
    });
    return cover.coverage == Coverage::kCovered ? cover.coverage : Coverage::kOpaque;
  }

  void retyped(const Event& e, Known known, const Cover& cover) {
    bool good = true;
    switch (known) {
      case Known::kNone:
        break;
      case Known::kSeparator:
        good = e.type == kEvSeparator;
        break;
      case Known::kErrorSeparator:
        good = e.type == kEvSeparator || is_boot_order(e, cover);
        break;
      case Known::kOmitBootDevices:
        good = e.type == kEvOmitBootDeviceEvents || e.type == kEvAction || e.type == kEvEfiAction;
        break;
      case Known::kAction:
      case Known::kExitBootServices:
        good = e.type == kEvAction || e.type == kEvEfiAction;
        break;
    }
    if (good) return;
    issues_.add(Problem::kRetyped, e, e.pcr, [&] {
      const bool separator = known == Known::kSeparator || known == Known::kErrorSeparator;
      return "the digest is that of " + std::string(separator ? "a separator" : "an action") +
             ", the type is " + type_name(e.type);
    });
  }

  // Boot order 0001, 0000, measured as the variable's data alone, is the same four bytes as an
  // error separator. In PCR 1 such a separator would be a second one, or stand in a missing one's
  // place.
  static bool is_boot_order(const Event& e, const Cover& cover) {
    return e.pcr == 1 && e.type == kEvEfiVariableBoot && cover.coverage == Coverage::kPartly &&
           parse_variable(e.data).is(kEfiGlobalVariable, "BootOrder");
  }

  void separator(const Event& e, Known known, Coverage coverage) {
    bool& seen = separators_[e.pcr];
    if (seen) {
      issues_.add(Problem::kSeparator, e, "a second separator in this PCR");
    } else if (known != Known::kErrorSeparator &&
               (known != Known::kSeparator || coverage != Coverage::kCovered)) {
      issues_.add(Problem::kSeparator, e,
                  "a separator whose data or digest is not that of 00000000 or ffffffff");
    }
    seen = true;
  }

  // By its digest: what the event claims to be does not matter.
  void exit_boot_services(const Event& e) {
    if (exited_) return;
    exited_ = true;
    for (std::uint32_t pcr = 0; pcr < kNumFirmwarePcrs; ++pcr) {
      if (separators_[pcr]) continue;
      issues_.add(Problem::kSeparator, e, pcr, [&] {
        return "PCR " + std::to_string(pcr) + " has no separator before ExitBootServices";
      });
    }
  }

  const Log& log_;
  std::size_t algorithm_;
  CoverageRules rules_;
  KnownDigests known_;
  Issues issues_;
  Startup startup_;
  std::array<bool, kNumFirmwarePcrs> separators_{};
  bool exited_ = false;
};

}  // namespace

std::string_view name_of(Coverage coverage) noexcept {
  switch (coverage) {
    case Coverage::kOpaque:
      return "opaque";
    case Coverage::kCovered:
      return "covered";
    case Coverage::kPartly:
      return "partly";
    case Coverage::kMismatch:
      return "mismatch";
    case Coverage::kUnextended:
      return "unextended";
  }
  return "opaque";
}

Checked check(const Log& log, crypto::Hash bank) {
  const std::optional<std::size_t> algorithm = log.find(bank);
  if (!algorithm) throw std::invalid_argument("the event log does not carry this bank");
  if (log.source() == Source::kLaunch) return check_launch(log, bank);
  Checked out;
  out.coverage.reserve(log.events().size());
  Checker checker(log, bank, *algorithm, out);
  for (const Event& e : log.events()) out.coverage.push_back(checker.event(e));
  checker.finish();
  return out;
}

}  // namespace attest::eventlog
