// SPDX-License-Identifier: Apache-2.0

#include "libattest/evidence.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"

using attest::api::guard;
namespace verify = attest::verify;

namespace {

// The caller's read function as verify/ calls one: it never says more than was asked for.
verify::ReadBytes reader_of(attest_read_fn read, void* user) {
  return [read, user](std::span<std::uint8_t> into) {
    const std::ptrdiff_t done = read(user, into.data(), into.size());
    if (done < 0) throw attest::api::ReadError("the IMA list's read function failed");
    const auto size = static_cast<std::size_t>(done);
    if (size > into.size()) {
      throw attest::api::ReadError(
          "the IMA list's read function returned more than its buffer holds");
    }
    return size;
  };
}

verify::EventLogEvidence log_of(attest::Bytes in, attest::eventlog::Log (*parse)(attest::Bytes)) {
  verify::EventLogEvidence made;
  made.bytes.assign(in.begin(), in.end());
  made.log = parse(made.bytes);
  return made;
}

void set_ima(attest_evidence& evidence, verify::ImaEvidence ima) {
  evidence.evidence.ima = std::move(ima);
  evidence.ima_spent = false;
}

}  // namespace

extern "C" {

attest_status attest_evidence_new(attest_evidence** out) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::give(out, attest_evidence{});
  });
}

attest_status attest_evidence_set_quote(attest_evidence* evidence, const std::uint8_t* attest,
                                        std::size_t attest_len, const std::uint8_t* signature,
                                        std::size_t signature_len, const std::uint8_t* pcrs,
                                        std::size_t pcrs_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    evidence->evidence.quote = verify::QuoteEvidence::parse(
        attest::api::bytes(attest, attest_len), attest::api::bytes(signature, signature_len),
        attest::api::bytes(pcrs, pcrs_len));
  });
}

attest_status attest_evidence_set_keylime_quote(attest_evidence* evidence, const char* text,
                                                std::size_t text_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    evidence->evidence.quote =
        verify::QuoteEvidence::parse_keylime(attest::api::text(text, text_len));
  });
}

attest_status attest_evidence_set_ak(attest_evidence* evidence, const std::uint8_t* ak,
                                     std::size_t ak_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    evidence->evidence.key = std::make_shared<const attest::tpm::AttestationKey>(
        attest::tpm::AttestationKey::load(attest::api::bytes(ak, ak_len)));
    evidence->evidence.binding.reset();
  });
}

attest_status attest_evidence_set_key(attest_evidence* evidence, const attest_key* key) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    attest::api::require(key, "key");
    auto binding = key->binding;
    evidence->evidence.key = key->key;
    evidence->evidence.binding = std::move(binding);
  });
}

attest_status attest_evidence_set_eventlog(attest_evidence* evidence, const std::uint8_t* log,
                                           std::size_t log_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    evidence->evidence.event_log =
        log_of(attest::api::bytes(log, log_len), attest::eventlog::Log::parse);
  });
}

attest_status attest_evidence_set_launch_log(attest_evidence* evidence, const std::uint8_t* log,
                                             std::size_t log_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    evidence->evidence.launch_log =
        log_of(attest::api::bytes(log, log_len), attest::eventlog::Log::parse_launch);
  });
}

attest_status attest_evidence_set_ima(attest_evidence* evidence, const std::uint8_t* list,
                                      std::size_t list_len) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    const attest::Bytes in = attest::api::bytes(list, list_len);
    set_ima(*evidence, {{in.begin(), in.end()}, {}});
  });
}

attest_status attest_evidence_set_ima_reader(attest_evidence* evidence, attest_read_fn read,
                                             void* user) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    if (read == nullptr) throw std::invalid_argument("read is NULL");
    set_ima(*evidence, {{}, reader_of(read, user)});
  });
}

attest_status attest_evidence_set_ima_first_entry(attest_evidence* evidence, std::uint64_t first) {
  return guard([&] {
    attest::api::require(evidence, "evidence");
    auto& ima = evidence->evidence.ima;
    if (!ima) throw attest::api::StateError("there is no IMA list to begin at an entry");
    ima->first_entry = first;
  });
}

void attest_evidence_free(attest_evidence* evidence) { delete evidence; }

}  // extern "C"
