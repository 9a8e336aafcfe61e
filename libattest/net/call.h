// SPDX-License-Identifier: Apache-2.0

// One call of a client: how long it may take as a whole, and whether another thread ended it.

#ifndef LIBATTEST_NET_CALL_H_
#define LIBATTEST_NET_CALL_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace attest::net {

// Shared by all calls of a client. Lock-free, and without a file descriptor: it works in a child of
// fork, whatever the parent's threads were doing.
class Canceller {
 public:
  // Ends the calls under way. Those that begin later are not concerned.
  void cancel() noexcept { round_.fetch_add(1, std::memory_order_relaxed); }

 private:
  friend class Call;
  std::atomic<std::uint64_t> round_{0};
};

class Call {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

  // How long a cancelled call may go on.
  static constexpr Milliseconds kSlice{50};

  // `canceller` must outlive the call.
  Call(Milliseconds timeout, const Canceller& canceller) noexcept;
  // A part of `whole` that has at most `timeout` for itself.
  static Call part(const Call& whole, Milliseconds timeout) noexcept;

  // Not negative.
  Milliseconds remaining() const noexcept;
  // Throws NetError when the deadline has passed or the call was cancelled.
  void check() const;
  // Does nothing for so long, and throws as check() when that ends the call.
  void pause(Milliseconds time) const;

 private:
  Call(Clock::time_point deadline, const Canceller* canceller, std::uint64_t round) noexcept
      : deadline_(deadline), canceller_(canceller), round_(round) {}

  Clock::time_point deadline_;
  const Canceller* canceller_;
  std::uint64_t round_;
};

}  // namespace attest::net

#endif  // LIBATTEST_NET_CALL_H_
