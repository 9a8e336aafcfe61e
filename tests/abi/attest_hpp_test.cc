// SPDX-License-Identifier: Apache-2.0

// attest.hpp, compiled as C++17.

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "libattest/attest.hpp"
#include "tests/abi/good_node.h"
#include "tests/support/scratch.h"

static_assert(__cplusplus < 202002L, "this test is about C++17");
static_assert(!std::is_copy_constructible_v<libattest::Key>);
static_assert(std::is_nothrow_move_constructible_v<libattest::Evidence>);
static_assert(std::is_nothrow_move_assignable_v<libattest::Policy>);

namespace {

const GoodNode& good_node() {
  static const GoodNode node = load_good_node();
  return node;
}

libattest::Evidence good_evidence() {
  const GoodNode& n = good_node();
  libattest::Evidence evidence;
  evidence.set_ak(n.ak);
  evidence.set_quote(n.attest, n.signature, n.pcrs);
  evidence.set_eventlog(n.eventlog);
  evidence.set_ima(n.ima);
  return evidence;
}

libattest::Policy good_policy() {
  libattest::Policy policy;
  policy.add_tpm_policy(good_node().tpm_policy);
  policy.add_allowlist(good_node().allowlist, std::nullopt, good_node().excludelist);
  return policy;
}

// The read function of a list in memory, in pieces.
libattest::Evidence::Read reader_of(const std::vector<std::uint8_t>& list) {
  return [&list, at = std::size_t{0}](std::uint8_t* buffer, std::size_t size) mutable {
    const std::size_t n = std::min({size, std::size_t{99}, list.size() - at});
    std::memcpy(buffer, list.data() + at, n);
    at += n;
    return n;
  };
}

}  // namespace

TEST_CASE("OAT's whitelist is added where SHA-1 is allowed") {
  const std::string entry =
      R"({"pcrName": "0", "pcrDigest": "da39a3ee5e6b4b0d3255bfef95601890afd80709",)"
      R"( "mleName": "B", "mleVersion": "1", "oemName": "O"})";
  libattest::Policy policy;
  CHECK_THROWS_AS(policy.add_oat_whitelist(entry), libattest::Error);
  policy.set_allow_sha1(true);
  policy.add_oat_whitelist(entry);
  CHECK(policy.to_json().find("da39a3ee") != std::string::npos);
}

TEST_CASE("a good node is trusted, in a few lines") {
  libattest::Evidence evidence = good_evidence();
  libattest::Node node;
  const libattest::Report report =
      libattest::appraise(evidence, good_policy(), good_node().nonce, 1, &node);
  CHECK(report.trusted());
  CHECK(report.quote_verified());
  CHECK(report.pcrs().size() > 10);
  CHECK(report.pcrs()[0].value.size() == 32);
  CHECK(report.num_dropped() == 0);
  CHECK(report.to_json().find("\"trusted\"") != std::string::npos);
  CHECK(libattest::Node(node.to_json()).to_json() == node.to_json());
}

TEST_CASE("a node without a policy is not trusted, and its findings own their words") {
  std::vector<libattest::Finding> findings;
  {
    libattest::Evidence evidence = good_evidence();
    const auto report = libattest::appraise(evidence, nullptr, good_node().nonce);
    CHECK(report.verdict() == ATTEST_VERDICT_UNKNOWN);
    findings = report.findings();
  }
  REQUIRE(!findings.empty());
  for (const libattest::Finding& f : findings) {
    CHECK(f.code != 0);
    CHECK(!f.id.empty());
    CHECK(!f.message.empty());
    CHECK(f.severity != ATTEST_SEVERITY_NONE);
    CHECK((!f.pcr || *f.pcr < 24));
  }
}

TEST_CASE("a call that can not do its work throws its status and words") {
  const std::array<std::uint8_t, 3> junk{1, 2, 3};
  try {
    const libattest::Key key(junk);
    FAIL("junk is no key");
  } catch (const libattest::Error& e) {
    CHECK(e.status() == ATTEST_E_MALFORMED);
    CHECK(std::string(e.what()) == attest_last_error());
  }
  CHECK_THROWS_AS(libattest::make_nonce(15), libattest::Error);
  CHECK_THROWS_AS(libattest::Policy("{"), libattest::Error);
  CHECK_THROWS_AS(libattest::Quote::keylime("r"), libattest::Error);
  CHECK_THROWS_AS(libattest::EventLog(good_node().eventlog, ATTEST_HASH_SHA512), libattest::Error);
}

