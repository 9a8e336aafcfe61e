// SPDX-License-Identifier: Apache-2.0

#include "libattest/evidence.h"

#include <cstring>
#include <stdexcept>

#include "tests/abi/api/calls.h"

namespace {

struct Stream {
  std::size_t at = 0;
  std::size_t fails_at = ~std::size_t{0};
  std::ptrdiff_t then = -1;
};

std::ptrdiff_t read_list(void* user, std::uint8_t* buffer, std::size_t size) {
  auto& s = *static_cast<Stream*>(user);
  const auto& list = good_node().ima;
  const std::size_t n = std::min({size, std::size_t{100}, list.size() - s.at});
  if (s.at >= s.fails_at) return s.then < 0 ? s.then : static_cast<std::ptrdiff_t>(size) + s.then;
  std::memcpy(buffer, list.data() + s.at, n);
  s.at += n;
  return static_cast<std::ptrdiff_t>(n);
}

attest_status appraise(Report& report, const Evidence& evidence) {
  Policy policy;
  make_good_policy(policy);
  const attest_appraise_options options = good_options();
  return attest_appraise(report.place(), evidence.get(), policy.get(), nullptr, &options);
}

attest_verdict verdict_of(const Evidence& evidence) {
  Report report;
  REQUIRE(appraise(report, evidence) == ATTEST_OK);
  return attest_report_verdict(report.get());
}

}  // namespace

TEST_CASE("an IMA list that is read in pieces is the list") {
  Evidence evidence;
  make_good_evidence(evidence);
  Stream stream;
  REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read_list, &stream) == ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
  CHECK(stream.at == good_node().ima.size());
}

TEST_CASE("a reader serves one appraisal") {
  Evidence evidence;
  Report report;
  make_good_evidence(evidence);
  Stream stream;
  REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read_list, &stream) == ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
  check_failed(appraise(report, evidence), ATTEST_E_STATE, "set it again");
  CHECK(report.get() == nullptr);
  attest_policy* policy = rubbish<attest_policy>();
  const attest_appraise_options options = good_options();
  check_failed(attest_policy_learn(&policy, report.place(), evidence.get(), &options),
               ATTEST_E_STATE, "set it again");
  CHECK(policy == nullptr);
  stream = {};
  REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read_list, &stream) == ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
  // A list in memory serves any number.
  REQUIRE(attest_evidence_set_ima(evidence.get(), good_node().ima.data(), good_node().ima.size()) ==
          ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("a wrong call does not spend a reader") {
  Evidence evidence;
  make_good_evidence(evidence);
  Stream stream;
  REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read_list, &stream) == ATTEST_OK);
  Report report;
  CHECK(attest_appraise(report.place(), evidence.get(), nullptr, nullptr, nullptr) ==
        ATTEST_E_ARGUMENT);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("a reader that fails, or says more than was asked for, ends the appraisal") {
  for (const std::ptrdiff_t then : {std::ptrdiff_t{-1}, std::ptrdiff_t{-1000}, std::ptrdiff_t{1},
                                    PTRDIFF_MAX - (std::ptrdiff_t{1} << 40)}) {
    for (const std::size_t fails_at : {std::size_t{0}, std::size_t{500}, good_node().ima.size()}) {
      Evidence evidence;
      Report report;
      make_good_evidence(evidence);
      Stream stream{0, fails_at, then};
      REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read_list, &stream) == ATTEST_OK);
      check_failed(appraise(report, evidence), ATTEST_E_READ, "read function");
      CHECK(report.get() == nullptr);
      check_failed(appraise(report, evidence), ATTEST_E_STATE, "set it again");
    }
  }
}

TEST_CASE("a C++ exception of a reader does not cross") {
  Evidence evidence;
  Report report;
  make_good_evidence(evidence);
  const auto appraise_with = [&](attest_read_fn read, void* user) {
    REQUIRE(attest_evidence_set_ima_reader(evidence.get(), read, user) == ATTEST_OK);
    return appraise(report, evidence);
  };
  check_failed(
      appraise_with([](void*, std::uint8_t*, std::size_t) -> std::ptrdiff_t { throw 42; }, nullptr),
      ATTEST_E_INTERNAL, "unknown exception");
  check_failed(appraise_with([](void*, std::uint8_t*,
                                std::size_t) -> std::ptrdiff_t { throw std::bad_alloc(); },
                             nullptr),
               ATTEST_E_NO_MEMORY, "out of memory");
  check_failed(appraise_with([](void*, std::uint8_t*,
                                std::size_t) -> std::ptrdiff_t { throw std::length_error("long"); },
                             nullptr),
               ATTEST_E_NO_MEMORY, "more than fits");

  // Words of any length and content become one line, which ends between two characters.
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string words = std::string(shift, 'x') + "one\ntwo\r\x1b\x7f";
    for (int i = 0; i < 600; ++i) words += "\xc3\xa9";
    const auto throws = [](void* user, std::uint8_t*, std::size_t) -> std::ptrdiff_t {
      throw std::runtime_error(*static_cast<std::string*>(user));
    };
    check_failed(appraise_with(throws, &words), ATTEST_E_INTERNAL, "one two   \xc3\xa9");
    const std::string said = attest_last_error();
    CHECK(said.size() < 512);
    CHECK(said.size() > 500);
    CHECK(std::count(said.begin(), said.end(), '\xc3') ==
          std::count(said.begin(), said.end(), '\xa9'));
  }
}

