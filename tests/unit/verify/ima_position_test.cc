// SPDX-License-Identifier: Apache-2.0

// IMA lists that begin where the last appraisal ended: never judged more leniently than the whole
// list is.

#include "libattest/verify/ima_position.h"

#include <catch2/catch.hpp>

#include "libattest/verify/appraise.h"
#include "libattest/verify/ima.h"
#include "tests/support/evidence.h"
#include "tests/support/ima_builder.h"
#include "tests/support/signer.h"

namespace {

using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;
using attest::policy::Code;
using attest::policy::Finding;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::RuntimePolicy;
using attest::policy::Severity;
using attest::policy::Verdict;
using attest::verify::NodeState;
using ima_test::Record;

Signer& ak() {
  static Signer key = Signer::ec("P-256");
  return key;
}
Signer& file_key() {
  static Signer key = Signer::ec("P-256");
  return key;
}

Octets octets(attest::Bytes bytes) { return {bytes.begin(), bytes.end()}; }
Octets sha256(const Octets& data) { return octets(Hasher(Hash::kSha256)(data).bytes()); }

Record aggregate() { return ima_test::ng("boot_aggregate", sha256(Octets(10 * 32, 7))); }

// security.ima, version 2, by file_key().
Octets signature_over(const Octets& digest) {
  const auto key = attest::crypto::PublicKey::from_spki(file_key().spki());
  const Digest id = Hasher(Hash::kSha1)(key.key_bits());
  const Octets raw = file_key().sign_digest(digest);
  Writer w;
  w.raw({3, 2, 4}).bytes(id.bytes().last(4));
  return w.be(static_cast<std::uint16_t>(raw.size())).bytes(raw).out;
}

// Every kind of entry that does something to those after it, or that must be remembered.
std::vector<Record> full_list() {
  const Octets signed_file = ima_test::some_digest(32, 0x44);
  return {aggregate(),
          ima_test::ng("/usr/bin/a"),
          ima_test::violation("/var/log/x"),
          ima_test::buffer(".ima", file_key().spki()),
          ima_test::ng("/usr/bin/b"),
          ima_test::sig("/usr/bin/signed", signed_file, signature_over(signed_file)),
          aggregate(),
          ima_test::violation("/var/log/y"),
          ima_test::ng("/usr/bin/a", ima_test::some_digest(32, 0x12)),
          ima_test::sig("/usr/bin/signed2", signed_file, signature_over(signed_file))};
}

RuntimePolicy rules() {
  const std::string allowlist = attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/a\n" +
                                attest::to_hex(ima_test::some_digest(32, 0x12)) + " /usr/bin/a\n" +
                                attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/b\n";
  RuntimePolicy out = attest::policy::parse_allowlist(allowlist, {}, {}, {});
  out.keyrings[".ima"] = {{"sha256", Hasher(Hash::kSha256)(file_key().spki())}};
  return out;
}

// A machine that goes on measuring.
struct Machine {
  std::vector<Record> list = full_list();
  std::size_t measured = 0;  // records that the PCR has
  std::size_t listed = 0;    // records that the list has
  std::vector<Hash> banks{Hash::kSha256};
  std::vector<Hash> without_hash;  // banks that the kernel pads SHA-1 for
  std::uint64_t clock = 1000;
  std::uint32_t reset_count = 3;
  std::uint8_t boot_pcr = 7;
  Octets ak_public = ak().tpm2b_public();
  Policy policy = default_policy();

  static Policy default_policy() {
    Policy p;
    p.ima.emplace().violations_fail = false;
    p.ima->rules = std::make_shared<const RuntimePolicy>(rules());
    return p;
  }

  Octets replay(Hash bank) const {
    const bool padded = std::ranges::find(without_hash, bank) != without_hash.end();
    Hasher hasher(bank);
    Digest pcr = Digest::filled(hasher.size(), 0);
    for (std::size_t i = 0; i < measured; ++i) {
      Octets extend = octets(Hasher(padded ? Hash::kSha1 : bank)(list[i].data()).bytes());
      if (list[i].violation) extend.assign(hasher.size(), 0xff);
      extend.resize(hasher.size(), 0);
      pcr = hasher({pcr.bytes(), extend});
    }
    return octets(pcr.bytes());
  }

