// SPDX-License-Identifier: Apache-2.0

// The checks of a quote, in their order, each a function that can be held against its section of
// the TPM 2.0 Library specification (rev. 1.59) or, for a TPM 1.2's quote, of the TPM Main
// Specification 1.2 (rev. 116). Only what they pass becomes QuotedPcrs.

#ifndef LIBATTEST_VERIFY_QUOTE_H_
#define LIBATTEST_VERIFY_QUOTE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/policy/finding.h"
#include "libattest/policy/policy.h"
#include "libattest/policy/report.h"
#include "libattest/tpm/key.h"
#include "libattest/tpm/pcr.h"
#include "libattest/tpm/quote.h"
#include "libattest/tpm/signature.h"
#include "libattest/verify/challenge.h"

namespace attest::verify {

// A quote as it was received: nothing of it is verified. Owns its bytes; moving keeps views valid.
class QuoteEvidence {
 public:
  // A bare signature is taken as it is: only the key, at verification, can tell what it must be.
  static QuoteEvidence parse(Bytes attest, Bytes signature, Bytes pcrs);
  static QuoteEvidence parse_keylime(std::string_view text);

  const tpm::ClaimedQuote& quote() const noexcept { return quote_; }
  const tpm::ClaimedPcrs& pcrs() const noexcept { return pcrs_; }
  // The signature, read for a key. Throws ParseError when it is no signature of such a key.
  tpm::ClaimedSignature signature(const crypto::PublicKey& key) const;

  QuoteEvidence(QuoteEvidence&&) = default;
  QuoteEvidence& operator=(QuoteEvidence&&) = default;

 private:
  QuoteEvidence(Bytes attest, Bytes signature, Bytes pcrs);

  std::vector<std::uint8_t> attest_;
  std::vector<std::uint8_t> signature_;
  tpm::ClaimedQuote quote_;
  tpm::ClaimedPcrs pcrs_;
};

// PCR values under a quote's good signature: the only ones that an appraisal looks at. Nothing but
// verify_quote makes one.
class QuotedPcrs {
 public:
  struct Bank {
    crypto::Hash hash{};
    std::uint32_t mask = 0;  // bit n: PCR n was quoted
    std::array<crypto::Digest, tpm::kNumPcrs> values;
  };

  const std::vector<Bank>& banks() const noexcept { return banks_; }
  const Bank* find(crypto::Hash bank) const noexcept;
  // Null when it was not quoted.
  const crypto::Digest* find(crypto::Hash bank, std::uint32_t pcr) const noexcept;

 private:
  friend class QuoteVerifier;
  QuotedPcrs() = default;
  std::vector<Bank> banks_;
};

// Runs every check. Nothing when one of them failed; the findings then say which.
// `claims` gets what was verified.
std::optional<QuotedPcrs> verify_quote(const QuoteEvidence& evidence,
                                       const tpm::AttestationKey& key, Bytes nonce, bool allow_sha1,
                                       policy::Findings& findings, policy::Claims& claims);

// The key's own checks: attributes, Name, strength (TPM 2.0 Library Part 1, section 16 and Part 2,
// section 8.3; Part 1, section 33 for restricted keys), and the policy's pins. They need no quote.
// `binding` is null where no challenge has bound the key.
void verify_key(const tpm::AttestationKey& key, const policy::Policy* policy,
                const KeyBinding* binding, bool allow_sha1, policy::Findings& findings,
                policy::Claims& claims);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_QUOTE_H_
