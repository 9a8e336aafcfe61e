// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/huge_pages.h"

#include <sys/mman.h>

#include <cerrno>

namespace attest {

void advise_huge_pages(void* at, std::size_t size) noexcept {
  const int host_errno = errno;
  (void)madvise(at, size, MADV_HUGEPAGE);
  errno = host_errno;
}

}  // namespace attest
