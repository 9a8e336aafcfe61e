// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/file_table.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>
#include <tuple>

#include "libattest/base/seeded_hash.h"
#include "libattest/crypto/digest.h"

namespace attest::policy {
namespace {

__extension__ using Wide = unsigned __int128;

void require_room(std::size_t size, std::size_t more) {
  if (more > std::numeric_limits<std::uint32_t>::max() - size) {
    throw std::length_error("FileTable: more than 4 GiB of paths");
  }
}

std::string_view part(std::string_view arena, std::size_t at, std::size_t size) noexcept {
  return {arena.data() + at, size};
}

bool equal(Bytes a, Bytes b) noexcept { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

void FileTable::add(std::string_view path, std::string_view algorithm, Bytes digest) {
  if (sealed_) throw std::logic_error("FileTable: sealed");
  if (path.empty()) throw std::invalid_argument("FileTable: an empty path");
  if (digest.empty() || digest.size() > kMaxDigest) {
    throw std::invalid_argument("FileTable: a digest of this size");
  }
  require_room(paths_.size(), path.size());
  auto known = std::find(algorithms_.begin(), algorithms_.end(), algorithm);
  if (known == algorithms_.end()) {
    if (algorithms_.size() == 255) throw std::length_error("FileTable: too many algorithms");
    known = algorithms_.emplace(algorithms_.end(), algorithm);
  }
  pending_.push_back({0, static_cast<std::uint32_t>(paths_.size()),
                      static_cast<std::uint32_t>(path.size()), pending_digests_.size(),
                      static_cast<std::uint8_t>(known - algorithms_.begin()),
                      static_cast<std::uint8_t>(digest.size())});
  paths_.append(path);
  pending_digests_.insert(pending_digests_.end(), digest.begin(), digest.end());
}

std::string_view FileTable::pending_path(const Pending& p) const noexcept {
  return part(paths_, p.path_at, p.path_size);
}

Bytes FileTable::pending_digest(const Pending& p) const noexcept {
  return Bytes(pending_digests_).subspan(p.digest_at, p.digest_size);
}

void FileTable::seal() {
  if (sealed_) return;
  std::array<std::uint8_t, sizeof(seed_)> seed{};
  crypto::random_bytes(seed);
  seed_ = std::bit_cast<std::uint64_t>(seed);

  // Sorted by hash, paths come in the order of their slots, and a path's digests side by side.
  std::vector<Pending> sorted = std::move(pending_);
  for (Pending& p : sorted) p.hash = seeded_hash(pending_path(p), seed_);
  std::sort(sorted.begin(), sorted.end(), [this](const Pending& a, const Pending& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    if (const int order = pending_path(a).compare(pending_path(b)); order != 0) return order < 0;
    if (a.algorithm != b.algorithm) return a.algorithm < b.algorithm;
    const Bytes x = pending_digest(a);
    const Bytes y = pending_digest(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  const auto same_path = [this](const Pending& a, const Pending& b) {
    return a.hash == b.hash && pending_path(a) == pending_path(b);
  };
  std::vector<std::size_t> starts;
  std::size_t arena = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i != 0 && same_path(sorted[i - 1], sorted[i])) continue;
    starts.push_back(i);
    arena += sorted[i].path_size;
  }
  num_paths_ = starts.size();
  // Half of the slots stay free: a path is then in its first slot or the one after it, mostly.
  slots_.resize(starts.empty() ? 0 : 2 * starts.size() + 1);
  Paths paths;
  paths.reserve(arena);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    place(sorted, starts[i], i + 1 < starts.size() ? starts[i + 1] : sorted.size(), paths);
  }
  paths_ = std::move(paths);
  pending_digests_ = {};
  sealed_ = true;
}

// Places the path of sorted[first] to sorted[last - 1].
void FileTable::place(const std::vector<Pending>& sorted, std::size_t first, std::size_t last,
                      Paths& paths) {
  std::vector<Digest> digests;
  for (std::size_t i = first; i < last; ++i) {
    const Bytes value = pending_digest(sorted[i]);
    const bool again = i != first && sorted[i].algorithm == sorted[i - 1].algorithm &&
                       equal(value, pending_digest(sorted[i - 1]));
    if (again) continue;
    Digest digest{sorted[i].algorithm, sorted[i].digest_size, {}};
    std::copy(value.begin(), value.end(), digest.value.begin());
    digests.push_back(digest);
  }
  num_digests_ += digests.size();

  std::size_t at = slot_of(sorted[first].hash);
  while (slots_[at].path_size != 0) at = at + 1 == slots_.size() ? 0 : at + 1;
  Slot& slot = slots_[at];
  slot.hash = sorted[first].hash;
  slot.path_at = static_cast<std::uint32_t>(paths.size());
  slot.path_size = sorted[first].path_size;
  paths.append(pending_path(sorted[first]));
  const Digest& front = digests.front();
  if (front.size <= kInline) {
    slot.algorithm = front.algorithm;
    slot.digest_size = front.size;
    std::copy_n(front.value.begin(), front.size, slot.digest.begin());
    if (digests.size() == 1) return;
  }
  require_room(digests_.size(), digests.size());
  slot.digests_at = static_cast<std::uint32_t>(digests_.size());
  slot.num_digests = static_cast<std::uint32_t>(digests.size());
  digests_.insert(digests_.end(), digests.begin(), digests.end());
}

std::size_t FileTable::slot_of(std::uint64_t hash) const noexcept {
  return static_cast<std::size_t>(static_cast<Wide>(hash) * slots_.size() >> 64U);
}

FileTable::Probe FileTable::probe(std::string_view path) const noexcept {
  Probe probe;
  probe.path_ = path;
  if (slots_.empty()) return probe;
  probe.hash_ = seeded_hash(path, seed_);
  probe.slot_ = slot_of(probe.hash_);
  __builtin_prefetch(&slots_[probe.slot_]);
  __builtin_prefetch(&slots_[probe.slot_] + 1);
  return probe;
}

void FileTable::touch(const Probe& probe) const noexcept {
  if (slots_.empty()) return;
  std::size_t at = probe.slot_;
  while (slots_[at].path_size != 0) {
    if (slots_[at].hash == probe.hash_) {
      const char* path = paths_.data() + slots_[at].path_at;
      __builtin_prefetch(path);
      __builtin_prefetch(path + slots_[at].path_size - 1);
      return;
    }
    at = at + 1 == slots_.size() ? 0 : at + 1;
  }
}

const FileTable::Slot* FileTable::lookup(const Probe& probe) const noexcept {
  if (slots_.empty()) return nullptr;
  // Ends: half of the slots are free.
  for (std::size_t at = probe.slot_; slots_[at].path_size != 0;
       at = at + 1 == slots_.size() ? 0 : at + 1) {
    const Slot& slot = slots_[at];
    if (slot.hash == probe.hash_ && part(paths_, slot.path_at, slot.path_size) == probe.path_) {
      return &slot;
    }
  }
  return nullptr;
}

bool FileTable::lists(const Slot& slot, std::string_view algorithm, Bytes digest) const noexcept {
  if (slot.digest_size != 0 && algorithms_[slot.algorithm] == algorithm &&
      equal(Bytes(slot.digest).first(slot.digest_size), digest)) {
    return true;
  }
  const auto known = std::find(algorithms_.begin(), algorithms_.end(), algorithm);
  if (known == algorithms_.end()) return false;
  const auto number = static_cast<std::uint8_t>(known - algorithms_.begin());
  const auto begin = digests_.begin() + slot.digests_at;
  const auto end = begin + slot.num_digests;
  const auto at = std::lower_bound(begin, end, digest, [&](const Digest& d, Bytes wanted) {
    if (d.algorithm != number) return d.algorithm < number;
    const Bytes value = Bytes(d.value).first(d.size);
    return std::lexicographical_compare(value.begin(), value.end(), wanted.begin(), wanted.end());
  });
  return at != end && at->algorithm == number && equal(Bytes(at->value).first(at->size), digest);
}

Listed FileTable::find(const Probe& probe, std::string_view algorithm,
                       Bytes digest) const noexcept {
  const Slot* slot = lookup(probe);
  if (slot == nullptr) return Listed::kNo;
  return lists(*slot, algorithm, digest) ? Listed::kYes : Listed::kOtherDigest;
}

Bytes FileTable::first_digest(std::string_view path) const noexcept {
  const Slot* slot = lookup(probe(path));
  if (slot == nullptr) return {};
  if (slot->digest_size != 0) return Bytes(slot->digest).first(slot->digest_size);
  const Digest& first = digests_[slot->digests_at];
  return Bytes(first.value).first(first.size);
}

bool FileTable::has_algorithm(std::string_view algorithm) const noexcept {
  return std::find(algorithms_.begin(), algorithms_.end(), algorithm) != algorithms_.end();
}

std::vector<FileTable::Entry> FileTable::entries() const {
  std::vector<Entry> out;
  out.reserve(num_digests_);
  for (const Slot& slot : slots_) {
    if (slot.path_size == 0) continue;
    const std::string_view path = part(paths_, slot.path_at, slot.path_size);
    if (slot.num_digests == 0) {
      out.push_back(
          {path, algorithms_[slot.algorithm], Bytes(slot.digest).first(slot.digest_size)});
    }
    for (std::uint32_t i = 0; i < slot.num_digests; ++i) {
      const Digest& digest = digests_[slot.digests_at + i];
      out.push_back({path, algorithms_[digest.algorithm], Bytes(digest.value).first(digest.size)});
    }
  }
  std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) {
    if (a.path != b.path) return a.path < b.path;
    if (a.algorithm != b.algorithm) return a.algorithm < b.algorithm;
    return std::lexicographical_compare(a.digest.begin(), a.digest.end(), b.digest.begin(),
                                        b.digest.end());
  });
  return out;
}

}  // namespace attest::policy
