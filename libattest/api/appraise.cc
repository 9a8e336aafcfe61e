// SPDX-License-Identifier: Apache-2.0

#include "libattest/appraise.h"

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"

using attest::api::guard;
namespace verify = attest::verify;

namespace attest::api {
template <>
inline constexpr std::size_t kFirstSize<attest_appraise_options> = offsetof(attest_appraise_options,
                                                                            now) +
                                                                   sizeof(std::int64_t);
}  // namespace attest::api

namespace {

verify::Options options_from(const attest_appraise_options* options) {
  const attest_appraise_options o = attest::api::options_of(options, ATTEST_APPRAISE_OPTIONS_INIT);
  return {attest::api::bytes(o.nonce, o.nonce_len), o.now,
          attest::api::flag_of(o.allow_sha1, "allow_sha1")};
}

verify::Profile profile_of(const attest_profile& profile) {
  const int number = attest::api::number_of(profile);
  if (number < ATTEST_PROFILE_EVERYTHING || number > ATTEST_PROFILE_MEASURED_BOOT) {
    throw std::invalid_argument("profile is none that this version of libattest knows");
  }
  return static_cast<verify::Profile>(number);
}

// The evidence for one appraisal. What can be read once only is not read again, not even after an
// appraisal that failed halfway.
verify::Evidence& use(attest_evidence& evidence) {
  const auto& ima = evidence.evidence.ima;
  if (ima && ima->read) {
    if (evidence.ima_spent) {
      throw attest::api::StateError("the IMA list's reader was used before: set it again");
    }
    evidence.ima_spent = true;
  }
  return evidence.evidence;
}

}  // namespace

extern "C" {

attest_status attest_appraise(attest_report** out, attest_evidence* evidence,
                              const attest_policy* policy, attest_node* node,
                              const attest_appraise_options* options) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(evidence, "evidence");
    const verify::Options o = options_from(options);
    if (o.allow_sha1 && policy != nullptr) {
      throw std::invalid_argument("allow_sha1 is the policy's to say");
    }
    auto report = std::make_unique<attest_report>();
    // The node's state moves on only when there is a report that says why.
    attest_node next = node == nullptr ? attest_node{} : *node;
    report->report = verify::appraise(use(*evidence), policy == nullptr ? nullptr : &policy->policy,
                                      node == nullptr ? nullptr : &next.state, o);
    if (node != nullptr) std::swap(node->state, next.state);
    *out = report.release();
  });
}

attest_status attest_policy_learn(attest_policy** policy, attest_report** report,
                                  attest_evidence* evidence,
                                  const attest_appraise_options* options) {
  return attest_policy_learn_profile(policy, report, evidence, options, ATTEST_PROFILE_EVERYTHING);
}

attest_status attest_policy_learn_profile(attest_policy** policy, attest_report** report,
                                          attest_evidence* evidence,
                                          const attest_appraise_options* options,
                                          attest_profile profile) {
  return guard([&] {
    attest::api::require(report, "report");
    *report = nullptr;
    attest::api::clear_output(policy, "policy");
    attest::api::require(evidence, "evidence");
    const verify::Options o = options_from(options);
    const verify::Profile wanted = profile_of(profile);
    auto made_report = std::make_unique<attest_report>();
    auto made_policy = std::make_unique<attest_policy>();
    verify::Learned learned = verify::learn_policy(use(*evidence), o, wanted);
    made_report->report = std::move(learned.report);
    if (learned.policy) {
      made_policy->policy = std::move(*learned.policy);
      *policy = made_policy.release();
    }
    *report = made_report.release();
  });
}

}  // extern "C"