  Octets bytes(std::size_t first, bool ascii = false) const {
    Octets out;
    for (std::size_t i = first; i < listed; ++i) {
      const std::string line = list[i].ascii();
      const Octets record = ascii ? Octets(line.begin(), line.end()) : list[i].binary();
      out.insert(out.end(), record.begin(), record.end());
    }
    return out;
  }

  // A fresh quote, and the list from entry `first` on.
  Report appraise(NodeState* node, std::uint64_t first, bool ascii = false) {
    PcrValues values;
    for (const Hash bank : banks) {
      auto& pcrs =
          values.emplace_back(static_cast<std::uint16_t>(bank), std::map<std::uint32_t, Octets>{})
              .second;
      for (std::uint32_t pcr = 0; pcr < 10; ++pcr) {
        pcrs[pcr] = Octets(attest::crypto::hash_size(bank), boot_pcr);
      }
      pcrs[10] = replay(bank);
    }
    QuoteFields fields = quote_of(values);
    fields.clock = clock++;
    fields.reset_count = reset_count;
    const Octets attest = make_attest(fields);
    attest::verify::Evidence e;
    e.key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(ak_public));
    e.quote = attest::verify::QuoteEvidence::parse(attest, ak().sign(attest), make_pcrs(values));
    e.ima.emplace().bytes = bytes(static_cast<std::size_t>(first), ascii);
    e.ima->first_entry = first;
    return attest::verify::appraise(e, &policy, node, {fields.nonce, 0});
  }
  Report appraise_to(std::size_t count, NodeState* node, std::uint64_t first) {
    measured = listed = count;
    return appraise(node, first);
  }
};

const Finding* find(const Report& report, Code code) {
  for (const Finding& f : report.findings.list()) {
    if (f.code == code) return &f;
  }
  return nullptr;
}

NodeState again(const NodeState& node) {
  return attest::verify::parse_node(attest::verify::to_json(node));
}

std::vector<Code> failures(const Report& report) {
  std::vector<Code> out;
  for (const Finding& f : report.findings.list()) {
    if (f.severity == Severity::kFailure) out.push_back(f.code);
  }
  return out;
}

// A node whose first `count` entries are verified.
NodeState verified(Machine& machine, std::size_t count) {
  NodeState node;
  const Report report = machine.appraise_to(count, &node, 0);
  INFO(attest::policy::to_json(report));
  REQUIRE(report.verdict == Verdict::kTrusted);
  REQUIRE(node.ima.has_value());
  REQUIRE(node.ima->entries == count);
  return node;
}

}  // namespace

TEST_CASE("a list in two parts is judged as the whole list, wherever it is parted", "[position]") {
  const bool ascii = GENERATE(false, true);
  const bool stored = GENERATE(false, true);
  const std::size_t count = full_list().size();
  for (std::size_t first = 1; first <= count; ++first) {
    for (std::size_t last = first; last <= count; ++last) {
      CAPTURE(first, last);
      Machine machine;
      machine.banks = {Hash::kSha256, Hash::kSha1};
      NodeState node = verified(machine, first);
      if (stored) node = again(node);
      NodeState whole = node;
      machine.measured = machine.listed = last;
      const Report one = machine.appraise(&whole, 0);
      const Report part = machine.appraise(&node, first, ascii);
      INFO(attest::policy::to_json(part));
      CHECK(one.verdict == Verdict::kTrusted);
      CHECK(part.verdict == Verdict::kTrusted);
      CHECK(part.claims.ima_entries == last);
      CHECK(part.claims.ima_verified == first);
      CHECK(part.claims.ima_violations == one.claims.ima_violations);
      CHECK((find(part, Code::kImaViolation) != nullptr) ==
            (find(one, Code::kImaViolation) != nullptr));
      node.seen = whole.seen;  // another quote, of another time
      CHECK(attest::verify::to_json(node) == attest::verify::to_json(whole));
    }
  }
}

