// SPDX-License-Identifier: Apache-2.0

#include "tests/abi/guest/appraisal.h"

#include <algorithm>
#include <cstring>

#include "tests/abi/owned.h"

namespace {

// The first failure ends a run.
#define TRY(call)                             \
  do {                                        \
    const attest_status status_ = (call);     \
    if (status_ != ATTEST_OK) return status_; \
  } while (false)

struct Stream {
  const std::vector<std::uint8_t>& bytes;
  std::size_t at = 0;
};

std::ptrdiff_t read_some(void* user, std::uint8_t* buffer, std::size_t size) {
  auto& stream = *static_cast<Stream*>(user);
  const std::size_t n = std::min({size, std::size_t{1000}, stream.bytes.size() - stream.at});
  std::memcpy(buffer, stream.bytes.data() + stream.at, n);
  stream.at += n;
  return static_cast<std::ptrdiff_t>(n);
}

attest_status check_quote(const GoodNode& n, const Key& key, Appraisal& out) {
  Quote quote;
  Report report;
  Pcrs pcrs;
  TRY(attest_quote_parse(quote.place(), n.attest.data(), n.attest.size(), n.signature.data(),
                         n.signature.size(), n.pcrs.data(), n.pcrs.size()));
  TRY(attest_quote_pcrs(pcrs.place(), quote.get()));
  attest_quote_options options = ATTEST_QUOTE_OPTIONS_INIT;
  options.nonce = n.nonce.data();
  options.nonce_len = n.nonce.size();
  TRY(attest_quote_verify(report.place(), quote.get(), key.get(), &options));
  out.num_findings += attest_report_num_findings(report.get());
  return ATTEST_OK;
}

attest_status look_at_logs(const GoodNode& n, Appraisal& out) {
  EventLog log, launch;
  Pcrs pcrs, ima_pcrs;
  Buffer text, ima_text;
  TRY(attest_eventlog_parse(log.place(), n.eventlog.data(), n.eventlog.size(), ATTEST_HASH_NONE));
  TRY(attest_eventlog_pcrs(pcrs.place(), log.get()));
  TRY(attest_eventlog_to_json(text.place(), log.get()));
  TRY(attest_eventlog_parse_launch(launch.place(), n.launch_log.data(), n.launch_log.size(),
                                   ATTEST_HASH_NONE));
  Ima ima;
  TRY(attest_ima_new(ima.place(), nullptr));
  TRY(attest_ima_feed(ima.get(), n.ima.data(), n.ima.size()));
  TRY(attest_ima_finish(ima.get()));
  TRY(attest_ima_pcrs(ima_pcrs.place(), ima.get()));
  TRY(attest_ima_to_json(ima_text.place(), ima.get()));
  out.text_size += attest_buffer_size(text.get()) + attest_buffer_size(ima_text.get());
  return ATTEST_OK;
}

attest_status challenge(const GoodNode& n, const Key& key, Appraisal& out) {
  Ek ek, high;
  Credential rsa, ecc;
  Key bound;
  TRY(attest_ek_load(ek.place(), n.ek.data(), n.ek.size(), n.ek_certificate.data(),
                     n.ek_certificate.size()));
  TRY(attest_ek_load(high.place(), n.ek_ecc.data(), n.ek_ecc.size(), nullptr, 0));
  const attest_bytes ca{n.ca.data(), n.ca.size()};
  const attest_bytes issuer{n.issuer.data(), n.issuer.size()};
  attest_chain_options options = ATTEST_CHAIN_OPTIONS_INIT;
  options.cas = &ca;
  options.num_cas = 1;
  options.intermediates = &issuer;
  options.num_intermediates = 1;
  options.now = 1900000000;
  TRY(attest_ek_verify_chain(ek.get(), &options));
  TRY(attest_credential_new(rsa.place(), ek.get(), key.get()));
  TRY(attest_credential_new(ecc.place(), high.get(), key.get()));
  const attest_status wrong =
      attest_credential_check(bound.place(), rsa.get(), n.nonce.data(), n.nonce.size());
  if (wrong != ATTEST_E_REFUSED) return wrong == ATTEST_OK ? ATTEST_E_INTERNAL : wrong;
  std::size_t len = 0;
  (void)attest_credential_id_object(ecc.get(), &len);
  out.text_size += len;
  return ATTEST_OK;
}

attest_status make_policy(const GoodNode& n, Policy& out) {
  Policy made;
  Buffer json;
  TRY(attest_policy_new(made.place()));
  TRY(attest_policy_add_tpm_policy(made.get(), n.tpm_policy.data(), n.tpm_policy.size()));
  TRY(attest_policy_add_allowlist(made.get(), n.allowlist.data(), n.allowlist.size(), nullptr, 0,
                                  n.excludelist.data(), n.excludelist.size()));
  // Written and read again, as it would be when it is kept in a file.
  TRY(attest_policy_to_json(json.place(), made.get()));
  return attest_policy_parse(out.place(),
                             reinterpret_cast<const char*>(attest_buffer_data(json.get())),
                             attest_buffer_size(json.get()));
}

}  // namespace

