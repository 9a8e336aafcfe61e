// SPDX-License-Identifier: Apache-2.0

// What has to happen when the library is loaded, because it could not when memory has run out.

#include <mutex>

namespace {

// glibc looks for libgcc_s when an exception first passes through pthread_once, and aborts the
// process when it has no memory to do so. RE2 is what makes things once, and that is what may run
// out of memory: let it happen now.
__attribute__((constructor)) void prepare_unwinding() noexcept {
  std::once_flag once;
  try {
    std::call_once(once, [] { throw 0; });
  } catch (int) {
  }
}

}  // namespace
