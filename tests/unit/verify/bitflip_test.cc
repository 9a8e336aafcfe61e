// SPDX-License-Identifier: Apache-2.0

// Every bit that something covers is flipped, one at a time, and every input is cut at every
// length: never trusted. What nothing covers is listed below, each with its reason. Prints how many
// were tried. ATTEST_BITFLIP_STRIDE=n tries every n-th only, for slow builds.

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "libattest/eventlog/check.h"
#include "libattest/eventlog/types.h"
#include "tests/support/evidence.h"
#include "tests/support/tpm12.h"

namespace {

using attest::ParseError;
using attest::policy::Policy;
using attest::policy::Report;
using attest::policy::Verdict;
namespace eventlog = attest::eventlog;

std::size_t stride() {
  const char* text = std::getenv("ATTEST_BITFLIP_STRIDE");
  return text != nullptr ? std::strtoul(text, nullptr, 10) : 1;
}

// Malformed input has no verdict at all, and so is not trusted.
template <typename Appraise>
bool trusted(Appraise appraise) {
  try {
    return appraise().verdict == Verdict::kTrusted;
  } catch (const ParseError&) {
    return false;
  }
}

struct Tally {
  const char* what;
  std::size_t tried = 0;
  std::size_t accepted = 0;

  ~Tally() { std::printf("%-34s %8zu tried, %zu trusted\n", what, tried, accepted); }
};

// Flips every bit of `bytes` for which `covered(byte)` holds.
template <typename Covered, typename Appraise>
void flip_all(Octets& bytes, Tally& tally, Covered covered, Appraise appraise) {
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += stride()) {
    if (!covered(bit / 8)) continue;
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    bytes[bit / 8] ^= mask;
    ++tally.tried;
    if (trusted(appraise)) {
      ++tally.accepted;
      UNSCOPED_INFO("trusted with bit " << bit % 8 << " of byte " << bit / 8 << " flipped");
    }
    bytes[bit / 8] ^= mask;
  }
  CHECK(tally.accepted == 0);
}

template <typename Appraise>
void cut_all(Octets& bytes, std::size_t end, Tally& tally, Appraise appraise) {
  const Octets whole = bytes;
  for (std::size_t size = 0; size < end; size += stride()) {
    bytes.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ++tally.tried;
    if (trusted(appraise)) {
      ++tally.accepted;
      UNSCOPED_INFO("trusted when cut after " << size << " bytes");
    }
  }
  bytes = whole;
  CHECK(tally.accepted == 0);
}

bool always(std::size_t /*byte*/) { return true; }

// What covers each byte of a log; nothing covers the bytes that have a reason.
std::vector<const char*> uncovered_reasons(const Octets& bytes, const eventlog::Log& log,
                                           attest::crypto::Hash bank) {
  const eventlog::Checked checked = eventlog::check(log, bank);
  std::vector<const char*> reason(bytes.size(), nullptr);
  const auto mark = [&](std::size_t from, std::size_t size, const char* why) {
    for (std::size_t i = from; i < from + size; ++i) reason[i] = why;
  };
  for (const eventlog::Event& event : log.events()) {
    mark(event.offset + 4, 4, "an event's type is in no digest");
    const auto data = static_cast<std::size_t>(event.data.data() - bytes.data());
    switch (checked.coverage[event.index]) {
      case eventlog::Coverage::kUnextended:
        // The first record's own rules still refuse most changes of it.
        mark(event.offset, 4, "EV_NO_ACTION is not extended into the PCR that it names");
        mark(data, event.data.size(), "EV_NO_ACTION is not extended: its data is a hint");
        break;
      case eventlog::Coverage::kOpaque:
        mark(data, event.data.size(), "the digest is of something outside the log");
        break;
      case eventlog::Coverage::kPartly:
        mark(data, event.data.size(), "the digest is of a part of the data");
        break;
      case eventlog::Coverage::kCovered:
      case eventlog::Coverage::kMismatch:
        break;
    }
  }
  return reason;
}

