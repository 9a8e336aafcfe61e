// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/excludes.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/json/value.h"
#include "tests/support/vectors.h"

using attest::ParseError;
using attest::policy::Excludes;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

Excludes of(std::vector<std::string> texts, bool allow_match_all = false) {
  std::vector<Excludes::Pattern> patterns;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    patterns.push_back({texts[i], "line " + std::to_string(i + 1)});
  }
  return {std::move(patterns), "excludelist", allow_match_all};
}

std::string text_of(std::string_view json) {
  const auto document = attest::json::Document::parse(json, "table");
  return std::string(document.root().string());
}

std::vector<std::string_view> columns(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t tab = line.find('\t');
    out.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return out;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

TEST_CASE("no patterns exclude nothing") {
  CHECK_FALSE(Excludes().match("/tmp"));
  CHECK_FALSE(Excludes().match(""));
  CHECK(Excludes().empty());
  CHECK(of({}).empty());
  CHECK_FALSE(of({}).match("/tmp"));
}

TEST_CASE("a pattern matches from the start of a path and not to its end") {
  const Excludes excludes = of({"/tmp", "/var/log/.*"});
  CHECK(excludes.match("/tmp"));
  CHECK(excludes.match("/tmpfile"));
  CHECK_FALSE(excludes.match("/x/tmp"));
  CHECK(excludes.match("/var/log/a"));
  CHECK_FALSE(excludes.match("/var/log"));
  CHECK_FALSE(excludes.match(""));
  CHECK(excludes.patterns() == std::vector<std::string>{"/tmp", "/var/log/.*"});
  CHECK_FALSE(excludes.empty());
}

TEST_CASE("patterns match as Python's re.match") {
  const std::string table = read_text_vector("excludes/table.tsv");
  attest::Lines lines(table);
  std::vector<std::string> paths;
  const std::string first(*lines.next());
  const auto document = attest::json::Document::parse(first, "table");
  for (std::size_t i = 0; i < document.root().size(); ++i) {
    paths.emplace_back(document.root().at(i).string());
  }
  std::size_t num = 0;
  const auto check = [&num](const Excludes& excludes, const std::string& path, char expected) {
    ++num;
    INFO(excludes.patterns()[0] << " on " << path);
    REQUIRE(excludes.match(path) == (expected == '1'));
  };
  while (const auto line = lines.next()) {
    const auto cells = columns(*line);
    const Excludes excludes = of({text_of(cells[0])});
    if (cells.size() == 3) {
      check(excludes, text_of(cells[1]), cells[2][0]);
      continue;
    }
    REQUIRE(cells[1].size() == paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i) check(excludes, paths[i], cells[1][i]);
  }
  CHECK(num > 10'000);
}

TEST_CASE("paths are bytes, and need not be UTF-8") {
  CHECK(of({"/x.y"}).match("/x\xffy"));
  CHECK(of({"/x[^a]y"}).match("/x\xffy"));
  CHECK(of({"/x\\Wy"}).match("/x\xffy"));
  CHECK_FALSE(of({"/x\\wy"}).match("/x\xffy"));
  CHECK_FALSE(of({"/x.y"}).match("/x\xc3\xa9y"));
  CHECK(of({"/x\xffy"}).match("/x\xffy"));
  CHECK(of({"/x.y"}).match(std::string("/x\0y", 4)));
}

TEST_CASE("joined patterns match what each of them matches") {
  const std::vector<std::string> patterns{"/a|/b$", "^/c", "/d$", "(/e|)f", "/g/.*", "h\\Z"};
  const Excludes joined = of(patterns);
  for (const std::string path : {"/a", "/ax", "/b", "/bx", "/c", "/cx", "/d", "/dx", "/ef", "f",
                                 "/g/x", "/g", "h", "hx", "x/c", ""}) {
    bool any = false;
    for (const std::string& pattern : patterns) any = any || of({pattern}).match(path);
    INFO(path);
    CHECK(joined.match(path) == any);
  }
}

TEST_CASE("the first pattern that is not accepted is refused with its place") {
  CHECK_THROWS_WITH(
      of({"/a", "a)(b", "(?i)"}),
      Equals("excludelist: line 2: exclude pattern \"a)(b\": column 2: a ) without its (, "
             "which exclude patterns may not have"));
  CHECK_THROWS_WITH(of({"\x1b(?=a)"}),
                    Contains("exclude pattern \"\\x1b(?=a)\": column 2: look-around"));
  CHECK_THROWS_AS(of({"("}), ParseError);
}

TEST_CASE("a pattern that matches every path is refused unless that is allowed") {
  const auto pattern = GENERATE(as<std::string>{}, "", ".*", "(/tmp)?", "a*", "|/a", "^", "x{0}");
  CHECK_THROWS_WITH(of({"/a", pattern}), Equals("excludelist: line 2: exclude pattern \"" +
                                                pattern + "\": matches every path"));
  const Excludes allowed = of({pattern}, true);
  CHECK(allowed.match("/usr/bin/ls"));
  CHECK(allowed.match(""));
  CHECK_FALSE(allowed.empty());
}

TEST_CASE("a pattern that would take too much memory is refused") {
  CHECK_THROWS_WITH(of({"(a{1000}){1000}"}), Contains("does not compile"));
  CHECK_THROWS_WITH(of({"((a{100}){100}){100}"}), Contains("does not compile"));
  std::string large = "/";
  for (int i = 0; i < 45; ++i) large += "[a-f]{1000}";
  CHECK_NOTHROW(of({large}));
  CHECK_THROWS_WITH(of({large + large}),
                    Contains("line 1: ") && Contains("too large when compiled"));
  CHECK_THROWS_WITH(of(std::vector<std::string>(12, large)),
                    Equals("excludelist: line 12: the exclude patterns are too many"));
}

TEST_CASE("more patterns than one program holds still match what each of them matches") {
  std::vector<std::string> patterns;
  for (int i = 0; i < 3000; ++i)
    patterns.push_back("/opt/" + std::to_string(7919 * i) + "/[^/]*[.](log|tmp)$");
  const Excludes excludes = of(patterns);
  CHECK(excludes.match("/opt/0/a.log"));
  CHECK(excludes.match("/opt/" + std::to_string(7919 * 2999) + "/b.tmp"));
  CHECK(excludes.match("/opt/" + std::to_string(7919 * 1500) + "/b.tmp"));
  CHECK_FALSE(excludes.match("/opt/1/a.log"));
  CHECK_FALSE(excludes.match("/opt/0/a/b.log"));
}

TEST_CASE("matching takes time that is linear in the path") {
  const Excludes excludes = of({"(a*)*b", "(a|aa)+c", "/(x+x+)+y"});
  CHECK_FALSE(excludes.match(std::string(65'536, 'a')));
  CHECK(excludes.match(std::string(65'536, 'a') + "b"));
  CHECK_FALSE(excludes.match("/" + std::string(65'536, 'x')));
}

TEST_CASE("excludes that are copied answer as the first") {
  const Excludes first = of({"/tmp"});
  const Excludes second = first;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(second.match("/tmp/x"));
  CHECK_FALSE(second.match("/x"));
}
