// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima.h"

#include "tests/abi/api/calls.h"

namespace {

void new_ima(Ima& ima) { REQUIRE(attest_ima_new(ima.place(), nullptr) == ATTEST_OK); }

attest_status feed(const Ima& ima, const std::vector<std::uint8_t>& bytes) {
  return attest_ima_feed(ima.get(), bytes.data(), bytes.size());
}

std::string pcr_10(const Ima& ima, attest_hash bank) {
  Pcrs pcrs;
  REQUIRE(attest_ima_pcrs(pcrs.place(), ima.get()) == ATTEST_OK);
  std::size_t size = 0;
  const std::uint8_t* value = attest_pcrs_find(pcrs.get(), bank, 10, &size);
  return good_node_detail::hex(value, size);
}

constexpr const char* kPcr10 = "253551c056a5a98725e6b9418040ca373fbabe8115d0fbdde7a67540aab731d4";
constexpr const char* kPcr10Sha1 = "50bb267fe0f2ee55e03814f9bd30b211e8ce402d";

}  // namespace

TEST_CASE("a list replays to what was quoted, in pieces of any size") {
  const auto& list = good_node().ima;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, list.size()}) {
    Ima ima;
    new_ima(ima);
    for (std::size_t at = 0; at < list.size(); at += piece) {
      REQUIRE(attest_ima_feed(ima.get(), list.data() + at, std::min(piece, list.size() - at)) ==
              ATTEST_OK);
    }
    REQUIRE(attest_ima_finish(ima.get()) == ATTEST_OK);
    CHECK(attest_ima_num_entries(ima.get()) == 51);
    CHECK(attest_ima_num_violations(ima.get()) == 0);
    CHECK(pcr_10(ima, ATTEST_HASH_SHA256) == kPcr10);
  }
}

TEST_CASE("format, bank and list bank may be said") {
  attest_ima_options options = ATTEST_IMA_OPTIONS_INIT;
  options.format = ATTEST_IMA_BINARY;
  options.bank = ATTEST_HASH_SHA1;
  options.list_bank = ATTEST_HASH_SHA1;
  options.digest = ATTEST_IMA_NATIVE;
  Ima ima;
  REQUIRE(attest_ima_new(ima.place(), &options) == ATTEST_OK);
  REQUIRE(feed(ima, good_node().ima) == ATTEST_OK);
  REQUIRE(attest_ima_finish(ima.get()) == ATTEST_OK);
  CHECK(pcr_10(ima, ATTEST_HASH_SHA1) == kPcr10Sha1);

  options.format = ATTEST_IMA_ASCII;
  REQUIRE(attest_ima_new(ima.place(), &options) == ATTEST_OK);
  CHECK(feed(ima, good_node().ima) == ATTEST_E_MALFORMED);
}

TEST_CASE("violations are counted and found") {
  Ima ima;
  new_ima(ima);
  REQUIRE(feed(ima, read_vector("boot/grub-ima-ng/3-violation/ima.bin")) == ATTEST_OK);
  CHECK(attest_ima_num_violations(ima.get()) > 0);
  REQUIRE(attest_ima_num_findings(ima.get()) > 0);
  attest_finding f = ATTEST_FINDING_INIT;
  REQUIRE(attest_ima_finding(&f, ima.get(), 0) == ATTEST_OK);
  CHECK(f.component == ATTEST_COMPONENT_IMA);
  CHECK(f.index >= 0);
  check_failed(attest_ima_finding(&f, ima.get(), attest_ima_num_findings(ima.get())),
               ATTEST_E_ARGUMENT, "index");
}

TEST_CASE("a list is rendered as JSON") {
  Ima ima;
  Buffer json;
  new_ima(ima);
  REQUIRE(feed(ima, good_node().ima) == ATTEST_OK);
  REQUIRE(attest_ima_finish(ima.get()) == ATTEST_OK);
  REQUIRE(attest_ima_to_json(json.place(), ima.get()) == ATTEST_OK);
  const std::string text = text_of(json);
  for (const char* key :
       {"\"entries\":51", "\"violations\":0", "\"templates\"", "\"boot_aggregate\"", kPcr10}) {
    INFO(text);
    CHECK(text.find(key) != std::string::npos);
  }
}

