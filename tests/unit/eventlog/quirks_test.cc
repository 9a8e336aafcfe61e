// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/quirks.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/support/eventlog_builder.h"
#include "tests/support/vectors.h"

namespace attest::eventlog {
namespace {

using namespace eventlog_builder;

constexpr const char* kInvocation = "Exit Boot Services Invocation";
constexpr const char* kSuccess = "Exit Boot Services Returned with Success";
constexpr const char* kFailure = "Exit Boot Services Returned with Failure";

// PCR 5 with the events, in the one bank.
crypto::Digest pcr5(const std::vector<const char*>& actions) {
  LogBuilder b({Hash::kSha256});
  b.separators();
  for (const char* action : actions) b.action(5, action);
  return replay(Log::parse(b.bytes())).banks[0].pcrs[5];
}

std::optional<QuirkId> missing(const std::vector<const char*>& quoted,
                               const std::vector<const char*>& logged) {
  LogBuilder b({Hash::kSha256});
  b.separators();
  for (const char* action : logged) b.action(5, action);
  return ebs_missing(pcr5(quoted).bytes(), replay(Log::parse(b.bytes())).banks[0]);
}

TEST_CASE("quirks have names of their own") {
  std::set<std::string_view> names;
  for (const Quirk& q : quirks()) {
    CHECK(names.insert(q.name).second);
    CHECK_FALSE(q.what.empty());
    CHECK(&quirk(q.id) == &q);
  }
  CHECK(names.size() == 8);
  CHECK(quirk(QuirkId::kEbsMissingSuccess).name == "exit-boot-services-not-logged");
}

TEST_CASE("the three ways ExitBootServices can be missing are told apart") {
  CHECK(missing({kInvocation, kSuccess}, {}) == QuirkId::kEbsMissingSuccess);
  CHECK(missing({kInvocation, kFailure}, {}) == QuirkId::kEbsMissingFailure);
  CHECK(missing({kInvocation, kFailure, kSuccess}, {}) == QuirkId::kEbsMissingRetry);
}

TEST_CASE("no other continuation of PCR 5 is allowed for") {
  CHECK_FALSE(missing({}, {}));
  CHECK_FALSE(missing({kInvocation}, {}));
  CHECK_FALSE(missing({kSuccess}, {}));
  CHECK_FALSE(missing({kSuccess, kInvocation}, {}));
  CHECK_FALSE(missing({kInvocation, kSuccess, kSuccess}, {}));
  CHECK_FALSE(missing({kInvocation, kSuccess, kFailure}, {}));
  CHECK_FALSE(missing({kInvocation, kSuccess}, {kInvocation}));
  CHECK_FALSE(missing({}, {kInvocation, kSuccess}));
}

TEST_CASE("a value of another bank's size is no continuation") {
  LogBuilder b({Hash::kSha256});
  const Replay r = replay(Log::parse(b.separators().bytes()));
  const Data value(20, 0);
  CHECK_FALSE(ebs_missing(value, r.banks[0]));
  CHECK_FALSE(ebs_missing({}, r.banks[0]));
}

TEST_CASE("a real PCR 5 whose log lost its last two events is explained, in every bank") {
  Data bytes = read_vector("boot/grub-ima-ng/binary_bios_measurements");
  const Replay whole = replay(Log::parse(bytes));
  const Log log = Log::parse(bytes);
  const std::size_t end = log.events().at(43).offset;
  const Replay cut = replay(Log::parse(Bytes(bytes).first(end)));
  for (std::size_t i = 0; i < whole.banks.size(); ++i) {
    CHECK(ebs_missing(whole.banks[i].pcrs[5].bytes(), cut.banks[i]) == QuirkId::kEbsMissingSuccess);
    CHECK_FALSE(ebs_missing(whole.banks[i].pcrs[4].bytes(), cut.banks[i]));
  }
}

}  // namespace
}  // namespace attest::eventlog
