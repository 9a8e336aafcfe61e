// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/oat_time.h"

#include <catch2/catch.hpp>
#include <clocale>
#include <string>

using attest::net::parse_oat_time;

namespace {

constexpr std::int64_t kLeapDay = 1456784966;  // date -u -d "2016-02-29 22:29:26" +%s

}  // namespace

TEST_CASE("the forms of times that OAT servers write") {
  for (const char* text :
       {"2016-02-29T22:29:26.365+0000", "2016-02-29T22:29:26", "2016-02-29T22:29:26Z",
        "2016-02-29 22:29:26", "2016-02-29T22:29:26+00:00", "2016-02-29T22:29:26-00",
        "2016-02-29T22:29:26,999999999Z", "2016-02-29T17:29:26-05:00", "2016-02-29T17:29:26-0500",
        "2016-03-01T00:29:26+02", "2016-03-01T03:59:26.1+0530", "Mon Feb 29 22:29:26 2016"}) {
    INFO(text);
    CHECK(parse_oat_time(text) == kLeapDay);
  }
  CHECK(parse_oat_time("Tue Feb 14 09:02:48 2012") == 1329210168);
  CHECK(parse_oat_time("Fri Nov  6 01:02:03 2026") == 1793926923);
  CHECK(parse_oat_time("Fri Nov 06 01:02:03 2026") == 1793926923);
  CHECK(parse_oat_time("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_oat_time("2016-12-31T23:59:60Z") == parse_oat_time("2017-01-01T00:00:00Z"));
  CHECK(parse_oat_time("2099-01-01T00:00:00Z") == 4070908800);
  CHECK(parse_oat_time("9999-12-31T23:59:59Z") == 253402300799);
}

TEST_CASE("what is not a time is none") {
  for (const char* text : {"",
                           " ",
                           "now",
                           "0",
                           "1456784966",
                           "2016",
                           "2016-02-29",
                           "2016-02-29T",
                           "2016-02-29T22:29",
                           "2016-02-29T22:29:26.",
                           "2016-02-29T22:29:26.0123456789",
                           "2016-02-29T22:29:26 ",
                           " 2016-02-29T22:29:26",
                           "2016-02-29T22:29:26ZZ",
                           "2016-02-29T22:29:26z",
                           "2016-02-29t22:29:26Z",
                           "2016-02-29T22:29:26+",
                           "2016-02-29T22:29:26+0",
                           "2016-02-29T22:29:26+00:",
                           "2016-02-29T22:29:26+00:0",
                           "2016-02-29T22:29:26+00000",
                           "2016-02-29T22:29:26+24:00",
                           "2016-02-29T22:29:26+00:60",
                           "2016-02-29T22:29:26*0000",
                           "2016-02-29T22:29:26.365 +0000",
                           "2016-02-30T22:29:26Z",
                           "2015-02-29T22:29:26Z",
                           "1900-02-29T00:00:00Z",
                           "2016-13-01T00:00:00Z",
                           "2016-00-01T00:00:00Z",
                           "2016-01-00T00:00:00Z",
                           "2016-01-01T24:00:00Z",
                           "2016-01-01T00:60:00Z",
                           "2016-01-01T00:00:61Z",
                           "1969-12-31T23:59:59Z",
                           "1970-01-01T00:00:00+01:00",
                           "0000-01-01T00:00:00Z",
                           "-016-01-01T00:00:00Z",
                           "+2016-01-01T00:00:00Z",
                           "2016-1-1T00:00:00Z",
                           "Mon Feb 29 22:29:26 2015",
                           "Tue Feb 29 22:29:26 2016",
                           "mon Feb 29 22:29:26 2016",
                           "Mon feb 29 22:29:26 2016",
                           "Mon Feb 29 22:29:26 UTC 2016",
                           "Mon Feb 29 22:29:26 2016\n",
                           "Mon Feb 29 22:29:26",
                           "Mon Feb  29 22:29:26 2016",
                           "Mon Feb 30 22:29:26 2016",
                           "Mon  Feb 29 22:29:26 2016",
                           "Mo. 29 Feb 2016 22:29:26 CET",
                           "Wed Dec 31 23:59:59 1969",
                           "Mon",
                           "Mon Feb"}) {
    INFO(text);
    CHECK_FALSE(parse_oat_time(text).has_value());
  }
  CHECK_FALSE(parse_oat_time(std::string_view("2016-02-29T22:29:26Z\0", 21)).has_value());
}

TEST_CASE("a time cut short anywhere is none, or the same without what is optional") {
  const std::string iso = "2016-02-29T22:29:26.365+00:00";
  for (std::size_t size = 0; size < iso.size(); ++size) {
    INFO(size);
    const auto parsed = parse_oat_time(std::string_view(iso).substr(0, size));
    const bool whole = size == 19 || (size >= 21 && size <= 23) || size == 26;
    CHECK(parsed.has_value() == whole);
    if (whole) CHECK(parsed == kLeapDay);
  }
  const std::string words = "Mon Feb 29 22:29:26 2016";
  for (std::size_t size = 0; size < words.size(); ++size) {
    CHECK_FALSE(parse_oat_time(std::string_view(words).substr(0, size)).has_value());
  }
}

TEST_CASE("the locale of the process decides nothing") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"C.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "C"}) {
    (void)std::setlocale(LC_ALL, name);  // where the machine has it
    CHECK(parse_oat_time("Mon Feb 29 22:29:26 2016") == kLeapDay);
  }
  (void)std::setlocale(LC_ALL, before.c_str());
}
