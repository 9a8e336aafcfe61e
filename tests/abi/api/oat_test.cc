// SPDX-License-Identifier: Apache-2.0

#include "libattest/oat.h"

#include <array>

#include "tests/abi/api/calls.h"

namespace {

const std::string kPem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

// Nobody listens on port 1.
attest_oat_options options() {
  attest_oat_options o = ATTEST_OAT_OPTIONS_INIT;
  o.server = "127.0.0.1";
  o.port = 1;
  o.ca = kPem.data();
  o.ca_len = kPem.size();
  return o;
}

attest_status make(Oat& out, const attest_oat_options& o) {
  return attest_oat_new(out.place(), &o);
}

}  // namespace

TEST_CASE("an OAT client is made of a server and a CA") {
  Oat oat;
  CHECK(make(oat, options()) == ATTEST_OK);
  attest_oat_options o = options();
  o.port = 0;
  o.api_url = "/AttestationService/resources/";
  o.dialect = ATTEST_OAT_2;
  o.certificate = o.key = kPem.data();
  o.certificate_len = o.key_len = kPem.size();
  o.auth_blob = "a blob";
  o.auth_blob_len = 6;
  o.batch = 500;
  o.no_name_check = 1;
  CHECK(make(oat, o) == ATTEST_OK);
  attest_oat_cancel(oat.get());
  attest_oat_cancel(nullptr);
  attest_oat_free(nullptr);
}

TEST_CASE("an OAT client is not made of anything else") {
  auto* oat = rubbish<attest_oat>();
  CHECK(attest_oat_new(&oat, nullptr) == ATTEST_E_ARGUMENT);
  CHECK(oat == nullptr);
  const attest_oat_options good = options();
  CHECK(attest_oat_new(nullptr, &good) == ATTEST_E_ARGUMENT);
  const auto refused = [](auto change) {
    attest_oat_options o = options();
    change(o);
    auto* out = rubbish<attest_oat>();
    CHECK(attest_oat_new(&out, &o) == ATTEST_E_ARGUMENT);
    CHECK(out == nullptr);
  };
  refused([](auto& o) { o.size = 0; });
  refused([](auto& o) { o.server = nullptr; });
  refused([](auto& o) { o.server = "a/b"; });
  refused([](auto& o) { o.server = "user@host"; });
  refused([](auto& o) { o.port = 65536; });
  refused([](auto& o) { o.api_url = ""; });
  refused([](auto& o) { o.api_url = "resources"; });
  refused([](auto& o) { o.api_url = "/a?b=c"; });
  refused([](auto& o) { o.api_url = "/a#b"; });
  refused([](auto& o) { o.api_url = "/a b"; });
  refused([](auto& o) { o.api_url = "/a\r\nX: y"; });
  refused([](auto& o) { o.dialect = any<attest_oat_dialect>(4); });
  refused([](auto& o) { o.dialect = any<attest_oat_dialect>(-1); });
  refused([](auto& o) { o.ca = nullptr; });
  refused([](auto& o) { o.ca_len = 0; });
  refused([](auto& o) { o.certificate = kPem.data(), o.certificate_len = kPem.size(); });
  refused([](auto& o) { o.key = kPem.data(), o.key_len = kPem.size(); });
  refused([](auto& o) { o.batch = 501; });
  refused([](auto& o) { o.no_name_check = 2; });
  refused([](auto& o) { o.auth_blob_len = 1; });
}

TEST_CASE("an auth blob is one line, and no message repeats it") {
  const std::string too_long(8193, 'x');
  for (const std::string& blob :
       {std::string("secret\r\nX-Other: 1"), std::string("secret\n"), std::string("secret\0", 7),
        std::string("\x01secret"), std::string("secret\x7f"), std::string("secr\xc3\xa9t"),
        std::string(" secret"), std::string("secret "), std::string("se\tcret"), too_long}) {
    attest_oat_options o = options();
    o.auth_blob = blob.data();
    o.auth_blob_len = blob.size();
    Oat oat;
    check_failed(make(oat, o), ATTEST_E_ARGUMENT, "the auth blob");
    CHECK(std::string(attest_last_error()).find("secr") == std::string::npos);
  }
  attest_oat_options o = options();
  o.auth_blob = "";
  Oat oat;
  CHECK(make(oat, o) == ATTEST_OK);
}

