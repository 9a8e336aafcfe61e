// SPDX-License-Identifier: Apache-2.0

// A malloc that is watched: a program that links this has it in place of the C library's, and so
// has every library that it loads.
#ifndef LIBATTEST_TESTS_ABI_GUEST_ALLOCATIONS_H_
#define LIBATTEST_TESTS_ABI_GUEST_ALLOCATIONS_H_

enum class Failing { kOne, kAllFromThere };

// `n` more allocations succeed, then one fails or all do, until stop_failing().
void fail_after(long n, Failing failing);
void stop_failing();
// Whether an allocation has failed since fail_after().
bool has_failed();
// Whether the first one that did was made by a function of `library`, at any remove.
bool failed_inside(const char* library);

// Blocks that were allocated and not freed.
long live_blocks();

#endif  // LIBATTEST_TESTS_ABI_GUEST_ALLOCATIONS_H_
