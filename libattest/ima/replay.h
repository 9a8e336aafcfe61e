// SPDX-License-Identifier: Apache-2.0

// Replaying a measurement list: what the PCR is after each record, in the banks that are asked for.

#ifndef LIBATTEST_IMA_REPLAY_H_
#define LIBATTEST_IMA_REPLAY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "libattest/crypto/digest.h"
#include "libattest/ima/entry.h"

namespace attest::ima {

// What the kernel extends into a bank. Numbers are part of the C ABI (attest_ima_digest_mode).
enum class DigestMode : std::uint8_t {
  kNative = 1,  // the bank's own hash of the template data; a violation extends 0xff bytes
  kPadded = 2,  // SHA-1 padded with zeros: the kernel lacked the bank's hash; violations as above
  kPaddedOld = 3,  // SHA-1 padded with zeros; a violation extends 20 bytes 0xff, padded with zeros
};
std::string_view name_of(DigestMode mode) noexcept;  // "padded-old"

class Replay {
 public:
  struct BankState {
    crypto::Hash hash;
    DigestMode mode;
    crypto::Digest value;  // the PCR so far; zero before the first entry
  };

  // `list_bank` is the algorithm of the list's header digests; `banks` are what to replay.
  Replay(crypto::Hash list_bank, std::span<const crypto::Hash> banks, DigestMode mode);

  // Goes on from a value that `bank` (one of the banks) had after earlier entries.
  void resume(crypto::Hash bank, const crypto::Digest& value);

  // Hashes the template data and says whether the header digest is its hash (always true for a
  // violation). Template data that is empty because the template is unknown checks false.
  bool check_header(const Entry& entry);
  // Extends every bank with the entry that check_header was last called with.
  void extend(const Entry& entry);

  const std::vector<BankState>& banks() const noexcept { return banks_; }

 private:
  // A hasher, and what it made of the template data that was given last.
  struct Slot {
    explicit Slot(crypto::Hash hash) : hasher(hash) {}
    void hash(Bytes data) { hasher.into(std::span(digest).first(hasher.size()), {data}); }
    Bytes bytes() const { return Bytes(digest).first(hasher.size()); }

    crypto::Hasher hasher;
    std::array<std::uint8_t, crypto::kMaxDigestSize> digest{};
  };
  // What a bank is extended with.
  struct Rule {
    std::size_t own;     // the bank's hasher
    std::size_t source;  // whose digest of the template data it takes,
    Bytes padding;       // followed by these zeros
    crypto::Digest violation;
  };

  std::size_t slot_of(crypto::Hash hash);

  // One for each distinct algorithm, so that the header's hash serves its bank too; the first is
  // the list's.
  std::vector<Slot> slots_;
  std::vector<BankState> banks_;
  std::vector<Rule> rules_;           // of the bank in the same place
  std::vector<std::size_t> sources_;  // slots that the banks take from, but for the first
};

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_REPLAY_H_
