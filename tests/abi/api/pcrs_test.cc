// SPDX-License-Identifier: Apache-2.0

#include "libattest/pcrs.h"

#include "tests/abi/api/calls.h"

namespace {
void parse_good(Pcrs& pcrs) {
  const auto& bytes = good_node().pcrs;
  REQUIRE(attest_pcrs_parse(pcrs.place(), bytes.data(), bytes.size()) == ATTEST_OK);
}
}  // namespace

TEST_CASE("PCR values are found by index and by bank and number alike") {
  Pcrs pcrs;
  parse_good(pcrs);
  REQUIRE(attest_pcrs_count(pcrs.get()) > 10);
  for (std::size_t i = 0; i < attest_pcrs_count(pcrs.get()); ++i) {
    attest_hash bank = ATTEST_HASH_NONE;
    std::uint32_t pcr = 99;
    const std::uint8_t* value = nullptr;
    std::size_t size = 0, found_size = 0;
    REQUIRE(attest_pcrs_at(pcrs.get(), i, &bank, &pcr, &value, &size) == ATTEST_OK);
    CHECK(bank == ATTEST_HASH_SHA256);
    CHECK(pcr < 24);
    CHECK(size == 32);
    CHECK(attest_pcrs_find(pcrs.get(), bank, pcr, &found_size) == value);
    CHECK(found_size == size);
    CHECK(attest_pcrs_find(pcrs.get(), bank, pcr, nullptr) == value);
  }
}

TEST_CASE("the values are those that the TPM reported") {
  Pcrs pcrs;
  parse_good(pcrs);
  std::size_t size = 0;
  const std::uint8_t* value = attest_pcrs_find(pcrs.get(), ATTEST_HASH_SHA256, 10, &size);
  REQUIRE(value != nullptr);
  CHECK(good_node_detail::hex(value, size) ==
        "253551c056a5a98725e6b9418040ca373fbabe8115d0fbdde7a67540aab731d4");
}

TEST_CASE("a value that is not in the set is not found") {
  Pcrs pcrs;
  parse_good(pcrs);
  for (const auto& [bank, pcr] :
       {std::pair(ATTEST_HASH_SHA1, 0U), std::pair(ATTEST_HASH_SHA256, 24U),
        std::pair(ATTEST_HASH_SHA256, 0xffffffffU), std::pair(ATTEST_HASH_NONE, 0U),
        std::pair(any<attest_hash>(0x1000b), 0U)}) {
    std::size_t size = 7;
    CHECK(attest_pcrs_find(pcrs.get(), bank, pcr, &size) == nullptr);
    CHECK(size == 0);
  }
  attest_hash bank = ATTEST_HASH_NONE;
  std::uint32_t pcr = 0;
  const auto* value = rubbish<const std::uint8_t>();
  std::size_t size = 7;
  check_failed(
      attest_pcrs_at(pcrs.get(), attest_pcrs_count(pcrs.get()), &bank, &pcr, &value, &size),
      ATTEST_E_ARGUMENT, "index");
  CHECK(value == nullptr);
  CHECK(size == 0);
}

TEST_CASE("PCR values that are cut short or go on are malformed") {
  std::vector<std::uint8_t> bytes = good_node().pcrs;
  bytes.push_back(0);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, bytes.size() - 2, bytes.size()}) {
    auto* pcrs = rubbish<attest_pcrs>();
    check_failed(attest_pcrs_parse(&pcrs, bytes.data(), size), ATTEST_E_MALFORMED, "byte ");
    CHECK(pcrs == nullptr);
  }
}

TEST_CASE("NULLs in calls about PCR values are the caller's mistake") {
  Pcrs pcrs;
  parse_good(pcrs);
  attest_hash bank = ATTEST_HASH_NONE;
  std::uint32_t pcr = 0;
  const std::uint8_t* value = nullptr;
  std::size_t size = 0;
  CHECK(attest_pcrs_count(nullptr) == 0);
  CHECK(attest_pcrs_find(nullptr, ATTEST_HASH_SHA256, 0, &size) == nullptr);
  check_failed(attest_pcrs_parse(nullptr, bank == 0 ? nullptr : value, 0), ATTEST_E_ARGUMENT,
               "out is NULL");
  auto* made = rubbish<attest_pcrs>();
  check_failed(attest_pcrs_parse(&made, nullptr, 3), ATTEST_E_ARGUMENT, "NULL");
  CHECK(made == nullptr);
  check_failed(attest_pcrs_at(nullptr, 0, &bank, &pcr, &value, &size), ATTEST_E_ARGUMENT, "pcrs");
  check_failed(attest_pcrs_at(pcrs.get(), 0, nullptr, &pcr, &value, &size), ATTEST_E_ARGUMENT,
               "bank");
  check_failed(attest_pcrs_at(pcrs.get(), 0, &bank, nullptr, &value, &size), ATTEST_E_ARGUMENT,
               "pcr is");
  check_failed(attest_pcrs_at(pcrs.get(), 0, &bank, &pcr, nullptr, &size), ATTEST_E_ARGUMENT,
               "value is");
  check_failed(attest_pcrs_at(pcrs.get(), 0, &bank, &pcr, &value, nullptr), ATTEST_E_ARGUMENT,
               "value_len");
}
