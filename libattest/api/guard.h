// SPDX-License-Identifier: Apache-2.0

// The one place where C++ exceptions become C statuses.

#ifndef LIBATTEST_API_GUARD_H_
#define LIBATTEST_API_GUARD_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "libattest/base.h"
#include "libattest/base/reader.h"
#include "libattest/crypto/error_queue.h"

namespace attest::api {

// The caller's read function failed.
class ReadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The object can not do what was asked of it now.
class StateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// The status of the exception that is being handled; its words become this thread's last error.
attest_status failed() noexcept;

// Runs `body` and turns whatever it throws into a status. Every extern "C" function that can fail
// is one call of this.
template <std::invocable Body>
attest_status guard(const Body& body) noexcept {
  const crypto::KeptErrorQueue kept;
  try {
    body();
    return ATTEST_OK;
  } catch (...) {
    return failed();
  }
}

// Throws std::invalid_argument "NAME is NULL" unless `pointer` is something.
void require(const void* pointer, const char* name);

// `*out` is NULL until a call has done its work.
template <typename T>
void clear_output(T** out, const char* name = "out") {
  require(out, name);
  *out = nullptr;
}

// A pointer and a length from C. NULL is an empty input, only with length 0.
Bytes bytes(const std::uint8_t* data, std::size_t len);
std::string_view text(const char* data, std::size_t len);

// How long a call over the network may take. Throws std::invalid_argument for no time at all.
std::chrono::milliseconds timeout_of(std::uint32_t timeout_ms);

}  // namespace attest::api

#endif  // LIBATTEST_API_GUARD_H_
