// SPDX-License-Identifier: Apache-2.0

// Walking an IMA list against quoted PCR values. The kernel appends while the TPM signs, so the
// list may go on after the entry at which its replay equals the quote: what follows is counted and
// nothing more. A walk may begin where the one of an earlier appraisal has ended.

#ifndef LIBATTEST_VERIFY_IMA_WALK_H_
#define LIBATTEST_VERIFY_IMA_WALK_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "libattest/ima/list.h"
#include "libattest/ima/replay.h"
#include "libattest/policy/finding.h"
#include "libattest/verify/ima_position.h"
#include "libattest/verify/quote.h"

namespace attest::verify {

// What is done with each entry up to the match. Its findings count only if there is one.
class EntryJudge {
 public:
  virtual ~EntryJudge() = default;
  // Called in this order for each entry. Between the first two and between the last two the entry
  // is hashed: time for memory that the judge will need to arrive.
  virtual void prepare(const ima::Entry& entry) = 0;
  virtual void midway() = 0;
  virtual void judge(const ima::Entry& entry, policy::Findings& findings) = 0;

 protected:
  EntryJudge() = default;
  EntryJudge(const EntryJudge&) = default;
  EntryJudge& operator=(const EntryJudge&) = default;
};

class ImaWalk final : private ima::EntrySink {
 public:
  // Replays `bank` in `mode` and every other quoted bank that has `pcr`, which must be quoted in
  // `bank`. `from`: null for a whole list; else the list begins with the entry after that position,
  // which has a value of every quoted bank that has `pcr`. All references must outlive the walk.
  ImaWalk(EntryJudge& judge, const QuotedPcrs& quoted, crypto::Hash bank, std::uint32_t pcr,
          ima::DigestMode mode, const ImaPosition* from = nullptr);

  void feed(Bytes chunk) { reader_.feed(chunk); }
  void finish() { reader_.finish(); }

  // The number of entries that the quote covers; nothing while no replay has equalled it.
  std::optional<std::uint64_t> covered() const noexcept { return covered_; }
  std::uint64_t num_entries() const noexcept { return first_ + reader_.num_entries(); }
  // The algorithm of the list's own digests; nothing for a list without entries.
  std::optional<crypto::Hash> list_bank() const noexcept { return reader_.bank(); }
  std::uint64_t num_violations() const noexcept { return num_violations_; }  // among the covered
  // The replay of `bank` where it stopped.
  crypto::Digest value() const noexcept;
  // Where it ended, of what the walk knows; for a match that covers an entry.
  ImaPosition position() const;
  // Banks other than `bank` whose replay differed at the match.
  const std::vector<crypto::Hash>& differing() const noexcept { return differing_; }
  // What is wrong with the list itself, known without knowing whether it is the quoted one.
  policy::Findings& list_findings() noexcept { return list_findings_; }
  // What the judge found in the covered entries.
  policy::Findings& findings() noexcept { return findings_; }

 private:
  struct Target {
    crypto::Hash bank;
    crypto::Digest value;  // as quoted
    crypto::Digest start;  // before the first entry of the list that is walked
    // How the bank may be extended: by its own hash, or by SHA-1 padded for it.
    bool native = true;
    bool padded = false;
  };

  void entry(const ima::Entry& entry) override;
  void start();
  void check_list(const ima::Entry& entry, bool header_good);
  bool reached() const noexcept;
  void settle(std::uint64_t covered);
  static const crypto::Digest& replayed(const Target& target,
                                        const std::optional<ima::Replay>& replay) noexcept;

  EntryJudge& judge_;
  std::uint64_t first_;  // place of the walked list's first entry in the whole list
  std::uint32_t pcr_;
  ima::DigestMode mode_;
  std::vector<Target> targets_;  // `bank` is the first
  ima::ListReader reader_;
  std::optional<ima::Replay> replay_;  // made at the first entry, which tells the list's own bank
  // Kernels that lack a bank's hash pad SHA-1 for it: allowed for banks that no rule looks at.
  std::optional<ima::Replay> padded_;
  std::optional<std::uint64_t> covered_;
  std::uint64_t num_violations_ = 0;
  std::vector<crypto::Hash> differing_;
  policy::Findings list_findings_;
  policy::Findings findings_;
};

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_IMA_WALK_H_