attest_status appraise_all(const GoodNode& n, Appraisal& out) {
  out = {};
  std::uint8_t fresh[32];
  TRY(attest_nonce_make(fresh, sizeof fresh));
  Key key;
  Evidence evidence;
  Policy policy;
  Node node, again;
  Report report;
  Buffer json, state;
  TRY(attest_key_load(key.place(), n.ak.data(), n.ak.size()));
  TRY(check_quote(n, key, out));
  TRY(look_at_logs(n, out));
  TRY(challenge(n, key, out));
  TRY(make_policy(n, policy));
  TRY(attest_evidence_new(evidence.place()));
  TRY(attest_evidence_set_key(evidence.get(), key.get()));
  TRY(attest_evidence_set_quote(evidence.get(), n.attest.data(), n.attest.size(),
                                n.signature.data(), n.signature.size(), n.pcrs.data(),
                                n.pcrs.size()));
  TRY(attest_evidence_set_eventlog(evidence.get(), n.eventlog.data(), n.eventlog.size()));
  Stream stream{n.ima};
  TRY(attest_evidence_set_ima_reader(evidence.get(), read_some, &stream));
  TRY(attest_node_new(node.place()));
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = n.nonce.data();
  options.nonce_len = n.nonce.size();
  options.now = 1;
  TRY(attest_appraise(report.place(), evidence.get(), policy.get(), node.get(), &options));
  TRY(attest_report_to_json(json.place(), report.get()));
  TRY(attest_node_export(state.place(), node.get()));
  TRY(attest_node_import(again.place(), attest_buffer_data(state.get()),
                         attest_buffer_size(state.get())));
  out.verdict = attest_report_verdict(report.get());
  out.num_findings += attest_report_num_findings(report.get());
  out.text_size += attest_buffer_size(json.get()) + attest_buffer_size(state.get());
  return ATTEST_OK;
}

std::size_t feed_rubbish(const GoodNode& n) {
  std::size_t strange = 0;
  const auto look = [&](attest_status status) {
    if (status != ATTEST_OK && status != ATTEST_E_MALFORMED) ++strange;
  };
  const auto cut = [](const std::vector<std::uint8_t>& whole, std::size_t part) {
    return whole.size() * part / 16;
  };
  for (std::size_t part = 0; part <= 16; ++part) {
    Key key;
    Quote quote;
    EventLog log, launch;
    Ima ima;
    Policy parsed, rules;
    Node node;
    look(attest_key_load(key.place(), n.ak.data(), cut(n.ak, part)));
    look(attest_quote_parse(quote.place(), n.attest.data(), cut(n.attest, part), n.signature.data(),
                            cut(n.signature, part), n.pcrs.data(), cut(n.pcrs, part)));
    look(attest_eventlog_parse(log.place(), n.eventlog.data(), cut(n.eventlog, part),
                               ATTEST_HASH_NONE));
    look(attest_eventlog_parse_launch(launch.place(), n.launch_log.data(), cut(n.launch_log, part),
                                      ATTEST_HASH_NONE));
    look(attest_ima_new(ima.place(), nullptr));
    look(attest_ima_feed(ima.get(), n.attest.data(), cut(n.attest, part)));
    look(attest_node_import(node.place(), n.ak.data(), cut(n.ak, part)));
    Ek by_area, by_certificate;
    // What is whole is loaded; padding is all that may be cut from a certificate.
    look(attest_ek_load(by_area.place(), n.ek.data(), std::max<std::size_t>(cut(n.ek, part), 1),
                        nullptr, 0));
    look(attest_ek_load(by_certificate.place(), nullptr, 0, n.ek_certificate.data(),
                        std::max<std::size_t>(cut(n.ek_certificate, part), 1)));
    const std::string nested(part * 10000, '[');
    look(attest_policy_parse(parsed.place(), nested.data(), nested.size()));
    look(attest_policy_new(rules.place()));
    const std::string pattern = "(((((a*)*)*)*[z-a" + std::string(part, '(') + "\\8\n";
    look(attest_policy_add_allowlist(rules.get(), n.allowlist.data(), n.allowlist.size() - part,
                                     nullptr, 0, pattern.data(), pattern.size()));
    look(attest_policy_add_runtime_policy(rules.get(), nested.data(), nested.size()));
  }
  return strange;
}
