// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/pattern.h"

#include <catch2/catch.hpp>
#include <string>

using attest::policy::PatternError;
using attest::policy::translate_pattern;
using Catch::Matchers::Equals;

namespace {

struct Refused {
  std::string pattern;
  std::string why;
};

}  // namespace

TEST_CASE("patterns are written anew in RE2's syntax") {
  CHECK(translate_pattern("").empty());
  CHECK(translate_pattern("/usr/lib_1") == "/usr/lib_1");
  CHECK(translate_pattern("a.b") == "a[^\\n]b");
  CHECK(translate_pattern(R"(\.)") == "\\x2e");
  CHECK(translate_pattern("^a$") == "\\Aa\\z");
  CHECK(translate_pattern(R"(\Aa\Z)") == "\\Aa\\z");
  CHECK(translate_pattern("(a|b)") == "(?:a|b)");
  CHECK(translate_pattern("(?:a)*?") == "(?:a)*?");
  CHECK(translate_pattern("a{2}b{2,}c{2,3}?") == "a{2}b{2,}c{2,3}?");
  CHECK(translate_pattern(R"(\d)") == "[\\x30-\\x39]");
  CHECK(translate_pattern(R"(\s)") == "[\\x09-\\x0d\\x20]");
  CHECK(translate_pattern(R"([a-c\d-])") == "[\\x2d\\x30-\\x39\\x61-\\x63]");
  CHECK(translate_pattern("[^\\S]") == "[\\x09-\\x0d\\x20]");
  CHECK(translate_pattern("[]]") == "[\\x5d]");
  CHECK(translate_pattern("}]-") == "\\x7d\\x5d\\x2d");
  CHECK(translate_pattern("\xc3\xa9+") == "(?:\\xc3\\xa9)+");
}

TEST_CASE("a construct that Python and RE2 do not read alike is refused by its name") {
  const auto c = GENERATE(
      Refused{R"((a)\1)", "column 4: a back-reference"},
      Refused{"(?P=a)", "column 1: a back-reference"},
      Refused{"(?P<a>b)", "column 1: a named group"}, Refused{"(?<a>b)", "column 1: a named group"},
      Refused{"a(?=b)", "column 2: look-around"}, Refused{"(?!b)", "column 1: look-around"},
      Refused{"(?<=b)", "column 1: look-around"}, Refused{"(?<!b)", "column 1: look-around"},
      Refused{"(?(1)a|b)", "column 1: a conditional"},
      Refused{"(?>a)", "column 1: an atomic group"}, Refused{"(?#a)", "column 1: a comment"},
      Refused{"(?i)a", "column 1: inline flags"}, Refused{"(?i:a)", "column 1: inline flags"},
      Refused{"(?", "column 1: inline flags"}, Refused{"(?-s:a)", "column 1: inline flags"},
      Refused{"(?s)a", "column 1: inline flags"},
      Refused{"a*+", "column 2: a possessive repetition"},
      Refused{"a++", "column 2: a possessive repetition"},
      Refused{"a?+", "column 2: a possessive repetition"},
      Refused{"a{2}+", "column 2: a possessive repetition"},
      Refused{"a*?+", "column 2: a possessive repetition"},
      Refused{"a**", "column 3: a repetition of a repetition"},
      Refused{"a*{2}", "column 3: a repetition of a repetition"},
      Refused{"a??*", "column 4: a repetition of a repetition"},
      Refused{"*a", "column 1: a repetition of nothing"},
      Refused{"a|*", "column 3: a repetition of nothing"},
      Refused{"(+)", "column 2: a repetition of nothing"},
      Refused{"(?:?)", "column 4: a repetition of nothing"},
      Refused{"{2}", "column 1: a repetition of nothing"},
      Refused{"^*", "column 2: a repetition of an anchor"},
      Refused{"a$?", "column 3: a repetition of an anchor"},
      Refused{R"(\A+)", "column 3: a repetition of an anchor"},
      Refused{R"(\Z{2})", "column 3: a repetition of an anchor"},
      Refused{"a{,2}", "column 2: a repetition without its least count"},
      Refused{"a{,}", "column 2: a repetition without its least count"},
      Refused{"a{3,2}", "column 2: a repetition whose least count is above its most"},
      Refused{"a{1001}", "column 2: a repetition count above 1000"},
      Refused{"a{1,1001}", "column 2: a repetition count above 1000"},
      Refused{"a{99999999999999999999}", "column 2: a repetition count above 1000"},
      Refused{"a{x", "column 2: a { that begins no repetition (write \\{)"},
      Refused{"a{", "column 2: a { that begins no repetition (write \\{)"},
      Refused{"a{2", "column 2: a { that begins no repetition (write \\{)"},
      Refused{"a{2,", "column 2: a { that begins no repetition (write \\{)"},
      Refused{"a{2,3", "column 2: a { that begins no repetition (write \\{)"},
      Refused{"a{2,x}", "column 2: a { that begins no repetition (write \\{)"},
      Refused{R"(a\b)", "column 2: a word boundary"},
      Refused{R"(a\B)", "column 2: a word boundary"}, Refused{R"(\C)", "column 1: the escape \\C"},
      Refused{R"(\Qa\E)", "column 1: the escape \\Q"},
      Refused{R"(\pL)", "column 1: the escape \\p"}, Refused{R"(\PL)", "column 1: the escape \\P"},
      Refused{R"(a\z)", "column 2: the escape \\z"}, Refused{R"(\n)", "column 1: the escape \\n"},
      Refused{R"(\x41)", "column 1: the escape \\x"},
      Refused{R"(\u0041)", "column 1: the escape \\u"},
      Refused{R"(\N{DASH})", "column 1: the escape \\N"},
      Refused{R"(\G)", "column 1: the escape \\G"}, Refused{R"(\0)", "column 1: the escape \\0"},
      Refused{R"(\07)", "column 1: the escape \\0"}, Refused{"a\\", "column 2: a \\ at the end"},
      Refused{"\\\xc3\xa9", "column 1: an escape of what needs none"},
      Refused{"\\\n", "column 1: an escape of what needs none"});
  INFO(c.pattern);
  CHECK_THROWS_WITH(translate_pattern(c.pattern), Equals(c.why));
}