TEST_CASE("nonces are of the size that was asked for and differ") {
  CHECK(libattest::make_nonce().size() == 32);
  CHECK(libattest::make_nonce(64) != libattest::make_nonce(64));
}

TEST_CASE("keys, quotes and PCR values show what they hold") {
  const GoodNode& n = good_node();
  const libattest::Key key(n.ak);
  CHECK(key.describe() == "RSA-2048");
  CHECK(key.format() == ATTEST_KEY_FORMAT_TPM2B_PUBLIC);
  CHECK(key.name().size() == 34);
  CHECK(key.attributes() != 0);
  const libattest::Quote quote(n.attest, n.signature, n.pcrs);
  CHECK(quote.info().nonce_len == n.nonce.size());
  CHECK(quote.verify(key, n.nonce).quote_verified());
  CHECK(!quote.verify(key, {}).quote_verified());
  const libattest::Pcrs pcrs = quote.pcrs();
  const libattest::Pcrs same(n.pcrs);
  REQUIRE(pcrs.size() == same.size());
  const auto first = pcrs.at(0);
  const libattest::Bytes found = same.find(first.bank, first.pcr);
  CHECK(std::vector(first.value.begin(), first.value.end()) ==
        std::vector(found.begin(), found.end()));
  CHECK(same.find(ATTEST_HASH_SHA1, 0).empty());
  CHECK_THROWS_AS(pcrs.at(pcrs.size()), libattest::Error);
}

TEST_CASE("a TPM 1.2's evidence goes the same ways") {
  const auto ak = read_vector("tpm12/aik.tpm_key");
  const auto nonce = good_node_detail::unhex(read_text_vector("tpm12/nonce.hex"));
  const libattest::Key key(ak);
  CHECK(key.format() == ATTEST_KEY_FORMAT_TPM_KEY);
  CHECK(key.name().empty());
  const auto info = read_vector("tpm12/quote2.info");
  const auto signature = read_vector("tpm12/quote2.sig");
  const auto pcrs = read_vector("tpm12/quote2.pcrs");
  const libattest::Quote quote(info, signature, pcrs);
  CHECK(quote.info().format == ATTEST_QUOTE_FORMAT_QUOTE_INFO2);
  CHECK(quote.verify(key, nonce, true).quote_verified());
  CHECK(!quote.verify(key, nonce).quote_verified());
  libattest::Evidence evidence;
  evidence.set_key(key);
  evidence.set_quote(info, signature, pcrs);
  CHECK(!libattest::learn_policy(evidence, nonce).policy);
  const auto learned = libattest::learn_policy(evidence, nonce, 0, ATTEST_PROFILE_EVERYTHING, true);
  REQUIRE(learned.policy);
  CHECK(libattest::appraise(evidence, *learned.policy, nonce).trusted());
}

TEST_CASE("logs show what they hold") {
  const libattest::EventLog log(good_node().eventlog);
  CHECK(log.format() == ATTEST_EVENTLOG_CRYPTO_AGILE);
  REQUIRE(log.size() > 1);
  CHECK(log.at(1).type_name != nullptr);
  CHECK(log.digest(1, ATTEST_HASH_SHA256).size() == 32);
  CHECK(log.pcrs().size() > 8);
  CHECK(log.to_json().front() == '{');
  CHECK(log.findings().size() == attest_eventlog_num_findings(log.get()));

  libattest::Ima ima;
  ima.feed(good_node().ima);
  ima.finish();
  CHECK(ima.num_entries() == 51);
  CHECK(ima.num_violations() == 0);
  CHECK(ima.pcrs().size() == 1);
  CHECK(ima.findings().size() == attest_ima_num_findings(ima.get()));
  CHECK(ima.to_json().front() == '{');
  CHECK_THROWS_AS(ima.feed(good_node().ima), libattest::Error);
}

