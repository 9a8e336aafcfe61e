// SPDX-License-Identifier: Apache-2.0

// _libattest: the C ABI as Python sees it. What decides lives behind the ABI, not here.

#include "support.h"

namespace binding {
namespace {

py::bytes make_nonce(std::size_t n) {
  std::string nonce(n, '\0');
  check(attest_nonce_make(reinterpret_cast<std::uint8_t*>(nonce.data()), nonce.size()));
  return nonce;
}

}  // namespace

void bind_base(py::module_& m) {
  m.def("version", &attest_version, "The version of the library that is loaded.");
  m.def("make_nonce", &make_nonce, py::arg("n") = 32,
        "n random bytes (16 to 64) to ask for one quote with.");
  m.def(
      "hash_name", [](int hash) { return attest_hash_name(static_cast<attest_hash>(hash)); },
      py::arg("hash"));
  m.def(
      "hash_from_name",
      [](const std::string& name) { return static_cast<int>(attest_hash_from_name(name.c_str())); },
      py::arg("name"));
  m.def(
      "coverage_name",
      [](int coverage) { return attest_coverage_name(static_cast<attest_coverage>(coverage)); },
      py::arg("coverage"));
  m.def(
      "verdict_name",
      [](int verdict) { return attest_verdict_name(static_cast<attest_verdict>(verdict)); },
      py::arg("verdict"));
  m.def(
      "severity_name",
      [](int severity) { return attest_severity_name(static_cast<attest_severity>(severity)); },
      py::arg("severity"));
  m.def(
      "component_name",
      [](int component) { return attest_component_name(static_cast<attest_component>(component)); },
      py::arg("component"));
  m.def(
      "pcr_state_name",
      [](int state) { return attest_pcr_state_name(static_cast<attest_pcr_state>(state)); },
      py::arg("state"));
}

}  // namespace binding

PYBIND11_MODULE(_libattest, m) {
  binding::bind_base(m);
  binding::bind_report(m);
  binding::bind_quote(m);
  binding::bind_ek(m);
  binding::bind_logs(m);
  binding::bind_policy(m);
  binding::bind_evidence(m);
  binding::bind_keylime(m);
  binding::bind_oat(m);
  binding::bind_boot(m);
  binding::bind_hosts(m);
}
