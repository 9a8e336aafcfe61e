// SPDX-License-Identifier: Apache-2.0

#include "libattest/report.h"

#include <string_view>

#include "libattest/api/guard.h"
#include "libattest/api/handles.h"
#include "libattest/api/sized.h"

using attest::api::guard;
using attest::api::number_of;
namespace policy = attest::policy;

namespace attest::api {

template <>
inline constexpr std::size_t kFirstSize<attest_finding> = offsetof(attest_finding, message) +
                                                          sizeof(const char*);
template <>
inline constexpr std::size_t kFirstSize<attest_pcr_claim> = offsetof(attest_pcr_claim, state) +
                                                            sizeof(attest_pcr_state);

void fill_finding(attest_finding* out, const policy::Findings& findings, std::size_t index) {
  if (index >= findings.list().size()) throw std::invalid_argument("no finding has this index");
  const policy::Finding& f = findings.list()[index];
  attest_finding filled = ATTEST_FINDING_INIT;
  filled.code = static_cast<std::int32_t>(f.code);
  filled.id = policy::id_of(f.code).data();  // a literal: there is a NUL behind it
  filled.severity = static_cast<attest_severity>(f.severity);
  filled.component = static_cast<attest_component>(f.component);
  if (f.pcr) filled.pcr = static_cast<std::int32_t>(*f.pcr);
  if (f.index) filled.index = static_cast<std::int64_t>(*f.index);
  if (f.offset) filled.offset = static_cast<std::int64_t>(*f.offset);
  filled.expected = f.expected.c_str();
  filled.found = f.found.c_str();
  filled.message = f.message.c_str();
  fill(out, filled);
}

}  // namespace attest::api

namespace {

// The name of the value `number` of E, which is a literal and so has a NUL behind it.
template <typename E>
const char* name_or_mark(int number, E last) noexcept {
  if (number < 0 || number > static_cast<int>(last)) return "?";
  const std::string_view name = policy::name_of(static_cast<E>(number));
  return name.empty() ? "?" : name.data();
}

}  // namespace

extern "C" {

attest_verdict attest_report_verdict(const attest_report* report) {
  return report == nullptr ? ATTEST_VERDICT_UNKNOWN
                           : static_cast<attest_verdict>(report->report.verdict);
}

int attest_report_quote_verified(const attest_report* report) {
  return report != nullptr && report->report.claims.quote_verified ? 1 : 0;
}

std::size_t attest_report_num_findings(const attest_report* report) {
  return report == nullptr ? 0 : report->report.findings.list().size();
}

std::uint64_t attest_report_num_dropped(const attest_report* report) {
  return report == nullptr ? 0 : report->report.findings.dropped();
}

attest_status attest_report_finding(attest_finding* out, const attest_report* report,
                                    std::size_t index) {
  return guard([&] {
    attest::api::require(report, "report");
    attest::api::fill_finding(out, report->report.findings, index);
  });
}

std::size_t attest_report_num_pcrs(const attest_report* report) {
  return report == nullptr ? 0 : report->report.claims.pcrs.size();
}

attest_status attest_report_pcr(attest_pcr_claim* out, const attest_report* report,
                                std::size_t index) {
  return guard([&] {
    attest::api::require(report, "report");
    const auto& pcrs = report->report.claims.pcrs;
    if (index >= pcrs.size()) throw std::invalid_argument("no PCR of the report has this index");
    attest_pcr_claim claim = ATTEST_PCR_CLAIM_INIT;
    claim.bank = attest::api::to_c(pcrs[index].bank);
    claim.index = pcrs[index].index;
    claim.value = pcrs[index].value.bytes().data();
    claim.value_len = pcrs[index].value.size();
    claim.state = static_cast<attest_pcr_state>(pcrs[index].state);
    attest::api::fill(out, claim);
  });
}

attest_status attest_report_to_json(attest_buffer** out, const attest_report* report) {
  return guard([&] {
    attest::api::clear_output(out);
    attest::api::require(report, "report");
    attest::api::give_text(out, policy::to_json(report->report));
  });
}

void attest_report_free(attest_report* report) { delete report; }

const char* attest_verdict_name(attest_verdict verdict) {
  return name_or_mark(number_of(verdict), policy::Verdict::kUntrusted);
}

const char* attest_severity_name(attest_severity severity) {
  return name_or_mark(number_of(severity), policy::Severity::kFailure);
}

const char* attest_component_name(attest_component component) {
  return name_or_mark(number_of(component), policy::Component::kLaunchLog);
}

const char* attest_pcr_state_name(attest_pcr_state state) {
  return name_or_mark(number_of(state), policy::PcrState::kMismatch);
}

}  // extern "C"