TEST_CASE("what is malformed leaves the evidence as it was") {
  Evidence evidence;
  make_good_evidence(evidence);
  const GoodNode& n = good_node();
  CHECK(attest_evidence_set_ak(evidence.get(), n.ak.data(), 5) == ATTEST_E_MALFORMED);
  CHECK(attest_evidence_set_quote(evidence.get(), n.attest.data(), 5, n.signature.data(),
                                  n.signature.size(), n.pcrs.data(),
                                  n.pcrs.size()) == ATTEST_E_MALFORMED);
  CHECK(attest_evidence_set_keylime_quote(evidence.get(), "r", 1) == ATTEST_E_MALFORMED);
  CHECK(attest_evidence_set_eventlog(evidence.get(), n.eventlog.data(), 5) == ATTEST_E_MALFORMED);
  CHECK(attest_evidence_set_ima(evidence.get(), nullptr, 5) == ATTEST_E_ARGUMENT);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("a quote string of Keylime is a quote as well") {
  Evidence evidence;
  make_good_evidence(evidence);
  const std::string text = keylime_quote();
  REQUIRE(attest_evidence_set_keylime_quote(evidence.get(), text.data(), text.size()) == ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("what is set again replaces what was set before") {
  Evidence evidence;
  make_good_evidence(evidence);
  const auto other = read_vector("boot/grub-ima-ng/akecc.tss");
  REQUIRE(attest_evidence_set_ak(evidence.get(), other.data(), other.size()) == ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_UNTRUSTED);
  REQUIRE(attest_evidence_set_ak(evidence.get(), good_node().ak.data(), good_node().ak.size()) ==
          ATTEST_OK);
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("evidence keeps what it was given: the key and the bytes may go") {
  Evidence evidence;
  make_good_evidence(evidence);
  {
    GoodNode copy = good_node();
    Key key;
    REQUIRE(attest_key_load(key.place(), copy.ak.data(), copy.ak.size()) == ATTEST_OK);
    REQUIRE(attest_evidence_set_key(evidence.get(), key.get()) == ATTEST_OK);
    REQUIRE(attest_evidence_set_ima(evidence.get(), copy.ima.data(), copy.ima.size()) == ATTEST_OK);
    REQUIRE(attest_evidence_set_eventlog(evidence.get(), copy.eventlog.data(),
                                         copy.eventlog.size()) == ATTEST_OK);
    std::fill(copy.ima.begin(), copy.ima.end(), std::uint8_t{0});
    std::fill(copy.eventlog.begin(), copy.eventlog.end(), std::uint8_t{0});
  }
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}

TEST_CASE("a bare signature is taken before and after its key") {
  const GoodNode& n = good_node();
  const std::vector<std::uint8_t> bare(n.signature.begin() + 6, n.signature.end());
  for (const bool key_first : {true, false}) {
    Evidence evidence;
    make_good_evidence(evidence);
    const auto set_key = [&] {
      REQUIRE(attest_evidence_set_ak(evidence.get(), n.ak.data(), n.ak.size()) == ATTEST_OK);
    };
    if (key_first) set_key();
    REQUIRE(attest_evidence_set_quote(evidence.get(), n.attest.data(), n.attest.size(), bare.data(),
                                      bare.size(), n.pcrs.data(), n.pcrs.size()) == ATTEST_OK);
    if (!key_first) set_key();
    CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
  }
}

TEST_CASE("NULLs in calls about evidence are the caller's mistake") {
  Evidence evidence;
  make_good_evidence(evidence);
  const std::uint8_t byte = 0;
  check_failed(attest_evidence_new(nullptr), ATTEST_E_ARGUMENT, "out is NULL");
  check_failed(attest_evidence_set_quote(nullptr, &byte, 1, &byte, 1, &byte, 1), ATTEST_E_ARGUMENT,
               "evidence is NULL");
  check_failed(attest_evidence_set_keylime_quote(nullptr, "r", 1), ATTEST_E_ARGUMENT, "evidence");
  check_failed(attest_evidence_set_keylime_quote(evidence.get(), nullptr, 1), ATTEST_E_ARGUMENT,
               "NULL");
  check_failed(attest_evidence_set_ak(nullptr, &byte, 1), ATTEST_E_ARGUMENT, "evidence is NULL");
  check_failed(attest_evidence_set_key(nullptr, nullptr), ATTEST_E_ARGUMENT, "evidence is NULL");
  check_failed(attest_evidence_set_key(evidence.get(), nullptr), ATTEST_E_ARGUMENT, "key is NULL");
  check_failed(attest_evidence_set_eventlog(nullptr, &byte, 1), ATTEST_E_ARGUMENT, "evidence");
  check_failed(attest_evidence_set_ima(nullptr, &byte, 1), ATTEST_E_ARGUMENT, "evidence is NULL");
  check_failed(attest_evidence_set_ima_reader(nullptr, read_list, nullptr), ATTEST_E_ARGUMENT,
               "evidence is NULL");
  check_failed(attest_evidence_set_ima_reader(evidence.get(), nullptr, nullptr), ATTEST_E_ARGUMENT,
               "read is NULL");
  CHECK(verdict_of(evidence) == ATTEST_VERDICT_TRUSTED);
}
