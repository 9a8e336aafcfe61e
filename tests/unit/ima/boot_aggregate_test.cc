// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/boot_aggregate.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "tests/support/ima_builder.h"

namespace {

using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::ima::boot_aggregate;
using attest::ima::boot_aggregate_of_eight;
using attest::ima::DigestKind;
using attest::ima::Entry;
using attest::ima::is_boot_aggregate;
using ima_test::Buffer;

std::vector<Digest> pcrs(std::size_t count, Hash alg) {
  std::vector<Digest> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(Digest::filled(attest::crypto::hash_size(alg), static_cast<std::uint8_t>(i + 1)));
  }
  return out;
}

Digest hash_of_first(std::size_t count, Hash alg) {
  Buffer all;
  for (const Digest& d : pcrs(count, alg))
    all.insert(all.end(), d.bytes().begin(), d.bytes().end());
  return Hasher(alg)(all);
}

const Buffer kValue = ima_test::some_digest(32);

Entry aggregate() {
  Entry e;
  e.known = true;
  e.name = "boot_aggregate";
  e.digest = {DigestKind::kContent, "sha256", kValue};
  return e;
}

}  // namespace

TEST_CASE("a SHA-1 boot aggregate is of PCR 0 to 7, any other of PCR 0 to 9") {
  CHECK(boot_aggregate(Hash::kSha1, pcrs(8, Hash::kSha1)) == hash_of_first(8, Hash::kSha1));
  CHECK(boot_aggregate(Hash::kSha1, pcrs(10, Hash::kSha1)) == hash_of_first(8, Hash::kSha1));
  for (const Hash alg : {Hash::kSha256, Hash::kSha384, Hash::kSm3_256}) {
    CHECK(boot_aggregate(alg, pcrs(10, alg)) == hash_of_first(10, alg));
    CHECK(boot_aggregate(alg, pcrs(24, alg)) == hash_of_first(10, alg));
    CHECK(boot_aggregate_of_eight(alg, pcrs(10, alg)) == hash_of_first(8, alg));
    CHECK(boot_aggregate_of_eight(alg, pcrs(8, alg)) == hash_of_first(8, alg));
  }
}

TEST_CASE("a boot aggregate of too few PCRs or of another bank's is not computed") {
  CHECK_THROWS_AS(boot_aggregate(Hash::kSha256, pcrs(9, Hash::kSha256)), std::invalid_argument);
  CHECK_THROWS_AS(boot_aggregate(Hash::kSha1, pcrs(7, Hash::kSha1)), std::invalid_argument);
  CHECK_THROWS_AS(boot_aggregate_of_eight(Hash::kSha256, {}), std::invalid_argument);
  auto mixed = pcrs(10, Hash::kSha256);
  mixed[9] = Digest::filled(20, 1);
  CHECK_THROWS_AS(boot_aggregate(Hash::kSha256, mixed), std::invalid_argument);
  mixed[9] = Digest();
  CHECK_THROWS_AS(boot_aggregate(Hash::kSha256, mixed), std::invalid_argument);
}

TEST_CASE("an entry is a boot aggregate by its name") {
  CHECK(is_boot_aggregate(aggregate()));
  Entry e = aggregate();
  e.name = GENERATE("", "boot_aggregate ", "/boot_aggregate", "boot_aggregat", "Boot_aggregate");
  CHECK_FALSE(is_boot_aggregate(e));
}

TEST_CASE("what can not be a boot aggregate is none, whatever it is called") {
  Entry violation = aggregate();
  violation.violation = true;
  CHECK_FALSE(is_boot_aggregate(violation));
  Entry unknown = aggregate();
  unknown.known = false;
  CHECK_FALSE(is_boot_aggregate(unknown));
  Entry buffer = aggregate();
  buffer.has_buffer_field = true;
  CHECK_FALSE(is_boot_aggregate(buffer));
  Entry verity = aggregate();
  verity.digest.kind = DigestKind::kVerity;
  CHECK_FALSE(is_boot_aggregate(verity));
  Entry without = aggregate();
  without.digest.value = {};
  CHECK_FALSE(is_boot_aggregate(without));
}
