// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/template.h"

#include <catch2/catch.hpp>

namespace {

using attest::ima::find_template;
using attest::ima::TemplateCache;

}  // namespace

TEST_CASE("a format string gives the fields that its template's name gives") {
  struct Case {
    const char* name;
    const char* format;
  };
  const auto c = GENERATE(values<Case>(
      {{"ima", "d|n"},
       {"ima-ng", "d-ng|n-ng"},
       {"ima-ngv2", "d-ngv2|n-ng"},
       {"ima-sig", "d-ng|n-ng|sig"},
       {"ima-sigv2", "d-ngv2|n-ng|sig"},
       {"ima-buf", "d-ng|n-ng|buf"},
       {"ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig"},
       {"evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode"}}));
  const auto named = find_template(c.name);
  const auto custom = find_template(c.format);
  REQUIRE(named);
  REQUIRE(custom);
  CHECK(std::equal(named->fields().begin(), named->fields().end(), custom->fields().begin(),
                   custom->fields().end()));
  CHECK(named->legacy == (c.name == std::string("ima")));
  CHECK_FALSE(custom->legacy);
}

TEST_CASE("a format of unknown or repeated fields is no template") {
  const char* const format =
      GENERATE("", "|", "d-ng|", "|d-ng", "d-ng||n-ng", "d-ng |n-ng", "D-NG", "d-ng,n-ng", "ima-",
               "sig|sig", "d|d-ng", "d-ng|d-ngv2", "n|n-ng", "d-ng|n-ng|x", "ima-ng|sig");
  CHECK_FALSE(find_template(format));
}

TEST_CASE("a format in which a field could stand for another is no template") {
  const char* const format = GENERATE(
      "d-ng", "n-ng", "sig", "n-ng|d-ng", "n|d", "d-modsig|n-ng|d", "d-modsig|n-ng|sig|d-ng|modsig",
      "d-ng|sig|n-ng", "sig|d-ng|n-ng", "d-ng|n-ng|evmsig", "d-ng|n-ng|modsig",
      "d-ng|n-ng|sig|d-modsig", "d-ng|n-ng|d-modsig", "d-ng|n-ng|imode",
      "d-modsig|n-ng|evmsig|xattrnames|xattrlengths|d-ng|iuid|igid|imode");
  CHECK_FALSE(find_template(format));
}

TEST_CASE("a format of a digest, a name, a signature and a buffer is a template") {
  const auto [format, num_fields] =
      GENERATE(table<const char*, std::size_t>({{"d|n-ng", 2},
                                                {"d-ngv2|n", 2},
                                                {"d-ngv2|n-ng|buf", 3},
                                                {"d-ng|n-ng|sig|buf", 4},
                                                {"d-ng|n-ng|buf|sig", 4}}));
  const auto t = find_template(format);
  REQUIRE(t);
  CHECK(t->num_fields == num_fields);
  CHECK_FALSE(t->legacy);
}

TEST_CASE("the cache answers for the name that is asked, not the one before") {
  TemplateCache cache;
  CHECK(cache.find("") == nullptr);
  REQUIRE(cache.find("ima-ng") != nullptr);
  CHECK(cache.find("ima-ng")->num_fields == 2);
  CHECK(cache.find("ima-nx") == nullptr);
  REQUIRE(cache.find("ima-sig") != nullptr);
  CHECK(cache.find("ima-sig")->num_fields == 3);
  CHECK(cache.find("") == nullptr);
}
