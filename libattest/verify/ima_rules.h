// SPDX-License-Identifier: Apache-2.0

// The rules for the entries of an IMA list: what may have been measured.

#ifndef LIBATTEST_VERIFY_IMA_RULES_H_
#define LIBATTEST_VERIFY_IMA_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libattest/ima/signature.h"
#include "libattest/policy/policy.h"
#include "libattest/verify/ima_position.h"
#include "libattest/verify/ima_walk.h"

namespace attest::verify {

// Judges entries by a policy; without rules, only by what holds of every list.
class ImaRules final : public EntryJudge {
 public:
  // `policy` may be null; `from` is null for a whole list. All references must outlive the judge.
  ImaRules(const policy::Policy* policy, const QuotedPcrs& quoted,
           const ImaPosition* from = nullptr);

  // What the entries before `from` still have to say, without which a list that begins there would
  // be judged more leniently than the whole one.
  void judge_before(policy::Findings& findings);
  // Adds what later entries will be judged by. False: it can not be carried on.
  bool complete(ImaPosition& position) const;

  void prepare(const ima::Entry& entry) override;
  void midway() override;
  void judge(const ima::Entry& entry, policy::Findings& findings) override;

 private:
  void judge_violation(const ima::Entry& entry);
  void judge_boot_aggregate(const ima::Entry& entry);
  void check_boot_aggregate(const ima::Entry& entry);
  void judge_buffer(const ima::Entry& entry);
  void judge_key(const ima::Entry& entry);
  void judge_file(const ima::Entry& entry);
  bool hashes_buffer(const ima::Entry& entry);
  void add(const ima::Entry& entry, policy::Code code, policy::Severity severity,
           std::string expected, std::string found, const std::string& message);
  void fail(const ima::Entry& entry, policy::Code code, std::string expected, std::string found,
            const std::string& message);

  const policy::ImaPolicy* policy_;
  const policy::RuntimePolicy* rules_;
  bool allow_sha1_;
  const QuotedPcrs& quoted_;
  const ImaPosition* from_;
  ima::Keyring keys_;                      // the policy's, and
  std::vector<ImaPosition::Key> learned_;  // those that the list's own validated entries loaded
  std::vector<ImaPosition::BootAggregate> boot_aggregates_;
  policy::FileTable::Probe probe_;
  policy::Findings* findings_ = nullptr;  // of the entry that is being judged
};

// The value that boot_aggregate must have by the quoted PCRs; nothing when they are not all quoted
// in the bank of `alg`.
std::optional<crypto::Digest> expected_boot_aggregate(const QuotedPcrs& quoted, crypto::Hash alg,
                                                      bool of_eight);

// "/usr/bin/ncat" and "sha256:…", for messages: escaped and bounded.
std::string describe_name(const ima::Entry& entry);
std::string describe_digest(const ima::Entry& entry);

}  // namespace attest::verify

#endif  // LIBATTEST_VERIFY_IMA_RULES_H_
