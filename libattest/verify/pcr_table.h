// SPDX-License-Identifier: Apache-2.0

// What became of each quoted PCR while the parts of an appraisal went by.

#ifndef LIBATTEST_VERIFY_PCR_TABLE_H_
#define LIBATTEST_VERIFY_PCR_TABLE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// What OpenAttestation's whitelists call the parts of a trusted boot, as bit maps.
inline constexpr std::uint32_t kBiosPcrs = 0xff;    // 0 to 7
inline constexpr std::uint32_t kVmmPcrs = 0xe0000;  // 17 to 19

class PcrTable {
 public:
  explicit PcrTable(const QuotedPcrs& quoted);

  // A state is only ever raised: unexplained, then replayed or initial, then appraised. A mismatch
  // stays.
  void set(crypto::Hash bank, std::uint32_t pcr, policy::PcrState state) noexcept;
  policy::PcrState get(crypto::Hash bank, std::uint32_t pcr) const noexcept;

  const std::vector<policy::PcrClaim>& claims() const noexcept { return claims_; }
  std::vector<policy::PcrClaim> take() { return std::move(claims_); }

 private:
  policy::PcrClaim* find(crypto::Hash bank, std::uint32_t pcr) noexcept;
  std::vector<policy::PcrClaim> claims_;
};

// The bank of quoted PCRs that is judged where no policy says which, and that a policy is learned
// of: SHA-256, else the first that is better than SHA-1, else that.
crypto::Hash best_bank(const std::vector<policy::PcrClaim>& pcrs) noexcept;

// Whether all PCRs that the policy judges were quoted, in its bank. Nothing of the policy can be
// judged otherwise.
bool check_quoted(const policy::Policy& policy, const QuotedPcrs& quoted,
                  policy::Findings& findings);

// Compares quoted PCRs with the policy's reference values.
void check_reference_values(const policy::Policy& policy, const QuotedPcrs& quoted, PcrTable& table,
                            policy::Findings& findings);

// The last word on each PCR: what the policy names must be appraised, and what a log should explain
// must be explained. `logged`: whether one of the evidence's event logs is to explain a PCR.
using Logged = std::function<bool(crypto::Hash bank, std::uint32_t pcr)>;
void check_explained(const policy::Policy* policy, const Logged& logged, const PcrTable& table,
                     policy::Findings& findings);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_PCR_TABLE_H_
