// SPDX-License-Identifier: Apache-2.0

// What firmware and boot loaders do against their specifications and is allowed for nevertheless,
// each by name. A quirk is never applied without an issue or a return value that names it.

#ifndef LIBATTEST_EVENTLOG_QUIRKS_H_
#define LIBATTEST_EVENTLOG_QUIRKS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/eventlog/replay.h"

namespace attest::eventlog {

enum class QuirkId : std::uint8_t {
  kVariableBootDataOnly,
  kShimTrailingByte,
  kShimNoOwner,
  kGrubHashesNul,
  kTrustBoundary,
  kEbsMissingSuccess,
  kEbsMissingFailure,
  kEbsMissingRetry,
};

struct Quirk {
  QuirkId id;
  std::string_view name;  // "variable-boot-data-only"; stable
  std::string_view what;  // one sentence without its full stop
};

std::span<const Quirk> quirks() noexcept;
const Quirk& quirk(QuirkId id) noexcept;

// Some firmware extends PCR 5 when ExitBootServices is called without logging it. The quirk by
// which `quoted_pcr5` is PCR 5 of `replayed` after exactly the events that ExitBootServices extends
// (PFP: invocation and success; invocation and failure; both after a failed first try), if it
// is one of these three. For PCR 5 only, and only where the replayed value itself does not match.
std::optional<QuirkId> ebs_missing(Bytes quoted_pcr5, const Bank& replayed);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_QUIRKS_H_
