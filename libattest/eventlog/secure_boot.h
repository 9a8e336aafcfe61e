// SPDX-License-Identifier: Apache-2.0

// The state of Secure Boot as PCR 7's events tell it (PFP 3.3.4, PCR[7]). True only as far as
// the log replays to a quoted PCR 7 in the bank that was checked; PCR 2 tells when drivers ended.

#ifndef LIBATTEST_EVENTLOG_SECURE_BOOT_H_
#define LIBATTEST_EVENTLOG_SECURE_BOOT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {

// Numbers are part of the C ABI (attest_secure_boot). Unknown is never disabled.
enum class SecureBoot : std::uint8_t { kUnknown = 0, kDisabled = 1, kEnabled = 2 };
std::string_view name_of(SecureBoot state) noexcept;  // "unknown"

// What a signature database holds.
struct SignatureSet {
  bool present = false;
  std::size_t count = 0;                  // of signatures of all kinds
  std::vector<std::string> certificates;  // hex SHA-256 of each DER certificate
  std::vector<std::string> hashes;        // "sha256:hex" and longer ones
};

// Something that vouched for code that ran.
struct Authority {
  std::uint32_t event = 0;        // index in the log
  std::string variable;           // escaped
  std::string certificate;        // hex SHA-256 of the certificate; empty where it is none
  std::string hash;               // hex, where an image's hash was listed instead
  bool before_separator = false;  // drivers and option ROMs, not the operating system's loader
};

struct SecureBootState {
  SecureBoot state = SecureBoot::kUnknown;
  // Why the state is unknown, at most 32 lines, untrusted text in them escaped. While there is one,
  // nothing below is proven.
  std::vector<std::string> reasons;
  SignatureSet pk, kek, db, dbx;
  std::vector<Authority> authorities;
  std::vector<std::string>
      other_variables;  // names, escaped, of the variables that PCR 7 has besides
  bool dma_protection_disabled = false;
  bool debugger = false;  // also a reason
};

// `checked` is check()'s of the same log.
SecureBootState secure_boot(const Log& log, const Checked& checked);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_SECURE_BOOT_H_
