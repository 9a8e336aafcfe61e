// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/call.h"

#include <algorithm>
#include <thread>

#include "libattest/net/error.h"

namespace attest::net {

Call::Call(Milliseconds timeout, const Canceller& canceller) noexcept
    : Call(Clock::now() + timeout, &canceller, canceller.round_.load(std::memory_order_relaxed)) {}

Call Call::part(const Call& whole, Milliseconds timeout) noexcept {
  return {std::min(whole.deadline_, Clock::now() + timeout), whole.canceller_, whole.round_};
}

Call::Milliseconds Call::remaining() const noexcept {
  const auto left = std::chrono::ceil<Milliseconds>(deadline_ - Clock::now());
  return std::max(left, Milliseconds(0));
}

void Call::check() const {
  if (canceller_->round_.load(std::memory_order_relaxed) != round_) {
    throw NetError(Failure::kCancelled, "the call was cancelled");
  }
  if (remaining() == Milliseconds(0)) {
    throw NetError(Failure::kTimeout, "the call's time is over");
  }
}

void Call::pause(Milliseconds time) const {
  const Clock::time_point end = Clock::now() + time;
  for (;;) {
    check();
    const auto left = std::chrono::ceil<Milliseconds>(end - Clock::now());
    if (left <= Milliseconds(0)) return;
    std::this_thread::sleep_for(std::min({left, kSlice, remaining()}));
  }
}

}  // namespace attest::net