// What a launch's log and quote say, in a bank of the caller's choice.
Policy launch_policy(const Parts& parts, const eventlog::Log& log, attest::crypto::Hash bank) {
  Policy policy;
  policy.bank = bank;
  policy.allow_sha1 = true;
  policy.launch = {true, true};
  policy.event_log.pcrs = {17, 18};
  for (const auto& pcr : parts.appraise(nullptr).claims.pcrs) {
    if (pcr.bank == bank) policy.pcrs[pcr.index] = {pcr.value};
  }
  for (const eventlog::Event& e : log.events()) {
    if (!eventlog::is_extended(e)) continue;
    const attest::crypto::Digest digest(log.digest(e, *log.find(bank)));
    policy.event_log.known_events[e.pcr].push_back({eventlog::type_name(e.type), digest, "known"});
  }
  return policy;
}

}  // namespace

TEST_CASE("no bit of quote, signature, PCR values or key can change", "[bitflip]") {
  for (const char* quote : {"both", "ecc"}) {
    CAPTURE(quote);
    Parts p = boot("grub-ima-ng", "1-clean", quote);
    const Policy policy = p.learn();
    const auto appraise = [&] { return p.appraise(&policy); };
    REQUIRE(trusted(appraise));
    Tally attest{"quote"};
    flip_all(p.attest, attest, always, appraise);
    Tally signature{"signature"};
    flip_all(p.signature, signature, always, appraise);
    Tally pcrs{"PCR values"};
    flip_all(p.pcrs, pcrs, always, appraise);
    Tally ak{"attestation key"};
    flip_all(p.ak, ak, always, appraise);
    Tally cut{"quote, signature, PCRs, key: cut"};
    cut_all(p.attest, p.attest.size(), cut, appraise);
    cut_all(p.signature, p.signature.size(), cut, appraise);
    cut_all(p.pcrs, p.pcrs.size(), cut, appraise);
    cut_all(p.ak, p.ak.size(), cut, appraise);
  }
}

TEST_CASE("no bit of a TPM 1.2's quote, signature, PCR values or key can change", "[bitflip]") {
  for (const char* quote : {"quote1", "quote2"}) {
    CAPTURE(quote);
    Parts p = boot12(quote);
    p.ima.clear();
    p.eventlog.clear();
    attest::verify::Evidence evidence = p.evidence();
    attest::verify::Options options = p.options();
    options.allow_sha1 = true;
    const Policy policy = attest::verify::learn_policy(evidence, options).policy.value();
    const auto appraise = [&] { return p.appraise(&policy); };
    REQUIRE(trusted(appraise));
    Tally attest{"TPM 1.2 quote"};
    flip_all(p.attest, attest, always, appraise);
    Tally signature{"TPM 1.2 signature"};
    flip_all(p.signature, signature, always, appraise);
    Tally pcrs{"TPM 1.2 PCR values"};
    flip_all(p.pcrs, pcrs, always, appraise);
    // Two flags say when the key is loaded and who may read it; authDataUsage is about its use, and
    // the private part behind the modulus is the TPM's alone.
    Tally ak{"TPM 1.2 attestation key"};
    const Octets key = p.ak;
    const auto is_key = [](std::size_t byte) { return byte < 43 + 256 && byte != 9 && byte != 10; };
    flip_all(p.ak, ak, is_key, appraise);
    p.ak = key;
    Tally cut{"TPM 1.2: cut"};
    cut_all(p.attest, p.attest.size(), cut, appraise);
    cut_all(p.signature, p.signature.size(), cut, appraise);
    cut_all(p.pcrs, p.pcrs.size(), cut, appraise);
    cut_all(p.ak, p.ak.size(), cut, appraise);
  }
}

TEST_CASE("no bit of the text of a TPM 1.2's PCR values can change", "[bitflip]") {
  Parts p;
  p.ak = read_vector("tpm12/aik.tpm_key");
  p.attest = read_vector("tpm12/quote2.info");
  p.signature = read_vector("tpm12/quote2.sig");
  p.pcrs = read_vector("tpm12/quote2.text");
  p.nonce = nonce_from("tpm12/nonce.hex");
  attest::verify::Evidence evidence = p.evidence();
  attest::verify::Options options = p.options();
  options.allow_sha1 = true;
  const Policy policy = attest::verify::learn_policy(evidence, options).policy.value();
  const auto appraise = [&] { return p.appraise(&policy); };
  REQUIRE(trusted(appraise));
  Tally pcrs{"TPM 1.2 PCR values as text"};
  flip_all(p.pcrs, pcrs, always, appraise);
  cut_all(p.pcrs, p.pcrs.size(), pcrs, appraise);
}

