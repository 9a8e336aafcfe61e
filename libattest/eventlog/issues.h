// SPDX-License-Identifier: Apache-2.0

// Collects a log's issues. For eventlog/ only; check() is the interface.

#ifndef LIBATTEST_EVENTLOG_ISSUES_H_
#define LIBATTEST_EVENTLOG_ISSUES_H_

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/replay.h"

namespace attest::eventlog {

// Issues, at most eight hundred: a report keeps no more findings that are no failures. The first of
// each kind in each PCR is always kept, so that a log can not hide one sort of trouble behind a
// flood of another.
class Issues {
 public:
  explicit Issues(std::vector<Issue>& list) : list_(list) {}

  template <typename Words>
  void add(Problem problem, const Event& e, std::uint32_t pcr, Words words) {
    bool& known = known_[std::min(pcr, kNumPcrs)][static_cast<std::size_t>(problem)];
    if (known && num_repeated_ == kMaxRepeated) {
      ++num_dropped_;
      last_dropped_ = {problem, e.index, pcr, {}};
      return;
    }
    if (known) ++num_repeated_;
    known = true;
    list_.push_back({problem, e.index, pcr, words()});
  }
  void add(Problem problem, const Event& e, std::string_view words) {
    add(problem, e, e.pcr, [&] { return std::string(words); });
  }
  void finish() {
    if (num_dropped_ == 0) return;
    last_dropped_.what =
        "and " + std::to_string(num_dropped_) +
        " more, of kinds that are listed above for the same PCRs; this is the last";
    list_.push_back(std::move(last_dropped_));
  }

 private:
  static constexpr std::size_t kNumProblems = static_cast<std::size_t>(Problem::kLast) + 1;
  static constexpr std::size_t kMaxRepeated = 499;
  static_assert((kNumPcrs + 1) * kNumProblems + kMaxRepeated + 1 <= 800);

  std::vector<Issue>& list_;
  std::array<std::array<bool, kNumProblems>, kNumPcrs + 1> known_{};
  std::size_t num_repeated_ = 0;
  std::uint64_t num_dropped_ = 0;
  Issue last_dropped_{};
};

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_ISSUES_H_