TEST_CASE("a list that ends inside a record is malformed, and the replay is over") {
  Ima ima;
  new_ima(ima);
  REQUIRE(attest_ima_feed(ima.get(), good_node().ima.data(), good_node().ima.size() - 1) ==
          ATTEST_OK);
  check_failed(attest_ima_finish(ima.get()), ATTEST_E_MALFORMED, "byte ");
  check_failed(attest_ima_finish(ima.get()), ATTEST_E_STATE, "malformed");
}

TEST_CASE("after a malformed record the replay can only be freed") {
  Ima ima;
  new_ima(ima);
  REQUIRE(feed(ima, good_node().ima) == ATTEST_OK);
  CHECK(feed(ima, std::vector<std::uint8_t>(64, 0xff)) == ATTEST_E_MALFORMED);
  auto* pcrs = rubbish<attest_pcrs>();
  auto* json = rubbish<attest_buffer>();
  check_failed(feed(ima, good_node().ima), ATTEST_E_STATE, "malformed");
  check_failed(attest_ima_finish(ima.get()), ATTEST_E_STATE, "malformed");
  check_failed(attest_ima_pcrs(&pcrs, ima.get()), ATTEST_E_STATE, "malformed");
  check_failed(attest_ima_to_json(&json, ima.get()), ATTEST_E_STATE, "malformed");
  CHECK(pcrs == nullptr);
  CHECK(json == nullptr);
}

TEST_CASE("nothing follows a list's end") {
  Ima ima;
  new_ima(ima);
  REQUIRE(feed(ima, good_node().ima) == ATTEST_OK);
  REQUIRE(attest_ima_finish(ima.get()) == ATTEST_OK);
  check_failed(feed(ima, good_node().ima), ATTEST_E_STATE, "ended");
  check_failed(attest_ima_finish(ima.get()), ATTEST_E_STATE, "ended");
  CHECK(pcr_10(ima, ATTEST_HASH_SHA256) == kPcr10);
}

TEST_CASE("a wrong argument does not end a replay") {
  Ima ima;
  new_ima(ima);
  check_failed(attest_ima_feed(ima.get(), nullptr, 1), ATTEST_E_ARGUMENT, "NULL");
  REQUIRE(attest_ima_feed(ima.get(), nullptr, 0) == ATTEST_OK);
  REQUIRE(feed(ima, good_node().ima) == ATTEST_OK);
  CHECK(attest_ima_finish(ima.get()) == ATTEST_OK);
}

TEST_CASE("options that are none are refused") {
  const auto refused = [](auto change, const char* words) {
    attest_ima_options options = ATTEST_IMA_OPTIONS_INIT;
    change(options);
    auto* ima = rubbish<attest_ima>();
    check_failed(attest_ima_new(&ima, &options), ATTEST_E_ARGUMENT, words);
    CHECK(ima == nullptr);
  };
  for (const int number : {-1, 3, 256}) {
    refused([=](auto& o) { o.format = any<attest_ima_format>(number); }, "options.format");
  }
  for (const int number : {-1, 4, 257}) {
    refused([=](auto& o) { o.digest = any<attest_ima_digest>(number); }, "options.digest");
  }
  refused([](auto& o) { o.bank = any<attest_hash>(3); }, "options.bank");
  refused([](auto& o) { o.list_bank = any<attest_hash>(0x1000b); }, "options.list_bank");
  refused([](auto& o) { o.size = 8; }, "options.size");
  check_failed(attest_ima_new(nullptr, nullptr), ATTEST_E_ARGUMENT, "out is NULL");
}

TEST_CASE("no replay is empty") {
  auto* pcrs = rubbish<attest_pcrs>();
  auto* json = rubbish<attest_buffer>();
  attest_finding f = ATTEST_FINDING_INIT;
  CHECK(attest_ima_num_entries(nullptr) == 0);
  CHECK(attest_ima_num_violations(nullptr) == 0);
  CHECK(attest_ima_num_findings(nullptr) == 0);
  check_failed(attest_ima_feed(nullptr, nullptr, 0), ATTEST_E_ARGUMENT, "ima is NULL");
  check_failed(attest_ima_finish(nullptr), ATTEST_E_ARGUMENT, "ima is NULL");
  check_failed(attest_ima_pcrs(&pcrs, nullptr), ATTEST_E_ARGUMENT, "ima is NULL");
  check_failed(attest_ima_to_json(&json, nullptr), ATTEST_E_ARGUMENT, "ima is NULL");
  check_failed(attest_ima_finding(&f, nullptr, 0), ATTEST_E_ARGUMENT, "ima is NULL");
  CHECK(pcrs == nullptr);
  CHECK(json == nullptr);
}