TEST_CASE("a list is read through a function, also after the evidence was moved") {
  libattest::Evidence evidence = good_evidence();
  evidence.set_ima_reader(reader_of(good_node().ima));
  libattest::Evidence moved = std::move(evidence);
  CHECK(libattest::appraise(moved, good_policy(), good_node().nonce).trusted());
  CHECK_THROWS_AS(libattest::appraise(moved, good_policy(), good_node().nonce), libattest::Error);
  moved.set_ima_reader(reader_of(good_node().ima));
  libattest::Evidence assigned;
  assigned.set_ima_reader(reader_of(good_node().ima));
  assigned = std::move(moved);
  CHECK(libattest::appraise(assigned, good_policy(), good_node().nonce).trusted());
}

TEST_CASE("what a read function throws comes out of the appraisal") {
  libattest::Evidence evidence = good_evidence();
  evidence.set_ima_reader(
      [](std::uint8_t*, std::size_t) -> std::size_t { throw std::out_of_range("mine"); });
  CHECK_THROWS_AS(libattest::appraise(evidence, good_policy(), good_node().nonce),
                  std::out_of_range);
  evidence.set_ima_reader([](std::uint8_t*, std::size_t size) { return size + 1; });
  try {
    (void)libattest::appraise(evidence, good_policy(), good_node().nonce);
    FAIL("more than the buffer holds");
  } catch (const libattest::Error& e) {
    CHECK(e.status() == ATTEST_E_READ);
  }
}

TEST_CASE("a policy is learnt, written and read") {
  libattest::Evidence evidence = good_evidence();
  const auto learned = libattest::learn_policy(evidence, good_node().nonce);
  REQUIRE(learned.policy);
  CHECK(libattest::appraise(evidence, *learned.policy, good_node().nonce).trusted());
  const libattest::Policy again(learned.policy->to_json());
  CHECK(libattest::appraise(evidence, again, good_node().nonce).trusted());
  const auto nothing = libattest::learn_policy(evidence, {});
  CHECK(!nothing.policy);
  CHECK(!nothing.report.findings().empty());
}

TEST_CASE("a launch has a log, and a policy of its own") {
  const auto log = libattest::EventLog::launch(good_node().launch_log);
  CHECK(log.format() == ATTEST_EVENTLOG_TXT_LEGACY);
  CHECK(log.size() == 20);
  CHECK_THROWS_AS(libattest::EventLog::launch(good_node().launch_log, ATTEST_HASH_SHA1),
                  libattest::Error);
  libattest::Evidence evidence;
  evidence.set_ak(read_vector("drtm/ak.tss"));
  evidence.set_quote(read_vector("drtm/quote.msg"), read_vector("drtm/quote.sig"),
                     read_vector("drtm/quote.pcrs"));
  evidence.set_launch_log(good_node().launch_log);
  const auto nonce = good_node_detail::unhex(read_text_vector("drtm/nonce.hex"));
  const auto learned = libattest::learn_policy(evidence, nonce, 0, ATTEST_PROFILE_TRUSTED_BOOT);
  REQUIRE(learned.policy);
  CHECK(libattest::appraise(evidence, *learned.policy, nonce).trusted());
  CHECK_THROWS_AS(evidence.set_launch_log(std::string("\x11")), libattest::Error);
  libattest::Evidence other = good_evidence();
  CHECK(!libattest::learn_policy(other, good_node().nonce, 0, ATTEST_PROFILE_TRUSTED_BOOT).policy);
}

TEST_CASE("policies are made by pieces, and an empty checksum is no missing one") {
  libattest::Policy policy;
  policy.set_allow_sha1(true);
  policy.set_ima_digest(ATTEST_IMA_PADDED);
  CHECK_THROWS_AS(policy.add_allowlist(good_node().allowlist, std::string_view()),
                  libattest::Error);
  policy.add_allowlist(good_node().allowlist);
  CHECK_THROWS_AS(policy.add_runtime_policy("{}"), libattest::Error);
  CHECK(policy.to_json().find("padded") != std::string::npos);
}

