// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/finding.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace attest::policy;

namespace {

Finding finding(Severity severity) {
  return {Code::kPcrValue, severity, Component::kPcr, {}, {}, {}, {}, {}, "words"};
}

}  // namespace

TEST_CASE("every code has an id of its own, in kebab case") {
  std::set<std::string_view> ids;
  std::size_t num = 0;
  for (std::uint16_t number = 0; number < 1000; ++number) {
    const std::string_view id = id_of(static_cast<Code>(number));
    if (id.empty()) continue;
    ++num;
    ids.insert(id);
    INFO(id);
    CHECK(std::ranges::all_of(
        id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }));
    CHECK(id.front() != '-');
    CHECK(id.back() != '-');
    CHECK(id.find("--") == std::string_view::npos);
  }
  CHECK(ids.size() == num);
  CHECK(num >= 79);
}

TEST_CASE("no number inside a group of codes lacks an id") {
  struct Group {
    std::uint16_t first, last;
  };
  const auto group = GENERATE(Group{101, 120}, Group{201, 207}, Group{301, 305}, Group{401, 417},
                              Group{501, 520}, Group{601, 605}, Group{701, 706}, Group{901, 901});
  for (std::uint16_t number = group.first; number <= group.last; ++number) {
    INFO(number);
    CHECK_FALSE(id_of(static_cast<Code>(number)).empty());
  }
}

TEST_CASE("ids that programs rely on") {
  CHECK(id_of(Code::kQuoteMagic) == "quote-magic");
  CHECK(id_of(Code::kSignatureInvalid) == "signature-invalid");
  CHECK(id_of(Code::kKeyNotPinned) == "ak-not-pinned");
  CHECK(id_of(Code::kKeyNotBound) == "ak-not-bound");
  CHECK(id_of(Code::kKeyNameAlgorithm) == "ak-name-algorithm");
  CHECK(id_of(Code::kPcrReplay) == "pcr-replay");
  CHECK(id_of(Code::kEventLogMissing) == "eventlog-missing");
  CHECK(id_of(Code::kNoMeasuredLaunch) == "no-measured-launch");
  CHECK(id_of(Code::kLaunchLogMissing) == "launchlog-missing");
  CHECK(id_of(Code::kEventUnknown) == "event-unknown");
  CHECK(id_of(Code::kEventOrder) == "event-order");
  CHECK(id_of(Code::kImaNotListed) == "ima-not-listed");
  CHECK(id_of(Code::kNodeRebooted) == "node-rebooted");
  CHECK(id_of(Code::kFindingsDropped) == "findings-dropped");
}

TEST_CASE("severities and components have names, other numbers have none") {
  CHECK(name_of(Severity::kInfo) == "info");
  CHECK(name_of(Severity::kWarning) == "warning");
  CHECK(name_of(Severity::kFailure) == "failure");
  CHECK(name_of(static_cast<Severity>(0)).empty());
  CHECK(name_of(Component::kQuote) == "quote");
  CHECK(name_of(Component::kKey) == "ak");
  CHECK(name_of(Component::kPcr) == "pcr");
  CHECK(name_of(Component::kEventLog) == "eventlog");
  CHECK(name_of(Component::kIma) == "ima");
  CHECK(name_of(Component::kPolicy) == "policy");
  CHECK(name_of(Component::kNode) == "node");
  CHECK(name_of(static_cast<Component>(0)).empty());
}

TEST_CASE("warnings are not failures") {
  Findings findings;
  findings.add(finding(Severity::kInfo));
  findings.add(finding(Severity::kWarning));
  findings.drop(Severity::kWarning);
  CHECK(findings.list().size() == 2);
  CHECK(findings.dropped() == 1);
  CHECK_FALSE(findings.any_failure());
  findings.add(finding(Severity::kFailure));
  CHECK(findings.any_failure());
}

TEST_CASE("a failure that is dropped still counts") {
  Findings findings;
  for (std::size_t i = 0; i < Findings::kMax; ++i) {
    CHECK_FALSE(findings.full());
    findings.add(finding(Severity::kFailure));
  }
  CHECK(findings.full());
  SECTION("by add") { findings.add(finding(Severity::kFailure)); }
  SECTION("by drop") { findings.drop(Severity::kFailure); }
  CHECK(findings.list().size() == Findings::kMax);
  CHECK(findings.dropped() == 1);
  CHECK(findings.any_failure());
}

TEST_CASE("warnings leave room for the reasons of a verdict") {
  Findings findings;
  for (std::size_t i = 0; i < 2 * Findings::kMax; ++i) findings.add(finding(Severity::kWarning));
  for (std::size_t i = 0; i < 2 * Findings::kMax; ++i) findings.add(finding(Severity::kInfo));
  CHECK(findings.list().size() == Findings::kMaxOthers);
  CHECK(findings.dropped() == 4 * Findings::kMax - Findings::kMaxOthers);
  CHECK_FALSE(findings.any_failure());
  CHECK_FALSE(findings.full());
  findings.add(finding(Severity::kFailure));
  CHECK(findings.list().back().severity == Severity::kFailure);
  // Also when they come one after the other.
  Findings all;
  all.append(std::move(findings));
  CHECK(all.list().back().severity == Severity::kFailure);
  CHECK(all.list().size() == Findings::kMaxOthers + 1);
}

TEST_CASE("appending keeps the order, the limit, the count and the failure") {
  Findings a, b;
  a.add(finding(Severity::kInfo));
  b.drop(Severity::kFailure);
  for (std::size_t i = 0; i < Findings::kMax; ++i) b.add(finding(Severity::kFailure));
  a.append(std::move(b));
  CHECK(a.list().size() == Findings::kMax);
  CHECK(a.list().front().severity == Severity::kInfo);
  CHECK(a.list().back().severity == Severity::kFailure);
  CHECK(a.dropped() == 2);
  CHECK(a.any_failure());
}