TEST_CASE("no bit of an IMA list can change, and it can not be cut before the match", "[bitflip]") {
  for (const char* name : {"grub-ima-ng", "kernel-ima-legacy", "shim-sb-ima-sig"}) {
    CAPTURE(name);
    Parts p = boot(name);
    Policy policy = p.learn();
    policy.event_log = {};
    p.eventlog.clear();
    attest::verify::Evidence evidence = p.evidence();
    Octets& list = evidence.ima->bytes;
    const auto appraise = [&] {
      return attest::verify::appraise(evidence, &policy, nullptr, p.options());
    };
    REQUIRE(trusted(appraise));
    Tally flips{"IMA list"};
    flip_all(list, flips, always, appraise);
    Tally cut{"IMA list: cut"};
    cut_all(list, list.size(), cut, appraise);

    // After the match: whatever is cut, the rest is no more trusted than the whole.
    const Octets longer = read_vector("boot/" + std::string(name) + "/2-tampered/ima.bin");
    const std::size_t matched = list.size();
    list = longer;
    Tally tail{"IMA list: cut in the tail"};
    for (std::size_t size = matched; size < longer.size(); ++size) {
      list.assign(longer.begin(), longer.begin() + static_cast<std::ptrdiff_t>(size));
      ++tail.tried;
      if (trusted(appraise)) ++tail.accepted;
    }
    // One record more than was quoted: the list that ends where the quote does is the only good
    // one.
    CHECK(tail.accepted == 1);
  }
}