TEST_CASE("bytes are a view of whatever holds bytes") {
  const std::string text = "ab";
  const std::vector<char> chars{'a', 'b'};
  const std::vector<std::uint8_t> none;
  CHECK(libattest::Bytes(text).size() == 2);
  CHECK(libattest::Bytes(chars).data()[1] == 'b');
  CHECK(libattest::Bytes(none).empty());
  CHECK(libattest::Bytes().data() == nullptr);
  static_assert(!std::is_constructible_v<libattest::Bytes, std::vector<int>>);
  static_assert(!std::is_constructible_v<libattest::Bytes, std::wstring>);
}

TEST_CASE("a Keylime client is made and asked; what fails throws") {
  const std::string pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  libattest::Keylime::Options options;
  options.ca = options.certificate = options.key = pem;
  libattest::Keylime keylime(options);
  CHECK(keylime.versions(1000) ==
        std::pair<std::optional<std::string>, std::optional<std::string>>());
  CHECK(keylime.diagnose("", 0, 1000).size() == 5);
  const std::array<std::uint8_t, 3> ak{0, 1, 7};
  attest_keylime_agent_info info = ATTEST_KEYLIME_AGENT_INFO_INIT;
  info.uuid = "node-1";
  info.ak = ak.data();
  info.ak_len = ak.size();
  const libattest::Keylime::Agent agent(info);
  CHECK(agent.info().uuid == std::string("node-1"));
  const std::string nonce = "0123456789abcdef";
  const auto runtime = ATTEST_KEYLIME_RUNTIME_POLICY;
  CHECK_THROWS_AS(keylime.lookup("node-1"), libattest::Error);
  CHECK_THROWS_AS(keylime.delete_registration("node-1"), libattest::Error);
  CHECK_THROWS_AS(keylime.add(agent, {}), libattest::Error);
  CHECK_THROWS_AS(keylime.status("node-1"), libattest::Error);
  CHECK_THROWS_AS(keylime.wait("node-1", 10), libattest::Error);
  CHECK_THROWS_AS(keylime.remove("node-1"), libattest::Error);
  CHECK_THROWS_AS(keylime.list(), libattest::Error);
  CHECK_THROWS_AS(keylime.create_policy(runtime, "a", R"({"digests":{}})"), libattest::Error);
  CHECK_THROWS_AS(keylime.read_policy(runtime, "a"), libattest::Error);
  CHECK_THROWS_AS(keylime.list_policies(runtime), libattest::Error);
  CHECK_THROWS_AS(keylime.delete_policy(runtime, "a"), libattest::Error);
  CHECK_THROWS_AS(keylime.identity_quote(agent, nonce), libattest::Error);
  CHECK_THROWS_AS(keylime.integrity_quote(agent, nonce, 0x400), libattest::Error);
  keylime.cancel();
}

TEST_CASE("an OAT client is made and asked; what fails throws") {
  libattest::Oat::Options options;
  options.server = "127.0.0.1";
  options.port = 1;
  options.ca = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  libattest::Oat oat(options);
  CHECK(oat.poll({}, 1).hosts.empty());
  // Nobody is asked about a name that no server takes.
  const libattest::Oat::Answer answer = oat.poll({std::string("a\0b", 3), "a b"}, 1);
  REQUIRE(answer.hosts.size() == 2);
  CHECK(answer.hosts[0].name == std::string("a\0b", 3));
  CHECK_FALSE(answer.hosts[0].trusted());
  CHECK(answer.hosts[1].reason == ATTEST_OAT_NAME_REFUSED);
  CHECK_FALSE(answer.hosts[1].measured_at.has_value());
  CHECK(answer.num_ignored == 0);
  CHECK_THROWS_AS(oat.poll({"a"}, 1, 1000), libattest::Error);
  CHECK_THROWS_AS(oat.poll({"a"}, 0), libattest::Error);
  oat.cancel();
  options.batch = 501;
  CHECK_THROWS_AS(libattest::Oat(options), libattest::Error);
}

