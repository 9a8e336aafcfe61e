// SPDX-License-Identifier: Apache-2.0

// What an appraisal says of the quote itself; its parts have tests of their own.

#include "libattest/verify/appraise.h"

#include <catch2/catch.hpp>

#include "tests/support/evidence.h"
#include "tests/support/signer.h"

namespace {

using attest::policy::Code;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Severity;
using attest::policy::Verdict;

// A quote of PCR 0 whose clock is safe or not.
Parts quote_with(std::uint8_t safe) {
  static const Signer ak = Signer::rsa();
  const PcrValues pcrs{{0x000b, {{0, Octets(32, 1)}}}};
  QuoteFields fields = quote_of(pcrs);
  fields.safe = safe;
  Parts p;
  p.ak = ak.tpm2b_public();
  p.attest = make_attest(fields);
  p.signature = ak.sign(p.attest);
  p.pcrs = make_pcrs(pcrs);
  p.nonce = Octets(20, 0x5a);
  return p;
}

}  // namespace

TEST_CASE("a clock that may have gone back is told, and fails where the policy wants it safe") {
  Policy policy;
  policy.pcrs[0] = {attest::crypto::Digest::filled(32, 1)};
  const auto severity = [&](std::uint8_t safe) -> std::optional<Severity> {
    const Report report = quote_with(safe).appraise(&policy);
    for (const auto& f : report.findings.list()) {
      if (f.code == Code::kClockUnsafe) return f.severity;
    }
    return std::nullopt;
  };
  CHECK_FALSE(severity(1).has_value());
  CHECK(severity(0) == Severity::kInfo);
  CHECK(quote_with(0).appraise(&policy).verdict == Verdict::kTrusted);
  policy.clock.require_safe = true;
  CHECK_FALSE(severity(1).has_value());
  CHECK(quote_with(1).appraise(&policy).verdict == Verdict::kTrusted);
  CHECK(severity(0) == Severity::kFailure);
}