TEST_CASE("a name that no server takes is unknown, and nobody is asked") {
  Oat oat;
  REQUIRE(make(oat, options()) == ATTEST_OK);
  const std::array<attest_host_name, 3> names{{{nullptr, 0}, {"a b", 3}, {"a\0b", 3}}};
  OatAnswer answer;
  REQUIRE(attest_oat_poll(answer.place(), oat.get(), names.data(), 3, 1, 1000) == ATTEST_OK);
  REQUIRE(attest_oat_answer_num_hosts(answer.get()) == 3);
  CHECK(attest_oat_answer_num_ignored(answer.get()) == 0);
  attest_oat_host host = ATTEST_OAT_HOST_INIT;
  host.verdict = ATTEST_VERDICT_TRUSTED;
  REQUIRE(attest_oat_answer_host(&host, answer.get(), 1) == ATTEST_OK);
  CHECK(host.name == std::string("a b"));
  CHECK(host.name_len == 3);
  CHECK(host.verdict == ATTEST_VERDICT_UNKNOWN);
  CHECK(host.reason == ATTEST_OAT_NAME_REFUSED);
  CHECK(host.measured_at == -1);
  host.verdict = ATTEST_VERDICT_TRUSTED;
  CHECK(attest_oat_answer_host(&host, answer.get(), 3) == ATTEST_E_ARGUMENT);
  CHECK(host.verdict == ATTEST_VERDICT_UNKNOWN);
  CHECK(attest_oat_answer_host(&host, nullptr, 0) == ATTEST_E_ARGUMENT);
  CHECK(attest_oat_answer_host(nullptr, answer.get(), 0) == ATTEST_E_ARGUMENT);
  host.size = 0;
  CHECK(attest_oat_answer_host(&host, answer.get(), 0) == ATTEST_E_ARGUMENT);
}

TEST_CASE("a server that is not reached is a network failure, and no answer") {
  Oat oat;
  REQUIRE(make(oat, options()) == ATTEST_OK);
  const std::array<attest_host_name, 2> names{{{"node-1x", 6}, {"node-2", 6}}};
  auto* answer = rubbish<attest_oat_answer>();
  // The CA is no real one: either the connection or the credentials fail.
  const attest_status status = attest_oat_poll(&answer, oat.get(), names.data(), 2, 1, 1000);
  CHECK((status == ATTEST_E_NETWORK || status == ATTEST_E_ARGUMENT));
  CHECK(answer == nullptr);
  CHECK(attest_oat_answer_num_hosts(nullptr) == 0);
  CHECK(attest_oat_answer_num_ignored(nullptr) == 0);
  attest_oat_answer_free(nullptr);
}

TEST_CASE("a poll without a time, a deadline or names is refused") {
  Oat oat;
  REQUIRE(make(oat, options()) == ATTEST_OK);
  const std::array<attest_host_name, 2> names{{{"a", 1}, {nullptr, 1}}};
  const auto refused = [](const attest_oat* client, const attest_host_name* texts,
                          std::size_t count, std::int64_t now, std::uint32_t timeout_ms) {
    auto* answer = rubbish<attest_oat_answer>();
    CHECK(attest_oat_poll(&answer, client, texts, count, now, timeout_ms) == ATTEST_E_ARGUMENT);
    CHECK(answer == nullptr);
  };
  refused(nullptr, names.data(), 1, 1, 1000);
  refused(oat.get(), nullptr, 1, 1, 1000);
  refused(oat.get(), names.data(), 2, 1, 1000);
  refused(oat.get(), names.data(), 1, 0, 1000);
  refused(oat.get(), names.data(), 1, -1, 1000);
  refused(oat.get(), names.data(), 1, 1, 0);
  CHECK(attest_oat_poll(nullptr, oat.get(), names.data(), 1, 1, 1000) == ATTEST_E_ARGUMENT);
  OatAnswer answer;
  CHECK(attest_oat_poll(answer.place(), oat.get(), nullptr, 0, 1, 1000) == ATTEST_OK);
  CHECK(attest_oat_answer_num_hosts(answer.get()) == 0);
}

TEST_CASE("dialects and reasons have names, others have none") {
  CHECK(attest_oat_dialect_from_name("1.0") == ATTEST_OAT_1_0);
  CHECK(attest_oat_dialect_from_name("1.5") == ATTEST_OAT_1_5);
  CHECK(attest_oat_dialect_from_name("2") == ATTEST_OAT_2);
  for (const char* name : {"", "1", "1.7", "2.0", "none"}) {
    CHECK(attest_oat_dialect_from_name(name) == ATTEST_OAT_DIALECT_NONE);
  }
  CHECK(attest_oat_dialect_from_name(nullptr) == ATTEST_OAT_DIALECT_NONE);
  const std::array<const char*, 11> reasons{"answered", "name-refused", "not-answered", "unknown",
                                            "timeout",  "pending",      "level",        "no-time",
                                            "time",     "future",       "contradiction"};
  for (int i = 0; i < 11; ++i) {
    CHECK(attest_oat_reason_name(any<attest_oat_reason>(i)) ==
          std::string(reasons[static_cast<std::size_t>(i)]));
  }
  for (const int number : {-1, 11, 1000}) {
    CHECK(attest_oat_reason_name(any<attest_oat_reason>(number)) == nullptr);
  }
}