TEST_CASE("what fails in a whole list fails in its later part", "[position]") {
  Machine machine;
  const auto bad = GENERATE(
      std::pair{Code::kImaNotListed, ima_test::ng("/usr/bin/ncat")},
      std::pair{Code::kImaDigest, ima_test::ng("/usr/bin/b", ima_test::some_digest(32, 0x66))},
      std::pair{Code::kImaBootAggregate, ima_test::ng("boot_aggregate", Octets(32, 9))},
      std::pair{Code::kImaKeyring, ima_test::buffer(".ima", {1, 2, 3})},
      std::pair{Code::kImaSignature,
                ima_test::sig("/usr/bin/a", Octets(32, 3),
                              signature_over(ima_test::some_digest(32, 0x44)))});
  machine.list[8] = bad.second;
  NodeState node = verified(machine, 8);
  const std::string before = attest::verify::to_json(node);
  NodeState whole = node;
  machine.measured = machine.listed = 10;
  const Report part = machine.appraise(&node, 8);
  const Report one = machine.appraise(&whole, 0);
  CHECK(part.verdict == Verdict::kUntrusted);
  CHECK(fails_with(part, bad.first));
  CHECK(failures(part) == failures(one));
  REQUIRE(find(part, bad.first) != nullptr);
  CHECK(find(part, bad.first)->index == 8U);
  CHECK(find(part, bad.first)->message == find(one, bad.first)->message);
  // Nothing has moved: the same part can be asked for again.
  CHECK(attest::verify::to_json(node) == before);
}

TEST_CASE("an entry that is left out, added, changed or moved does not replay", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  machine.measured = 8;
  machine.listed = 8;
  SECTION("left out") { machine.list.erase(machine.list.begin() + 5); }
  SECTION("added") { machine.list.insert(machine.list.begin() + 5, ima_test::ng("/usr/bin/a")); }
  SECTION("moved") { std::swap(machine.list[4], machine.list[5]); }
  SECTION("changed before the position") { machine.list[1] = ima_test::ng("/usr/bin/b"); }
  const Octets told = Machine{full_list(), 8, 8, {Hash::kSha256}, {}, 1000}.bytes(4);
  // The TPM measured what is in machine.list; the node tells the story of full_list().
  Machine liar = machine;
  liar.list = machine.list;
  PcrValues values{{0x000b, {}}};
  for (std::uint32_t pcr = 0; pcr < 10; ++pcr) values[0].second[pcr] = Octets(32, 7);
  values[0].second[10] = liar.replay(Hash::kSha256);
  QuoteFields fields = quote_of(values);
  fields.clock = 5000;
  const Octets attest = make_attest(fields);
  attest::verify::Evidence e;
  e.key = std::make_shared<const attest::tpm::AttestationKey>(
      attest::tpm::AttestationKey::load(ak().tpm2b_public()));
  e.quote = attest::verify::QuoteEvidence::parse(attest, ak().sign(attest), make_pcrs(values));
  e.ima.emplace().bytes = told;
  e.ima->first_entry = 4;
  const Report report = attest::verify::appraise(e, &machine.policy, &node, {fields.nonce, 0});
  CHECK(report.verdict == Verdict::kUntrusted);
  CHECK(fails_with(report, Code::kImaReplay));
}

TEST_CASE("a list can not begin anywhere else than where the last one ended", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  machine.measured = machine.listed = 8;
  const auto refused = [&](const Report& report, const std::string& why) {
    INFO(attest::policy::to_json(report));
    CHECK(report.verdict == Verdict::kUntrusted);
    const Finding* finding = find(report, Code::kImaPosition);
    REQUIRE(finding != nullptr);
    CHECK(finding->severity == Severity::kFailure);
    CHECK_THAT(finding->message,
               Catch::Contains(why) && Catch::Contains("the whole list is needed"));
  };
  SECTION("another entry") {
    const std::uint64_t first = GENERATE(1U, 3U, 5U, 8U);
    refused(machine.appraise(&node, first), "verified end before entry 4");
  }
  SECTION("no state") {
    refused(machine.appraise(nullptr, 4), "no state of the node says what came before");
    NodeState fresh;
    refused(machine.appraise(&fresh, 4), "the node's state does not say");
    CHECK_FALSE(fresh.seen.has_value());
  }
  SECTION("a reboot") {
    machine.reset_count = 4;
    refused(machine.appraise(&node, 4), "the node was rebooted");
    // The whole list of the new boot is judged, and there it goes on.
    const Report report = machine.appraise(&node, 0);
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(find(report, Code::kNodeRebooted) != nullptr);
    CHECK(node.ima->entries == 8);
    machine.measured = machine.listed = 10;
    CHECK(machine.appraise(&node, 8).verdict == Verdict::kTrusted);
  }
  SECTION("a bank that was not quoted before") {
    machine.banks = {Hash::kSha256, Hash::kSha384};
    refused(machine.appraise(&node, 4), "the sha384 bank was not quoted");
  }
  SECTION("another policy") {
    Policy& p = machine.policy;
    const int change = GENERATE(0, 1, 2, 3, 4, 5, 6);
    CAPTURE(change);
    if (change == 0) p.allow_sha1 = true;
    if (change == 1) p.ima->violations_fail = true;
    if (change == 2) p.ima->verity = true;
    if (change == 3) p.ima->signatures = attest::policy::ImaSignatures::kBoth;
    if (change == 4) p.ima->boot_aggregate_0_7 = true;
    if (change == 5) {
      RuntimePolicy other = rules();
      other.identity = attest::policy::identity_of({"another"});
      p.ima->rules = std::make_shared<const RuntimePolicy>(std::move(other));
    }
    if (change == 6) p.ima->digest = attest::policy::ImaDigest::kPadded;
    refused(machine.appraise(&node, 4), "verified by another policy");
  }
  SECTION("no policy") {
    machine.policy = {};
    refused(machine.appraise(&node, 4), "verified by another policy");
  }
}

