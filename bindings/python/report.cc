// SPDX-License-Identifier: Apache-2.0

// Report, and findings as Python objects.

#include "support.h"

namespace binding {
namespace {

py::object number_or_none(std::int64_t value) {
  if (value < 0) return py::none();
  return py::int_(value);
}

py::list findings(const Report& report) {
  py::list list;
  for (std::size_t i = 0; i < attest_report_num_findings(report.get()); ++i) {
    attest_finding out = ATTEST_FINDING_INIT;
    check(attest_report_finding(&out, report.get(), i));
    list.append(finding(out));
  }
  return list;
}

py::dict pcrs(const Report& report) {
  const py::object claim = type("PcrClaim");
  const py::object state = type("PcrState");
  py::dict banks;
  for (std::size_t i = 0; i < attest_report_num_pcrs(report.get()); ++i) {
    attest_pcr_claim out = ATTEST_PCR_CLAIM_INIT;
    check(attest_report_pcr(&out, report.get(), i));
    const py::str bank(attest_hash_name(out.bank));
    banks.attr("setdefault")(bank, py::dict())[py::int_(out.index)] =
        claim(bank, out.index, bytes_or_none(out.value, out.value_len),
              state(static_cast<int>(out.state)));
  }
  return banks;
}

py::str to_json(const Report& report) {
  attest_buffer* out = nullptr;
  run([&] { return attest_report_to_json(&out, report.get()); });
  return take_text(out);
}

py::str repr(const Report& report) {
  return py::str("<libattest.Report: {}, {} findings>")
      .format(attest_verdict_name(attest_report_verdict(report.get())),
              attest_report_num_findings(report.get()));
}

// Any object is true unless it says otherwise: `if appraise(…): admit()` would admit everybody.
bool refuse_truth(const Report&) {
  throw py::type_error("a Report is neither true nor false: ask report.trusted");
}

}  // namespace

py::object finding(const attest_finding& finding) {
  return type("Finding")(
      finding.code, text(finding.id), type("Severity")(static_cast<int>(finding.severity)),
      type("Component")(static_cast<int>(finding.component)), number_or_none(finding.pcr),
      number_or_none(finding.index), number_or_none(finding.offset), text_or_none(finding.expected),
      text_or_none(finding.found), text(finding.message));
}

void bind_report(py::module_& m) {
  py::class_<Report>(m, "Report", "The result of an appraisal.")
      .def_property_readonly(
          "verdict",
          [](const Report& report) {
            return type("Verdict")(static_cast<int>(attest_report_verdict(report.get())));
          })
      .def_property_readonly("trusted",
                             [](const Report& report) {
                               return attest_report_verdict(report.get()) == ATTEST_VERDICT_TRUSTED;
                             })
      .def_property_readonly(
          "quote_verified",
          [](const Report& report) { return attest_report_quote_verified(report.get()) == 1; })
      .def_property_readonly("findings", &findings)
      .def_property_readonly(
          "dropped", [](const Report& report) { return attest_report_num_dropped(report.get()); })
      .def_property_readonly("pcrs", &pcrs)
      .def("to_json", &to_json, "The whole report as JSON text.")
      .def(
          "to_dict",
          [](const Report& report) {
            return py::module_::import("json").attr("loads")(to_json(report));
          },
          "The whole report as to_json() writes it, in Python objects.")
      .def("__bool__", &refuse_truth)
      .def("__repr__", &repr);
}

}  // namespace binding
