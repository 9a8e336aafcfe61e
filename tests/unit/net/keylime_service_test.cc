// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_service.h"

#include <catch2/catch.hpp>

using attest::net::Api;
using attest::net::ApiVersion;
using attest::net::KnownApi;
using attest::net::kOurVersions;

TEST_CASE("a service's version is remembered as it is") {
  KnownApi known;
  CHECK_FALSE(known.get());
  for (const ApiVersion& version : kOurVersions) {
    known.set({version});
    CHECK(known.get() == Api{version});
  }
  known.set({ApiVersion{9999, 9999}});
  CHECK(known.get() == Api{ApiVersion{9999, 9999}});
  known.set({ApiVersion{0, 0}});
  CHECK(known.get() == Api{ApiVersion{0, 0}});
}

TEST_CASE("that a service has no versions is remembered, too, and is not the same as not knowing") {
  KnownApi known;
  known.set({});
  REQUIRE(known.get());
  CHECK(known.get() == Api{});
  CHECK_FALSE(known.get()->version);
}
