// SPDX-License-Identifier: Apache-2.0

// Paths and their allowed digests, compiled into a hash table that costs about one cache miss a
// look-up: a list of 300,000 entries asks it 300,000 times, in no order.

#ifndef LIBATTEST_POLICY_FILE_TABLE_H_
#define LIBATTEST_POLICY_FILE_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/huge_pages.h"
#include "libattest/base/reader.h"

namespace attest::policy {

enum class Listed : std::uint8_t {
  kNo,           // the path is not in the table
  kOtherDigest,  // it is, with other digests
  kYes,
};

class FileTable {
 public:
  // Where a look-up stands. Making one computes the path's hash and asks for its slot's cache line;
  // touch() follows it, once that has had time to arrive, and asks for the path's own line.
  class Probe {
   private:
    friend class FileTable;
    std::uint64_t hash_ = 0;
    std::string_view path_;
    std::size_t slot_ = 0;
  };
  struct Entry {
    std::string_view path;
    std::string_view algorithm;
    Bytes digest;
  };

  // Digests of one path add up; a digest that is there already is not added again.
  // `algorithm` is the kernel's name of a digest algorithm ("sha256"). Throws std::invalid_argument
  // for an empty path and for a digest that is empty or longer than 64 bytes, std::length_error for
  // more than 4 GiB of paths or 255 algorithms.
  void add(std::string_view path, std::string_view algorithm, Bytes digest);
  // The table is ready for look-ups after this, and takes no more. Until then nothing is listed.
  void seal();

  Probe probe(std::string_view path) const noexcept;
  void touch(const Probe& probe) const noexcept;
  Listed find(const Probe& probe, std::string_view algorithm, Bytes digest) const noexcept;
  Listed find(std::string_view path, std::string_view algorithm, Bytes digest) const noexcept {
    return find(probe(path), algorithm, digest);
  }
  // An allowed digest of the path, for messages; empty when the path is not listed.
  Bytes first_digest(std::string_view path) const noexcept;

  std::size_t num_paths() const noexcept { return num_paths_; }
  std::size_t num_digests() const noexcept { return num_digests_; }
  // Whether any digest is of this algorithm.
  bool has_algorithm(std::string_view algorithm) const noexcept;
  // All of the table, sorted by path, algorithm and digest; views into the table.
  std::vector<Entry> entries() const;

 private:
  static constexpr std::size_t kInline = 32;
  static constexpr std::size_t kMaxDigest = 64;

  // What add() leaves for seal(): where path and digest stand in the arenas.
  struct Pending {
    std::uint64_t hash;
    std::uint32_t path_at;
    std::uint32_t path_size;
    std::size_t digest_at;
    std::uint8_t algorithm;
    std::uint8_t digest_size;
  };
  // Several digests of a path stand side by side, sorted; so does one that does not fit a slot.
  // The first is also in the slot where it fits.
  struct Digest {
    std::uint8_t algorithm;  // index in algorithms_
    std::uint8_t size;
    std::array<std::uint8_t, kMaxDigest> value;
  };
  // One cache line. A slot without a path is free.
  struct alignas(64) Slot {
    std::uint64_t hash = 0;
    std::uint32_t path_at = 0;
    std::uint32_t path_size = 0;
    std::uint32_t digests_at = 0;
    std::uint32_t num_digests = 0;
    std::uint8_t algorithm = 0;
    std::uint8_t digest_size = 0;
    std::array<std::uint8_t, kInline> digest{};
  };
  static_assert(sizeof(Slot) == 64);

  // Look-ups go anywhere in these two.
  using Slots = std::vector<Slot, HugePages<Slot>>;
  using Paths = std::basic_string<char, std::char_traits<char>, HugePages<char>>;

  std::size_t slot_of(std::uint64_t hash) const noexcept;
  std::string_view pending_path(const Pending& p) const noexcept;
  Bytes pending_digest(const Pending& p) const noexcept;
  void place(const std::vector<Pending>& sorted, std::size_t first, std::size_t last, Paths& paths);
  const Slot* lookup(const Probe& probe) const noexcept;
  bool lists(const Slot& slot, std::string_view algorithm, Bytes digest) const noexcept;

  std::uint64_t seed_ = 0;
  Slots slots_;  // none until seal()
  Paths paths_;
  std::vector<Digest> digests_;
  std::vector<std::string> algorithms_;
  std::size_t num_paths_ = 0;
  std::size_t num_digests_ = 0;
  bool sealed_ = false;

  std::vector<Pending> pending_;
  std::vector<std::uint8_t> pending_digests_;
};

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_FILE_TABLE_H_
