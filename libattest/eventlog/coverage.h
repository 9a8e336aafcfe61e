// SPDX-License-Identifier: Apache-2.0

// Which part of an event's data its digest covers: the rules of PFP section 10 and what boot
// loaders do, one a type. For eventlog/ only; check() is the interface.

#ifndef LIBATTEST_EVENTLOG_COVERAGE_H_
#define LIBATTEST_EVENTLOG_COVERAGE_H_

#include <array>
#include <optional>

#include "libattest/crypto/digest.h"
#include "libattest/eventlog/actions.h"
#include "libattest/eventlog/check.h"
#include "libattest/eventlog/log.h"
#include "libattest/eventlog/quirks.h"

namespace attest::eventlog {

struct Cover {
  Coverage coverage = Coverage::kOpaque;
  std::optional<QuirkId> quirk;
};

// Compares data with digests of one bank. No data is hashed twice, and none whose type says that
// the digest is over something else.
class CoverageRules {
 public:
  explicit CoverageRules(crypto::Hash bank) : hasher_(bank) {}

  // For any event but EV_NO_ACTION.
  Cover of(const Event& event, Bytes digest);

 private:
  bool is_hash(Bytes digest, std::initializer_list<Bytes> parts);
  Cover whole(const Event& event, Bytes digest, Coverage otherwise);
  Cover variable_boot(const Event& event, Bytes digest);
  Cover authority(const Event& event, Bytes digest);
  Cover tagged(const Event& event, Bytes digest);
  Cover ipl(const Event& event, Bytes digest);
  Cover utf16_ipl(const Event& event, Bytes digest);

  crypto::Hasher hasher_;
};

// An event that its digest gives away, whatever its type claims.
enum class Known : std::uint8_t {
  kNone,
  kSeparator,
  kErrorSeparator,
  kAction,
  kExitBootServices,
  kOmitBootDevices,
};

class KnownDigests {
 public:
  explicit KnownDigests(crypto::Hash bank);
  Known find(Bytes digest) const noexcept;

 private:
  struct Entry {
    crypto::Digest digest;
    Known known = Known::kNone;
  };
  std::array<Entry, kKnownActions.size() + 4> entries_;
};

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_COVERAGE_H_