TEST_CASE("rules that nobody identified can not be gone on with", "[position]") {
  Machine machine;
  RuntimePolicy nameless = rules();
  nameless.identity = {};
  machine.policy.ima->rules = std::make_shared<const RuntimePolicy>(std::move(nameless));
  NodeState node;
  CHECK(machine.appraise_to(4, &node, 0).verdict == Verdict::kTrusted);
  CHECK(node.seen.has_value());
  CHECK_FALSE(node.ima.has_value());
}

TEST_CASE("texts that differ make rules of different identity", "[position]") {
  const auto identity = [](const std::string& allowlist, std::optional<std::string_view> excludes) {
    return attest::policy::parse_allowlist(allowlist, {}, excludes, {}).identity;
  };
  const std::string line = attest::to_hex(ima_test::some_digest(32)) + " /usr/bin/a\n";
  CHECK(identity(line, {}) == identity(line, {}));
  CHECK_FALSE(identity(line, {}) == identity(line + line, {}));
  CHECK_FALSE(identity(line, "/tmp") == identity(line, {}));
  CHECK_FALSE(attest::policy::identity_of({"ab", "c"}) == attest::policy::identity_of({"a", "bc"}));
  const std::string json = R"({"meta":{"version":1},"release":0,"digests":{},"excludes":[],)"
                           R"("keyrings":{},"ima":{"ignored_keyrings":[],"log_hash_alg":"sha1",)"
                           R"("dm_policy":null},"ima-buf":{},"verification-keys":""})";
  const auto keylime = attest::policy::parse_keylime_runtime_policy(json, {});
  CHECK_FALSE(keylime.identity.empty());
  CHECK_FALSE(keylime.identity ==
              attest::policy::parse_keylime_runtime_policy(" " + json, {}).identity);
  const std::string native = R"({"version":1,"ima":{"runtime_policy":)" + json + "}}";
  const Policy policy = attest::policy::parse_policy(native);
  CHECK_FALSE(policy.ima->rules->identity.empty());
  CHECK(attest::verify::rules_identity(policy) ==
        attest::verify::rules_identity(attest::policy::parse_policy(native)));
  CHECK_FALSE(attest::verify::rules_identity(policy) ==
              attest::verify::rules_identity(attest::policy::parse_policy(native + " ")));
  CHECK_FALSE(boot("grub-ima-ng").learn().ima->rules->identity.empty());
  CHECK_FALSE(attest::verify::rules_identity(Policy{}).has_value());
}

TEST_CASE("a quote of the value that was verified needs no new entry", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 5);
  SECTION("and no list") {
    const Report report = machine.appraise(&node, 5);
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(report.claims.ima_entries == 5U);
    CHECK(node.ima->entries == 5);
  }
  SECTION("what is listed already is a tail") {
    machine.listed = 7;
    const Report report = machine.appraise(&node, 5);
    CHECK(report.verdict == Verdict::kTrusted);
    CHECK(report.claims.ima_unverified == 2U);
    CHECK(node.ima->entries == 5);
    CHECK(node.ima->listed == 7);
  }
}

