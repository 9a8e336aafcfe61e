// SPDX-License-Identifier: Apache-2.0

// A node that is attested again and again: each round a fresh quote and the 50 entries that its
// list has grown by.
#ifndef LIBATTEST_TESTS_BENCH_ACTIVE_NODE_H_
#define LIBATTEST_TESTS_BENCH_ACTIVE_NODE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/generate.h"
#include "tests/support/signer.h"

namespace bench {

inline constexpr std::size_t kBootEntries = 10000;  // of the first round
inline constexpr std::size_t kNewEntries = 50;      // of every other
inline constexpr std::size_t kRounds = 200;
inline constexpr std::size_t kPolicyFiles = 100000;

struct ActiveNode {
  struct Round {
    std::size_t first_entry;
    Octets attest, signature, pcrs, list;
  };

  explicit ActiveNode(const Signer& signer) {
    Hasher sha256(Hash::kSha256);
    const ImaInput input =
        make_ima(kBootEntries + (kRounds - 1) * kNewEntries, kPolicyFiles, sha256(Octets(320, 7)));
    ak = signer.tpm2b_public();
    allowlist = input.allowlist;
    Digest pcr = Digest::filled(32, 0);
    std::size_t entry = 0;
    std::size_t at = 0;
    for (std::size_t round = 0; round < kRounds; ++round) {
      Round r;
      r.first_entry = entry;
      const std::size_t end = entry + (round == 0 ? kBootEntries : kNewEntries);
      const std::size_t start = at;
      for (; entry < end; ++entry) {
        const auto& [offset, size] = input.data[entry];
        const Digest extend = sha256(attest::Bytes(input.list).subspan(offset, size));
        pcr = sha256({pcr.bytes(), extend.bytes()});
        at = offset + size;
      }
      r.list.assign(input.list.begin() + static_cast<std::ptrdiff_t>(start),
                    input.list.begin() + static_cast<std::ptrdiff_t>(at));
      PcrValues values{{0x000b, {}}};
      for (std::uint32_t i = 0; i < 10; ++i) values[0].second[i] = Octets(32, 7);
      values[0].second[10].assign(pcr.bytes().begin(), pcr.bytes().end());
      QuoteFields fields = quote_of(values);
      fields.clock += round;
      r.attest = make_attest(fields);
      r.signature = signer.sign(r.attest);
      r.pcrs = make_pcrs(values);
      rounds.push_back(std::move(r));
    }
  }

  Octets ak;
  std::string allowlist;
  std::vector<Round> rounds;
  const Octets nonce = Octets(20, 0x5a);
};

}  // namespace bench

#endif  // LIBATTEST_TESTS_BENCH_ACTIVE_NODE_H_
