// SPDX-License-Identifier: Apache-2.0

// Real evidence from tests/vectors, as verify/ takes it, with parts that a test may change first.
#ifndef LIBATTEST_TESTS_SUPPORT_EVIDENCE_H_
#define LIBATTEST_TESTS_SUPPORT_EVIDENCE_H_

#include <memory>
#include <string>
#include <vector>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/verify/appraise.h"
#include "tests/support/vectors.h"

using Octets = std::vector<std::uint8_t>;

// The bytes of one node's evidence. Empty logs are logs that are not there.
struct Parts {
  Octets ak, attest, signature, pcrs, nonce, eventlog, ima, launch_log;

  attest::verify::Evidence evidence() const {
    attest::verify::Evidence out;
    out.key =
        std::make_shared<const attest::tpm::AttestationKey>(attest::tpm::AttestationKey::load(ak));
    out.quote = attest::verify::QuoteEvidence::parse(attest, signature, pcrs);
    if (!eventlog.empty()) {
      attest::verify::EventLogEvidence log;
      log.bytes = eventlog;
      log.log = attest::eventlog::Log::parse(log.bytes);
      out.event_log.emplace(std::move(log));
    }
    if (!launch_log.empty()) {
      attest::verify::EventLogEvidence log;
      log.bytes = launch_log;
      log.log = attest::eventlog::Log::parse_launch(log.bytes);
      out.launch_log.emplace(std::move(log));
    }
    if (!ima.empty()) out.ima.emplace().bytes = ima;
    return out;
  }
  attest::verify::Options options() const { return {nonce, 0}; }

  attest::policy::Report appraise(const attest::policy::Policy* policy,
                                  attest::verify::NodeState* node = nullptr) const {
    return attest::verify::appraise(evidence(), policy, node, options());
  }
  // What a policy learned from this evidence says. Throws when it is not sound.
  attest::policy::Policy learn(
      attest::verify::Profile profile = attest::verify::Profile::kEverything) const {
    attest::verify::Evidence e = evidence();
    attest::verify::Learned learned = attest::verify::learn_policy(e, options(), profile);
    if (!learned.policy) throw std::runtime_error(attest::policy::to_json(learned.report));
    return std::move(*learned.policy);
  }
};

inline Octets nonce_from(const std::string& name) {
  const std::string text = read_text_vector(name);
  return attest::from_hex(attest::strip(text)).value();
}

// A boot of tests/vectors/boot: `quote` is "sha256", "both" or "ecc".
inline Parts boot(const std::string& name, const std::string& snapshot = "1-clean",
                  const std::string& quote = "both") {
  const std::string dir = "boot/" + name + "/";
  const std::string stem = dir + snapshot + "/quote_" + quote;
  Parts p;
  p.ak = read_vector(dir + (quote == "ecc" ? "akecc.tss" : "ak.tss"));
  p.attest = read_vector(stem + ".msg");
  p.signature = read_vector(stem + ".sig");
  p.pcrs = read_vector(stem + ".pcrs");
  p.nonce = nonce_from(dir + "nonce.hex");
  p.eventlog = read_vector(dir + "binary_bios_measurements");
  p.ima = read_vector(dir + snapshot + "/ima.bin");
  return p;
}

// Whether a finding of that code is in the report, as a failure.
inline bool fails_with(const attest::policy::Report& report, attest::policy::Code code) {
  for (const attest::policy::Finding& f : report.findings.list()) {
    if (f.code == code && f.severity == attest::policy::Severity::kFailure) return true;
  }
  return false;
}

#endif  // LIBATTEST_TESTS_SUPPORT_EVIDENCE_H_