TEST_CASE("a tail is tolerated once", "[position]") {
  Machine machine;
  NodeState node;
  machine.measured = 4;
  machine.listed = 6;
  REQUIRE(machine.appraise(&node, 0).verdict == Verdict::kTrusted);
  const bool whole = GENERATE(false, true);
  const std::uint64_t first = whole ? 0 : 4;
  SECTION("the next quote covers it") {
    machine.measured = 6;
    CHECK(machine.appraise(&node, first).verdict == Verdict::kTrusted);
    CHECK(node.ima->entries == 6);
  }
  SECTION("the next quote does not") {
    machine.measured = GENERATE(4U, 5U);
    const Report report = machine.appraise(&node, first);
    CHECK(report.verdict == Verdict::kUntrusted);
    CHECK(fails_with(report, Code::kImaProgress));
    CHECK(node.ima->entries == 4);
  }
  SECTION("after a reboot everything is new") {
    machine.reset_count = 4;
    machine.measured = machine.listed = 3;
    CHECK(machine.appraise(&node, 0).verdict == Verdict::kTrusted);
  }
}

TEST_CASE("an earlier boot_aggregate must go on agreeing with the quoted PCRs", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  machine.boot_pcr = 8;
  machine.measured = machine.listed = 6;
  const Report report = machine.appraise(&node, 4);
  CHECK(fails_with(report, Code::kImaBootAggregate));
  REQUIRE(find(report, Code::kImaBootAggregate) != nullptr);
  CHECK(find(report, Code::kImaBootAggregate)->index == 0U);
}

TEST_CASE("banks without a hash of the kernel's go on as they began", "[position]") {
  Machine machine;
  machine.banks = {Hash::kSha256, Hash::kSha384};
  machine.without_hash = {Hash::kSha384};
  NodeState node = again(verified(machine, 4));
  machine.measured = machine.listed = 8;
  SECTION("padded") {
    CHECK(machine.appraise(&node, 4).verdict == Verdict::kTrusted);
    CHECK(node.ima->banks.at(1).padded);
  }
  SECTION("not with another value") {
    machine.without_hash = {};
    CHECK(fails_with(machine.appraise(&node, 4), Code::kImaReplay));
  }
  SECTION("and a bank that is not quoted any more is forgotten") {
    machine.banks = {Hash::kSha256};
    CHECK(machine.appraise(&node, 4).verdict == Verdict::kTrusted);
    CHECK(node.ima->banks.size() == 1);
  }
}

TEST_CASE("many boot_aggregates can not be carried on, and fail nothing", "[position]") {
  Machine machine;
  machine.list.clear();
  std::string allowlist;
  for (std::uint8_t i = 1; i <= 6; ++i) {
    const Octets value(48, i);  // of a bank that is not quoted: the policy lists it
    machine.list.push_back(ima_test::ng("boot_aggregate", value, "sha384"));
    allowlist += attest::to_hex(value) + " boot_aggregate\n";
  }
  machine.policy.ima->rules =
      std::make_shared<const RuntimePolicy>(attest::policy::parse_allowlist(allowlist, {}, {}, {}));
  NodeState node = verified(machine, 4);
  CHECK(again(node).ima->boot_aggregates == node.ima->boot_aggregates);
  CHECK(machine.appraise_to(6, &node, 4).verdict == Verdict::kTrusted);
  CHECK_FALSE(node.ima.has_value());
  CHECK(node.seen.has_value());
}

TEST_CASE("a position outlives an appraisal without a list, in the same boot only", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  const NodeState::Seen seen = *node.seen;
  attest::verify::Trusted trusted{seen, {}, false, {}};
  SECTION("the same boot") {
    attest::verify::advance(node, std::move(trusted));
    CHECK(node.ima.has_value());
  }
  SECTION("another one") {
    ++trusted.seen.reset_count;
    attest::verify::advance(node, std::move(trusted));
    CHECK_FALSE(node.ima.has_value());
  }
  SECTION("a list that can not be gone on with") {
    trusted.had_ima = true;
    attest::verify::advance(node, std::move(trusted));
    CHECK_FALSE(node.ima.has_value());
  }
}

TEST_CASE("a key of another Name is another key, whatever its numbers", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  machine.ak_public[9] ^= 0x04U;  // objectAttributes: noDA
  machine.measured = machine.listed = 6;
  CHECK(fails_with(machine.appraise(&node, 4), Code::kNodeKeyChanged));
}

TEST_CASE("a policy is not learned from half a list", "[position]") {
  Parts parts = boot("grub-ima-ng");
  attest::verify::Evidence e = parts.evidence();
  e.ima->first_entry = 3;
  const auto learned = attest::verify::learn_policy(e, parts.options());
  CHECK_FALSE(learned.policy.has_value());
  CHECK(fails_with(learned.report, Code::kImaPosition));
}

