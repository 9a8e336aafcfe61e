// SPDX-License-Identifier: Apache-2.0

#include "libattest/net/keylime_record.h"

#include <catch2/catch.hpp>
#include <map>
#include <stdexcept>

#include "libattest/base/base64.h"
#include "tests/support/parse_error.h"

using namespace attest::net;

namespace {

const std::string kUuid = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000";
using Members = std::map<std::string, std::string>;  // JSON

std::string json_of(const Members& members) {
  std::string out = "{";
  for (const auto& [key, value] : members) {
    if (value.empty()) continue;
    out += (out.size() > 1 ? ", \"" : "\"") + key + "\": " + value;
  }
  return out + "}";
}

Members agent() {
  return {{"aik_tpm", R"("AAQBAgME")"},
          {"ek_tpm", R"("AAIFBg==")"},
          {"ekcert", R"("MAA=")"},
          {"mtls_cert", R"("-----BEGIN CERTIFICATE-----\n")"},
          {"ip", R"("192.0.2.7")"},
          {"port", "9002"},
          {"regcount", "1"}};
}

Members quote() {
  return {{"quote", R"("rAA==:AA==:AA==")"},
          {"hash_alg", R"("sha256")"},
          {"enc_alg", R"("rsa2048")"},
          {"sign_alg", R"("rsassa")"},
          {"pubkey", R"("-----BEGIN PUBLIC KEY-----\n")"},
          {"boottime", "1700000000"},
          {"ima_measurement_list", R"("10 aa ima-ng sha256:00 /a\n")"},
          {"ima_measurement_list_entry", "7"},
          {"mb_measurement_list", R"("AQI=")"}};
}

KeylimeAgent read_agent_of(const Members& members) {
  const auto document = attest::json::Document::parse(json_of(members), "answer");
  return read_agent(kUuid, document.root());
}

KeylimeQuote read_quote_of(const Members& members, std::uint64_t entry = 7) {
  const auto document = attest::json::Document::parse(json_of(members), "answer");
  return read_quote(document.root(), entry);
}

std::vector<std::string> ids_of(const std::string& list) {
  const auto document = attest::json::Document::parse(R"({"uuids": )" + list + "}", "answer");
  return read_ids(document.root());
}

}  // namespace

TEST_CASE("a registrar's record is read") {
  const KeylimeAgent a = read_agent_of(agent());
  CHECK(a.uuid == kUuid);
  CHECK(a.ak == std::vector<std::uint8_t>{0, 4, 1, 2, 3, 4});
  CHECK(a.ek == std::vector<std::uint8_t>{0, 2, 5, 6});
  CHECK(a.ek_certificate == std::vector<std::uint8_t>{0x30, 0});
  CHECK(a.certificate == "-----BEGIN CERTIFICATE-----\n");
  CHECK(a.ip == "192.0.2.7");
  CHECK(a.port == 9002);
  CHECK_NOTHROW(a.check());
}

TEST_CASE("what a registrar may not know is left empty") {
  for (const char* nothing : {"", "null", R"("")"}) {
    Members m = agent();
    for (const char* key : {"ek_tpm", "ekcert", "mtls_cert", "ip"}) m[key] = nothing;
    const KeylimeAgent a = read_agent_of(m);
    CHECK(a.ek.empty());
    CHECK(a.ek_certificate.empty());
    CHECK(a.certificate.empty());
    CHECK(a.ip.empty());
    CHECK(a.port == 0);
    CHECK_NOTHROW(a.check());
  }
  Members m = agent();
  m["ekcert"] = R"("emulator")";
  m["mtls_cert"] = R"("disabled")";
  CHECK(read_agent_of(m).ek_certificate.empty());
  CHECK(read_agent_of(m).certificate.empty());
}

TEST_CASE("a record with one field broken is malformed, and the field is named") {
  const std::vector<std::pair<const char*, const char*>> broken{
      {"aik_tpm", ""},
      {"aik_tpm", "null"},
      {"aik_tpm", R"("")"},
      {"aik_tpm", "7"},
      {"aik_tpm", R"("AAUBAgME")"},
      {"aik_tpm", R"("AAMBAgME")"},
      {"aik_tpm", R"("AAA=")"},
      {"aik_tpm", R"("AAQBAgME\n")"},
      {"aik_tpm", R"("AAQBAgM")"},
      {"ek_tpm", R"("AAUFBg==")"},
      {"ek_tpm", "[]"},
      {"ekcert", R"("MA")"},
      {"mtls_cert", R"("x")"},
      {"mtls_cert", "{}"},
      {"ip", R"("a/b")"},
      {"ip", "7"},
      {"port", "0"},
      {"port", "65536"},
      {"port", R"("9002")"},
      {"agent_id", R"("d432fbb3-d2f1-4a97-9ef7-75bd81c00001")"}};
  for (const auto& [key, value] : broken) {
    Members m = agent();
    m[key] = value;
    INFO(key << ' ' << value);
    const std::string said = parse_error_of([&] { return read_agent_of(m); });
    CHECK(said != "accepted");
    const std::string named = std::string(key) == "port" && std::string(value) == "0" ? "ip" : key;
    CHECK(said.find(named) != std::string::npos);
  }
}

