// SPDX-License-Identifier: Apache-2.0

#include "tests/abi/guest/allocations.h"

#include <dlfcn.h>
#include <execinfo.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
}

namespace {

std::atomic<bool> armed{false};
std::atomic<long> until_failure{0};
std::atomic<bool> keeps_failing{false};
std::atomic<bool> failed_once{false};
std::atomic<long> live{0};
void* failed_at[64];  // the calls that led to the first failure
int failed_depth = 0;

bool fails() {
  if (!armed) return false;
  const long left = until_failure--;
  if (left > 0 || (left < 0 && !keeps_failing)) return false;
  if (!failed_once.exchange(true)) failed_depth = backtrace(failed_at, 64);
  errno = ENOMEM;
  return true;
}

void* counted(void* memory) {
  if (memory != nullptr) ++live;
  return memory;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size) { return fails() ? nullptr : counted(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) {
  return fails() ? nullptr : counted(__libc_calloc(count, size));
}

void* realloc(void* old, std::size_t size) {
  if (fails()) return nullptr;
  void* memory = __libc_realloc(old, size);
  if (old == nullptr) return counted(memory);
  if (size == 0) --live;
  return memory;
}

void* memalign(std::size_t alignment, std::size_t size) {
  return fails() ? nullptr : counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  void* memory = memalign(alignment, size);
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}

void free(void* memory) {
  if (memory != nullptr) --live;
  __libc_free(memory);
}

}  // extern "C"
#pragma GCC visibility pop

void fail_after(long n, Failing failing) {
  (void)backtrace(failed_at, 1);  // its first call loads what it needs
  until_failure = n;
  keeps_failing = failing == Failing::kAllFromThere;
  failed_once = false;
  armed = true;
}

void stop_failing() { armed = false; }

bool has_failed() { return failed_once; }

bool failed_inside(const char* library) {
  for (int i = 0; i < failed_depth; ++i) {
    Dl_info info;
    if (dladdr(failed_at[i], &info) != 0 && std::strstr(info.dli_fname, library) != nullptr) {
      return true;
    }
  }
  return false;
}

long live_blocks() { return live; }