TEST_CASE("a set that Python and RE2 do not read alike is refused by its name") {
  const auto c = GENERATE(
      Refused{"a[", "column 2: a [ that is never closed"},
      Refused{"[]", "column 1: a [ that is never closed"},
      Refused{"[^]", "column 1: a [ that is never closed"},
      Refused{"[a", "column 1: a [ that is never closed"},
      Refused{"[a-", "column 1: a [ that is never closed"},
      Refused{"[a\\", "column 1: a [ that is never closed"},
      Refused{"[a-\\", "column 1: a [ that is never closed"},
      Refused{"[[:alpha:]]", "column 2: a POSIX class"},
      Refused{"[a[.x.]]", "column 3: a POSIX class"}, Refused{"[[=a=]]", "column 2: a POSIX class"},
      Refused{"[a&&b]", "column 3: a set operation"},
      Refused{"[a--b]", "column 2: a range that ends before it begins"},
      Refused{"[a||b]", "column 3: a set operation"},
      Refused{"[a~~b]", "column 3: a set operation"}, Refused{"[--a]", "column 2: a set operation"},
      Refused{R"([\d-z])", "column 2: a range that begins with a class"},
      Refused{R"([a-\d])", "column 4: a range that ends with a class"},
      Refused{"[z-a]", "column 2: a range that ends before it begins"},
      Refused{"[\xc3\xa9]", "column 2: a character outside ASCII in a set"},
      Refused{"[a-\xc3\xa9]", "column 4: a character outside ASCII in a set"},
      Refused{R"([\b])", "column 2: a word boundary"},
      Refused{R"([\1])", "column 2: a back-reference"},
      Refused{R"([\n])", "column 2: the escape \\n"},
      Refused{R"([\A])", "column 2: the escape \\A"},
      Refused{R"([^\d\D])", "column 1: a set that holds nothing"});
  INFO(c.pattern);
  CHECK_THROWS_WITH(translate_pattern(c.pattern), Equals(c.why));
}

TEST_CASE("groups are closed where they are opened, and not nested without end") {
  CHECK_THROWS_WITH(translate_pattern("a)(b"), Equals("column 2: a ) without its ("));
  CHECK_THROWS_WITH(translate_pattern("(a"), Equals("column 1: a ( that is never closed"));
  CHECK_THROWS_WITH(translate_pattern("((a)"), Equals("column 1: a ( that is never closed"));
  CHECK_NOTHROW(translate_pattern(std::string(100, '(') + std::string(100, ')')));
  CHECK_THROWS_WITH(translate_pattern(std::string(101, '(')),
                    Equals("column 101: groups nested too deeply"));
}

TEST_CASE("a pattern has at most 8192 bytes") {
  CHECK_NOTHROW(translate_pattern(std::string(8192, 'a')));
  CHECK_THROWS_WITH(translate_pattern(std::string(8193, 'a')), Equals("longer than 8192 bytes"));
}
