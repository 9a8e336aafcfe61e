// SPDX-License-Identifier: Apache-2.0

#include "libattest/verify/launch.h"

#include "libattest/base/hex.h"

namespace attest::verify {

void check_launch(const policy::Policy* policy, crypto::Hash bank, const QuotedPcrs& quoted,
                  PcrTable& table, policy::Findings& findings, policy::Claims& claims) {
  const crypto::Digest* value = quoted.find(bank, tpm::kLaunchPcr);
  if (value == nullptr) return;  // check_quoted has said so where the policy judges it
  const bool required = policy != nullptr && policy->launch.required;
  if (tpm::shows_no_launch(tpm::kLaunchPcr, *value)) {
    claims.measured_launch = false;
    if (!required) return;
    table.set(bank, tpm::kLaunchPcr, policy::PcrState::kMismatch);
    findings.add({policy::Code::kNoMeasuredLaunch,
                  policy::Severity::kFailure,
                  policy::Component::kPcr,
                  tpm::kLaunchPcr,
                  {},
                  {},
                  {},
                  to_hex(value->bytes()),
                  "VMM (PCR 17-19): PCR 17 shows that there was no measured launch, and the policy "
                  "demands one"});
  } else if (required && table.get(bank, tpm::kLaunchPcr) == policy::PcrState::kAppraised) {
    claims.measured_launch = true;
  }
}

}  // namespace attest::verify
