// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/call.h"

#include <catch2/catch.hpp>
#include <thread>

#include "libattest/net/error.h"

using attest::net::Call;
using attest::net::Canceller;
using attest::net::Failure;
using attest::net::NetError;
using std::chrono::milliseconds;

namespace {

template <typename Body>
Failure failure_of(Body body) {
  try {
    body();
  } catch (const NetError& e) {
    return e.failure();
  }
  FAIL("nothing was thrown");
  return Failure::kAnswer;
}

}  // namespace

TEST_CASE("a call ends at its deadline, not before") {
  const Canceller canceller;
  const Call call(milliseconds(60), canceller);
  const auto begin = Call::Clock::now();
  CHECK_NOTHROW(call.check());
  CHECK(failure_of([&] { call.pause(milliseconds(10000)); }) == Failure::kTimeout);
  const auto took = Call::Clock::now() - begin;
  CHECK(took >= milliseconds(59));
  CHECK(took < milliseconds(5000));
  CHECK(call.remaining() == milliseconds(0));
}

TEST_CASE("a pause that fits into the call passes") {
  const Canceller canceller;
  const Call call(milliseconds(60000), canceller);
  CHECK_NOTHROW(call.pause(milliseconds(5)));
  CHECK_NOTHROW(call.pause(milliseconds(0)));
}

TEST_CASE("a part of a call ends with the whole, or before") {
  const Canceller canceller;
  const Call call(milliseconds(60000), canceller);
  CHECK(Call::part(call, milliseconds(10)).remaining() <= milliseconds(10));
  CHECK(Call::part(call, milliseconds(900000)).remaining() <= milliseconds(60000));
}

TEST_CASE("another thread ends a call, and not the next") {
  Canceller canceller;
  const Call call(milliseconds(60000), canceller);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(20));
    canceller.cancel();
  });
  CHECK(failure_of([&] { call.pause(milliseconds(50000)); }) == Failure::kCancelled);
  other.join();
  CHECK(failure_of([&] { Call::part(call, milliseconds(1000)).check(); }) == Failure::kCancelled);
  CHECK_NOTHROW(Call(milliseconds(60000), canceller).check());
}