TEST_CASE("a violation's text is covered by nothing, its digest is", "[bitflip]") {
  Parts p = boot("grub-ima-ng", "3-violation");
  Policy policy = boot("grub-ima-ng", "2-tampered").learn();
  policy.ima->violations_fail = false;
  policy.event_log = {};
  p.eventlog.clear();
  attest::verify::Evidence evidence = p.evidence();
  // The tampered boot's rules lack what ran after the violation: its digest is listed here.
  const auto appraise = [&] {
    return attest::verify::appraise(evidence, &policy, nullptr, p.options());
  };
  const Report whole = appraise();
  REQUIRE(whole.claims.ima_violations == 1U);
  for (const auto& finding : whole.findings.list()) {
    if (finding.code != attest::policy::Code::kImaViolation) continue;
    const std::size_t digest = *finding.offset + 4;
    for (std::size_t bit = 0; bit < 20 * 8; ++bit) {
      evidence.ima->bytes[digest + bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      CHECK(fails_with(appraise(), attest::policy::Code::kImaReplay));
      evidence.ima->bytes[digest + bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
  }
}

TEST_CASE("no covered bit of an event log can change, and it can not be cut", "[bitflip]") {
  for (const char* name : {"grub-ima-ng", "kernel-ima-legacy", "shim-sb-ima-sig"}) {
    CAPTURE(name);
    Parts p = boot(name);
    Policy policy = p.learn();
    policy.ima.reset();
    p.ima.clear();
    const Octets whole = p.eventlog;
    attest::verify::Evidence evidence = p.evidence();
    const auto appraise = [&] {
      attest::verify::EventLogEvidence log;
      log.bytes = p.eventlog;
      log.log = eventlog::Log::parse(log.bytes);
      evidence.event_log.emplace(std::move(log));
      return attest::verify::appraise(evidence, &policy, nullptr, p.options());
    };
    REQUIRE(trusted(appraise));
    const std::vector<const char*> reasons =
        uncovered_reasons(whole, eventlog::Log::parse(whole), attest::crypto::Hash::kSha256);
    Tally flips{"event log"};
    flip_all(
        p.eventlog, flips, [&](std::size_t byte) { return reasons[byte] == nullptr; }, appraise);
    Tally cut{"event log: cut"};
    cut_all(p.eventlog, p.eventlog.size(), cut, appraise);

    std::map<std::string, std::size_t> uncovered;
    for (const char* why : reasons) {
      if (why != nullptr) ++uncovered[why];
    }
    for (const auto& [why, bytes] : uncovered) {
      std::printf("  not covered: %5zu bytes: %s\n", bytes, why.c_str());
    }
  }
}

// Types, too: the policy knows which digest has which. And data that its digest covers is shown as
// a hint as soon as it does not.
TEST_CASE("no covered bit of a launch log can change, and it can not be cut", "[bitflip]") {
  using attest::crypto::Hash;
  for (const char* form : {"agile", "legacy", "container"}) {
    CAPTURE(form);
    Parts p;
    p.ak = read_vector("drtm/ak.tss");
    p.attest = read_vector("drtm/quote.msg");
    p.signature = read_vector("drtm/quote.sig");
    p.pcrs = read_vector("drtm/quote.pcrs");
    p.nonce = nonce_from("drtm/nonce.hex");
    p.launch_log = read_vector("drtm/launchlog." + std::string(form) + ".bin");
    const bool container = form == std::string("container");
    const Hash bank = container ? Hash::kSha1 : Hash::kSha256;
    const Octets whole = p.launch_log;
    const eventlog::Log log = eventlog::Log::parse_launch(whole);
    const Policy policy = launch_policy(p, log, bank);
    attest::verify::Evidence evidence = p.evidence();
    const auto appraise = [&] {
      attest::verify::EventLogEvidence made;
      made.bytes = p.launch_log;
      made.log = eventlog::Log::parse_launch(made.bytes);
      evidence.launch_log.emplace(std::move(made));
      return attest::verify::appraise(evidence, &policy, nullptr, p.options());
    };
    REQUIRE(trusted(appraise));
    std::vector<const char*> reasons = uncovered_reasons(whole, log, bank);
    for (const eventlog::Event& event : log.events()) {
      const std::size_t type = event.offset + 4;
      if (eventlog::is_extended(event))
        std::fill_n(reasons.begin() + static_cast<long>(type), 4, nullptr);
      const auto data = static_cast<std::size_t>(event.data.data() - whole.data());
      std::fill_n(reasons.begin() + static_cast<long>(data), event.data.size(),
                  "data of a launch's events is used for words only");
      if (event.pcr != eventlog::kTxtDataPcr) continue;
      std::fill_n(reasons.begin() + static_cast<long>(event.offset), 28,
                  "records of pcrIndex 255 are about the log itself");
    }
    // Minor versions of the container and of its events.
    if (container) reasons[33] = reasons[35] = "minor versions";
    Tally flips{"launch log"};
    flip_all(
        p.launch_log, flips, [&](std::size_t byte) { return reasons[byte] == nullptr; }, appraise);
    // A container may come without its unused part, and is then the same log.
    Tally cut{"launch log: cut"};
    const attest::Bytes last = log.events().back().data;
    const auto used = static_cast<std::size_t>(last.data() - whole.data()) + last.size();
    cut_all(p.launch_log, used, cut, appraise);
  }
}

TEST_CASE("an event that is dropped, doubled, moved or swapped is found", "[bitflip]") {
  for (const char* name : {"grub-ima-ng", "shim-sb-ima-sig"}) {
    CAPTURE(name);
    Parts p = boot(name);
    const Policy policy = p.learn();
    const Octets whole = p.eventlog;
    const eventlog::Log log = eventlog::Log::parse(whole);
    const auto& events = log.events();
    const auto record = [&](std::size_t i) {
      const std::size_t end = i + 1 < events.size() ? events[i + 1].offset : whole.size();
      return Octets(whole.begin() + static_cast<std::ptrdiff_t>(events[i].offset),
                    whole.begin() + static_cast<std::ptrdiff_t>(end));
    };
    const auto build = [&](const std::vector<std::size_t>& order) {
      Octets out;
      for (const std::size_t i : order) {
        const Octets r = record(i);
        out.insert(out.end(), r.begin(), r.end());
      }
      return out;
    };
    std::vector<std::size_t> order(events.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    REQUIRE(build(order) == whole);
    for (std::size_t i = 1; i < events.size(); ++i) {
      CAPTURE(i);
      if (events[i].type == eventlog::kEvNoAction) continue;
      auto dropped = order;
      dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
      p.eventlog = build(dropped);
      CHECK_FALSE(trusted([&] { return p.appraise(&policy); }));
      auto doubled = order;
      doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), i);
      p.eventlog = build(doubled);
      CHECK_FALSE(trusted([&] { return p.appraise(&policy); }));
      for (std::uint8_t pcr = 0; pcr < 24; ++pcr) {
        if (pcr == events[i].pcr) continue;
        p.eventlog = whole;
        p.eventlog[events[i].offset] = pcr;
        CHECK_FALSE(trusted([&] { return p.appraise(&policy); }));
      }
    }
  }
}