TEST_CASE("a state that does not fit leaves out the position", "[position]") {
  Machine machine;
  NodeState node = verified(machine, 4);
  const auto key = node.ima->keys.at(0);
  while (attest::verify::to_json(node).find("\"ima\"") != std::string::npos) {
    node.ima->keys.push_back(key);
    REQUIRE(node.ima->keys.size() < 100);
  }
  const std::string text = attest::verify::to_json(node);
  CHECK(text.size() <= attest::verify::kMaxNodeState);
  const NodeState read = attest::verify::parse_node(text);
  CHECK(read.seen == node.seen);
  CHECK_FALSE(read.ima.has_value());
  node.ima->keys.pop_back();
  CHECK(attest::verify::to_json(node).size() <= attest::verify::kMaxNodeState);
  CHECK(again(node).ima->keys.size() == node.ima->keys.size());
}

TEST_CASE("no state that was cut or changed anywhere is read", "[position]") {
  Machine machine;
  const std::string text = attest::verify::to_json(verified(machine, 6));
  REQUIRE(attest::verify::parse_node(text).ima.has_value());
  const auto read = [](const std::string& changed) {
    try {
      (void)attest::verify::parse_node(changed);
      return true;
    } catch (const attest::ParseError&) {
      return false;
    }
  };
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (read(text.substr(0, size))) FAIL("cut to " << size);
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ 1U << bit);
      if (read(changed)) FAIL("bit " << bit << " of byte " << at);
    }
  }
  for (const char* more : {" ", "\n", "}", "{}"}) CHECK_FALSE(read(text + more));
}

TEST_CASE("a sealed state must still be one", "[position]") {
  Machine machine;
  const std::string text = attest::verify::to_json(verified(machine, 6));
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string front = text.substr(0, text.rfind(",\"sha256\""));
    const auto at = front.find(from);
    REQUIRE(at != std::string::npos);
    front.replace(at, from.size(), to);
    const auto digest = Hasher(Hash::kSha256)(attest::as_bytes(front));
    return front + ",\"sha256\":\"" + attest::to_hex(digest.bytes()) + "\"}";
  };
  CHECK(attest::verify::parse_node(changed("\"clock\":", "\"clock\":1")).seen.has_value());
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string what = "accepted";
    try {
      (void)attest::verify::parse_node(changed(from, to));
    } catch (const attest::ParseError& e) {
      what = e.what();
    }
    return what;
  };
  CHECK_THAT(error("\"version\":1", "\"version\":2"), Catch::Contains("not 1"));
  CHECK_THAT(error("\"version\":1", "\"version\":1,\"more\":1"), Catch::Contains("more"));
  CHECK_THAT(error("\"entries\":6", "\"entries\":0"), Catch::Contains("none"));
  CHECK_THAT(error("\"listed\":6", "\"listed\":5"), Catch::Contains("fewer than entries"));
  CHECK_THAT(error("\"violations\":1", "\"violations\":7"), Catch::Contains("violations"));
  CHECK_THAT(error("\"list_bank\":\"sha1\"", "\"list_bank\":\"md5\""),
             Catch::Contains("not a digest algorithm"));
  CHECK_THAT(error("\"bank\":\"sha256\"", "\"bank\":\"sha384\""),
             Catch::Contains("not of its digest's size"));
  CHECK_THAT(error("\"algorithm\":\"sha256\"", "\"algorithm\":\"sha257\""),
             Catch::Contains("not a digest algorithm"));
  CHECK_THAT(error("\"spki\":\"", "\"spki\":\"!"), Catch::Contains("not base64"));
  CHECK_THAT(error("\"spki\":\"", "\"spki\":\"AAAA"), Catch::Contains("not a DER public key"));
  CHECK_THAT(error("\"key\":\"", "\"key\":\"00"), Catch::Contains("/key"));
  const std::string bank = text.substr(
      text.find("{\"bank\""), text.find("}]", text.find("{\"bank\"")) + 1 - text.find("{\"bank\""));
  CHECK_THAT(error(bank, bank + "," + bank), Catch::Contains("there twice"));
  CHECK_THAT(error("[" + bank + "]", "[]"), Catch::Contains("none"));
}
