// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/boot_aggregate.h"

#include <stdexcept>

namespace attest::ima {
namespace {

constexpr std::size_t kNumOld = 8;
constexpr std::size_t kNumNew = 10;

crypto::Digest digest_of(crypto::Hash alg, std::span<const crypto::Digest> pcrs, std::size_t n) {
  if (pcrs.size() < n) throw std::invalid_argument("a boot aggregate needs more PCRs");
  crypto::Hasher hasher(alg);
  hasher.begin();
  for (const crypto::Digest& pcr : pcrs.first(n)) {
    if (pcr.size() != hasher.size()) throw std::invalid_argument("a PCR is not of its bank's size");
    hasher.update(pcr.bytes());
  }
  return hasher.finish();
}

}  // namespace

crypto::Digest boot_aggregate(crypto::Hash alg, std::span<const crypto::Digest> pcrs) {
  return digest_of(alg, pcrs, alg == crypto::Hash::kSha1 ? kNumOld : kNumNew);
}

crypto::Digest boot_aggregate_of_eight(crypto::Hash alg, std::span<const crypto::Digest> pcrs) {
  return digest_of(alg, pcrs, kNumOld);
}

bool is_boot_aggregate(const Entry& entry) noexcept {
  return entry.known && !entry.violation && !entry.has_buffer_field &&
         !entry.digest.value.empty() && entry.digest.kind == DigestKind::kContent &&
         entry.name == "boot_aggregate";
}

}  // namespace attest::ima
