// SPDX-License-Identifier: Apache-2.0

// C objects that are freed at the end of their scope, and nothing more: the calls stay C's.
#ifndef LIBATTEST_TESTS_ABI_OWNED_H_
#define LIBATTEST_TESTS_ABI_OWNED_H_

#include "libattest/attest.h"

template <typename Object, void (*Free)(Object*)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { Free(object_); }

  // For a call that makes one: what was there is freed.
  Object** place() {
    Free(object_);
    object_ = nullptr;
    return &object_;
  }
  Object* get() const { return object_; }

 private:
  Object* object_ = nullptr;
};

using BootConfig = Owned<attest_boot_config, attest_boot_config_free>;
using Buffer = Owned<attest_buffer, attest_buffer_free>;
using HostVerdicts = Owned<attest_host_verdicts, attest_host_verdicts_free>;
using Key = Owned<attest_key, attest_key_free>;
using Ek = Owned<attest_ek, attest_ek_free>;
using Credential = Owned<attest_credential, attest_credential_free>;
using Quote = Owned<attest_quote, attest_quote_free>;
using Pcrs = Owned<attest_pcrs, attest_pcrs_free>;
using EventLog = Owned<attest_eventlog, attest_eventlog_free>;
using Ima = Owned<attest_ima, attest_ima_free>;
using Policy = Owned<attest_policy, attest_policy_free>;
using Node = Owned<attest_node, attest_node_free>;
using Evidence = Owned<attest_evidence, attest_evidence_free>;
using Report = Owned<attest_report, attest_report_free>;
using Keylime = Owned<attest_keylime, attest_keylime_free>;
using KeylimeAgent = Owned<attest_keylime_agent, attest_keylime_agent_free>;
using KeylimeDiagnosis = Owned<attest_keylime_diagnosis, attest_keylime_diagnosis_free>;
using Oat = Owned<attest_oat, attest_oat_free>;
using OatAnswer = Owned<attest_oat_answer, attest_oat_answer_free>;
using KeylimeQuote = Owned<attest_keylime_quote, attest_keylime_quote_free>;

#endif  // LIBATTEST_TESTS_ABI_OWNED_H_
