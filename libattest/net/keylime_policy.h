// SPDX-License-Identifier: Apache-2.0

// Policies in the forms in which verifiers of different releases want them. What they mean is the
// verifier's to say; here they are only changed from one form into another, and refused where they
// are none.

#ifndef LIBATTEST_NET_KEYLIME_POLICY_H_
#define LIBATTEST_NET_KEYLIME_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace attest::net {

// A PCR's bit in a quote mask.
constexpr std::uint32_t pcr_bit(unsigned pcr) noexcept { return 1U << pcr; }
inline constexpr unsigned kImaPcr = 10;
inline constexpr unsigned kKeyPcr = 16;  // the agent binds its public key to the quote there
// keylime/config.py: 0 to 9 and 11 to 15.
inline constexpr std::uint32_t kMeasuredBootMask = 0xfbff;

// Throws ParseError for what is not a JSON object with "digests".
void check_runtime_policy(std::string_view json);

// A Keylime runtime policy (version 1) of a flat allowlist ("DIGEST PATH" a line, as sha256sum and
// Keylime write it) and an excludelist (a pattern a line; empty lines and # lines are passed over).
// Throws ParseError, with the line.
std::string runtime_policy_of_lists(std::string_view allowlist,
                                    std::optional<std::string_view> excludelist);

// What verifiers before 6.6 take: {"allowlist": …, "exclude": […]}, from a runtime policy.
std::string legacy_allowlist(std::string_view runtime_policy);
// The keys of file signatures, which they take apart from it; "[]" when there are none.
std::string legacy_verification_keys(std::string_view runtime_policy);

// A Keylime TPM policy, {"22": ["hex", …] or "hex", …, "mask": "0x…"}, with the mask of its PCRs,
// its own mask and `more` put in. "" is the empty policy. Refuses PCR 10 (IMA), PCR 16 (the
// agent's key) and what is not lower or upper case hexadecimal of a digest's length.
std::string tpm_policy_with_mask(std::string_view text, std::uint32_t more);

// A measured-boot reference state: throws ParseError for what is not a JSON object.
void check_mb_policy(std::string_view json);

}  // namespace attest::net

#endif  // LIBATTEST_NET_KEYLIME_POLICY_H_
