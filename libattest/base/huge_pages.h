// SPDX-License-Identifier: Apache-2.0

// Memory for large tables that are read in random order.

#ifndef LIBATTEST_BASE_HUGE_PAGES_H_
#define LIBATTEST_BASE_HUGE_PAGES_H_

#include <cstddef>
#include <limits>
#include <new>

namespace attest {

// Asks the kernel for huge pages, for `size` bytes at `at`; that it has none changes nothing.
void advise_huge_pages(void* at, std::size_t size) noexcept;

// An allocator for containers. What is large begins at a huge page and asks for more of them: a
// random read then costs a cache miss, and not also a walk through the page tables.
template <typename T>
struct HugePages {
  using value_type = T;

  HugePages() = default;
  template <typename U>
  HugePages(const HugePages<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    const std::size_t size = count * sizeof(T);
    void* at = ::operator new(size, alignment(size));
    if (is_large(size)) advise_huge_pages(at, size);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t count) noexcept {
    ::operator delete(at, alignment(count * sizeof(T)));
  }

  friend bool operator==(const HugePages& /*a*/, const HugePages& /*b*/) noexcept { return true; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20U;  // x86-64's and arm64's usual
  static bool is_large(std::size_t size) noexcept { return size >= kHugePage; }
  static std::align_val_t alignment(std::size_t size) noexcept {
    return std::align_val_t{is_large(size) ? kHugePage : alignof(T) > 16 ? alignof(T) : 16};
  }
};

}  // namespace attest

#endif  // LIBATTEST_BASE_HUGE_PAGES_H_