TEST_CASE("an agent that a caller makes is held to the same") {
  KeylimeAgent good = read_agent_of(agent());
  KeylimeAgent a = good;
  a.uuid = "../x";
  CHECK_THROWS_AS(a.check(), std::invalid_argument);
  a = good;
  a.ak.pop_back();
  CHECK_THROWS_AS(a.check(), std::invalid_argument);
  a = good;
  a.ek.push_back(0);
  CHECK_THROWS_AS(a.check(), std::invalid_argument);
  a = good;
  a.certificate = "x";
  CHECK_THROWS_AS(a.check(), std::invalid_argument);
  a = good;
  a.port = 0;
  CHECK_THROWS_AS(a.check(), std::invalid_argument);
}

TEST_CASE("a quote's answer is read") {
  const KeylimeQuote q = read_quote_of(quote());
  CHECK(q.quote == "rAA==:AA==:AA==");
  CHECK(q.hash_alg == "sha256");
  CHECK(q.enc_alg == "rsa2048");
  CHECK(q.sign_alg == "rsassa");
  CHECK(q.boottime == 1700000000U);
  CHECK(q.ima == "10 aa ima-ng sha256:00 /a\n");
  CHECK(q.ima_entry == 7U);
  CHECK(q.eventlog == std::vector<std::uint8_t>{1, 2});
}

TEST_CASE("what a quote may come without is left out") {
  Members m = quote();
  for (const char* key : {"pubkey", "boottime", "ima_measurement_list", "mb_measurement_list"}) {
    m[key] = "null";
  }
  const KeylimeQuote q = read_quote_of(m);
  CHECK(q.public_key.empty());
  CHECK_FALSE(q.boottime);
  CHECK_FALSE(q.ima);
  CHECK_FALSE(q.ima_entry);
  CHECK_FALSE(q.eventlog);
  m = quote();
  m["ima_measurement_list_entry"] = "";
  CHECK(read_quote_of(m).ima_entry == 0U);  // agents of 6.1 always send all of it
}

TEST_CASE("a list may begin where it was asked to, or anew, and nowhere else") {
  Members m = quote();
  m["ima_measurement_list_entry"] = "0";
  CHECK(read_quote_of(m).ima_entry == 0U);
  for (const char* entry : {"6", "8", "18446744073709551615", "-7", "7.0", R"("7")"}) {
    m["ima_measurement_list_entry"] = entry;
    CHECK(parse_error_of([&] { return read_quote_of(m); }) != "accepted");
  }
}

TEST_CASE("an answer without a quote's fields is malformed") {
  for (const char* key : {"quote", "hash_alg", "enc_alg", "sign_alg"}) {
    for (const char* value : {"", "null", "7"}) {
      Members m = quote();
      m[key] = value;
      CHECK(parse_error_of([&] { return read_quote_of(m); }) != "accepted");
    }
  }
  for (const auto& [key, value] : Members{{"hash_alg", R"("sha 256")"},
                                          {"pubkey", R"("x")"},
                                          {"boottime", "1.5"},
                                          {"ima_measurement_list", "[]"},
                                          {"mb_measurement_list", R"("*")"}}) {
    Members m = quote();
    m[key] = value;
    INFO(key);
    CHECK(parse_error_of([&] { return read_quote_of(m); }) != "accepted");
  }
}

TEST_CASE("lists of agents have three forms") {
  using Ids = std::vector<std::string>;
  CHECK(ids_of("[]").empty());
  CHECK(ids_of(R"(["a", "b"])") == Ids{"a", "b"});
  CHECK(ids_of(R"([["a"], ["b"]])") == Ids{"a", "b"});
  CHECK(ids_of(R"([{"agent_id": "a"}])") == Ids{"a"});
  for (const char* list : {"{}", "null", "[7]", R"([["a", "b"]])", R"([[]])", R"([{"id": "a"}])",
                           R"(["a/b"])", R"([""])", R"(["a\n"])"}) {
    INFO(list);
    CHECK(parse_error_of([&] { return ids_of(list); }) != "accepted");
  }
}
