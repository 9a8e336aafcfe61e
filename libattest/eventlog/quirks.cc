// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/quirks.h"

#include <algorithm>
#include <array>

#include "libattest/base/text.h"
#include "libattest/eventlog/actions.h"

namespace attest::eventlog {
namespace {

constexpr std::array kQuirks{
    Quirk{QuirkId::kVariableBootDataOnly, "variable-boot-data-only",
          "EV_EFI_VARIABLE_BOOT is measured without the variable's name"},
    Quirk{QuirkId::kShimTrailingByte, "shim-authority-trailing-byte",
          "shim logs an authority with one byte more than it measures"},
    Quirk{QuirkId::kShimNoOwner, "shim-authority-no-owner",
          "shim logs an authority without its SignatureOwner"},
    Quirk{QuirkId::kGrubHashesNul, "grub-hashes-nul",
          "GRUB measures a command with the NUL after it"},
    Quirk{QuirkId::kTrustBoundary, "windows-trust-boundary",
          "the Windows loader's last record has no PCR and is not extended"},
    Quirk{QuirkId::kEbsMissingSuccess, "exit-boot-services-not-logged",
          "the log lacks ExitBootServices's invocation and success"},
    Quirk{QuirkId::kEbsMissingFailure, "exit-boot-services-failure-not-logged",
          "the log lacks ExitBootServices's invocation and failure"},
    Quirk{QuirkId::kEbsMissingRetry, "exit-boot-services-retry-not-logged",
          "the log lacks ExitBootServices's invocation, failure and success"},
};

static_assert(std::ranges::is_sorted(kQuirks, {}, &Quirk::id));

}  // namespace

std::span<const Quirk> quirks() noexcept { return kQuirks; }

const Quirk& quirk(QuirkId id) noexcept { return kQuirks[static_cast<std::size_t>(id)]; }

std::optional<QuirkId> ebs_missing(Bytes quoted_pcr5, const Bank& replayed) {
  struct Continuation {
    QuirkId quirk;
    std::array<std::string_view, 3> actions;  // empty: none
  };
  constexpr std::array kContinuations{
      Continuation{QuirkId::kEbsMissingSuccess, {kExitInvocation, kExitSuccess, {}}},
      Continuation{QuirkId::kEbsMissingFailure, {kExitInvocation, kExitFailure, {}}},
      Continuation{QuirkId::kEbsMissingRetry, {kExitInvocation, kExitFailure, kExitSuccess}},
  };
  const crypto::Digest& start = replayed.pcrs[5];
  if (std::ranges::equal(quoted_pcr5, start.bytes())) return std::nullopt;
  crypto::Hasher hasher(replayed.hash);
  for (const Continuation& c : kContinuations) {
    crypto::Digest pcr = start;
    for (const std::string_view action : c.actions) {
      if (action.empty()) continue;
      const crypto::Digest measured = hasher(as_bytes(action));
      pcr = hasher({pcr.bytes(), measured.bytes()});
    }
    if (std::ranges::equal(quoted_pcr5, pcr.bytes())) return c.quirk;
  }
  return std::nullopt;
}

}  // namespace attest::eventlog