TEST_CASE("an EK is challenged, and a wrong answer binds nothing") {
  const GoodNode& n = good_node();
  const libattest::EndorsementKey ek(n.ek, n.ek_certificate);
  CHECK(ek.sha256().size() == 64);
  CHECK(ek.describe() == "RSA-2048");
  CHECK_NOTHROW(ek.verify_chain({n.ca}, {n.issuer}, 1900000000));
  CHECK_THROWS_AS(ek.verify_chain({n.ca}, {}, 1900000000), libattest::Error);
  const libattest::Key ak(n.ak);
  libattest::CredentialChallenge challenge(ek, ak);
  CHECK_FALSE(challenge.id_object().empty());
  CHECK_FALSE(challenge.encrypted_secret().empty());
  CHECK_FALSE(challenge.check(n.nonce).has_value());
  CHECK_THROWS_AS(challenge.check(n.nonce), libattest::Error);
}

TEST_CASE("a node says from where its list goes on") {
  libattest::Evidence evidence = good_evidence();
  libattest::Node node;
  REQUIRE(libattest::appraise(evidence, good_policy(), good_node().nonce, 1, &node).trusted());
  CHECK(node.ima_entries() > 0);
  evidence.set_ima(good_node().ima, node.ima_entries() + 1);
  CHECK_FALSE(libattest::appraise(evidence, good_policy(), good_node().nonce, 1, &node).trusted());
}

TEST_CASE("a list of hosts is decided by what was put") {
  libattest::HostVerdicts verdicts(60);
  verdicts.put({{"a", ATTEST_VERDICT_TRUSTED, 1000.0},
                {"b", ATTEST_VERDICT_TRUSTED, std::nullopt},
                {std::string("a\0", 2), ATTEST_VERDICT_UNTRUSTED, 1000.0}},
               1000, 1);
  CHECK(verdicts.size() == 3);
  const auto decision = verdicts.decide({"c", "b", "a", std::string_view("a\0", 2)}, 1001, 2);
  CHECK(decision.reasons == std::vector{ATTEST_HOST_MISSING, ATTEST_HOST_NO_TIME,
                                        ATTEST_HOST_TRUSTED, ATTEST_HOST_UNTRUSTED});
  CHECK(decision.to_fetch == std::vector<std::size_t>{0});
  CHECK(decision.trusted(2));
  CHECK_FALSE(decision.trusted(1));
  CHECK_FALSE(verdicts.decide({"a"}, 1061, 62).trusted(0));
  verdicts.clear();
  CHECK(verdicts.size() == 0);
  CHECK(verdicts.decide({}, 1, 1).reasons.empty());
  CHECK_THROWS_AS(libattest::HostVerdicts(-1), libattest::Error);
  CHECK_THROWS_AS(libattest::HostVerdicts(60, 30, 0), libattest::Error);
  CHECK_THROWS_AS(verdicts.put({{"", ATTEST_VERDICT_TRUSTED, 1000.0}}, 1000, 1), libattest::Error);
}

TEST_CASE("a boot configuration is rendered, switched and checked") {
  attest_boot_render_options render = ATTEST_BOOT_RENDER_OPTIONS_INIT;
  render.format = ATTEST_BOOT_GRUB;
  render.kernel = "/k";
  render.ramdisk = "/r";
  render.complete = 1;
  const std::string text = libattest::BootConfig::render(render);
  const libattest::BootConfig config(text);
  CHECK(config.format() == ATTEST_BOOT_GRUB);
  REQUIRE(config.problems().size() == 1);
  CHECK(config.problems()[0].id == "placeholder");
  CHECK(config.problems()[0].line.has_value());
  const Scratch folder;
  const std::string path = folder.write("grub.cfg", text).string();
  attest_boot_switch_options to = ATTEST_BOOT_SWITCH_OPTIONS_INIT;
  to.label = "trusted_boot";
  to.root_uuid = "12-ab";
  to.boot_mode = ATTEST_BOOT_MODE_UEFI;
  CHECK(libattest::BootConfig::switch_file(path, to));
  CHECK_FALSE(libattest::BootConfig::switch_file(path, to));
  CHECK(libattest::BootConfig(folder.read("grub.cfg")).problems().empty());
  CHECK_THROWS_AS(libattest::BootConfig::switch_file(path + "x", to), libattest::Error);
  CHECK_THROWS_AS(libattest::BootConfig("hello"), libattest::Error);
  render.append = "a\nb";
  CHECK_THROWS_AS(libattest::BootConfig::render(render), libattest::Error);
}
