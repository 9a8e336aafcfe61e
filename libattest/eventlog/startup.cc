// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/startup.h"

#include "libattest/base/text.h"
#include "libattest/eventlog/types.h"

namespace attest::eventlog {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kStartupLocality = "StartupLocality\0"sv;
constexpr std::uint8_t kMaxLocality = 4;
constexpr std::uint8_t kHcrtmLocality = 4;

}  // namespace

Startup::Seen Startup::feed(const Event& event) noexcept {
  Seen seen;
  if (event.type == kEvNoAction) {
    if (as_text(event.data).starts_with(kStartupLocality)) seen = locality_event(event);
    return seen;
  }
  if (event.type == kEvEfiHcrtmEvent) seen = hcrtm_event(event);
  if (event.pcr == 0) extended_ = true;
  return seen;
}

// TCG_EfiStartupLocalityEvent
Startup::Seen Startup::locality_event(const Event& event) noexcept {
  if (event.pcr != 0) return {Step::kBadLocality, "StartupLocality is for PCR 0 only"};
  if (seen_locality_) return {Step::kBadLocality, "a second StartupLocality"};
  seen_locality_ = true;
  if (extended_) return {Step::kBadLocality, "StartupLocality after PCR 0 was extended"};
  if (event.data.size() != kStartupLocality.size() + 1) {
    return {Step::kBadLocality, "StartupLocality is not of its size"};
  }
  if (event.data.back() > kMaxLocality) {
    return {Step::kBadLocality, "StartupLocality is no locality"};
  }
  locality_ = event.data.back();
  return {Step::kApplied, {}};
}

// An H-CRTM measures before TPM2_Startup, whatever locality that comes from.
Startup::Seen Startup::hcrtm_event(const Event& event) noexcept {
  if (event.pcr != 0) return {Step::kBadHcrtm, "EV_EFI_HCRTM_EVENT is for PCR 0 only"};
  if (hcrtm_) return {Step::kBadHcrtm, "a second EV_EFI_HCRTM_EVENT"};
  if (extended_) return {Step::kBadHcrtm, "EV_EFI_HCRTM_EVENT after PCR 0 was extended"};
  hcrtm_ = true;
  locality_ = kHcrtmLocality;
  return {Step::kApplied, {}};
}

}  // namespace attest::eventlog
