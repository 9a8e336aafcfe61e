// SPDX-License-Identifier: Apache-2.0

// What servers said of many hosts.

#include <array>
#include <cmath>
#include <vector>

#include "support.h"

namespace binding {
namespace {

using HostVerdicts = Handle<attest_host_verdicts, attest_host_verdicts_free>;

HostVerdicts new_host_verdicts(double ttl, double skew, std::size_t limit) {
  attest_host_verdicts_options options = ATTEST_HOST_VERDICTS_OPTIONS_INIT;
  options.ttl = ttl;
  options.skew = skew;
  options.limit = limit;
  attest_host_verdicts* out = nullptr;
  check(attest_host_verdicts_new(&out, &options));
  return HostVerdicts(out);
}

// The object's own bytes, as long as it lives.
attest_host_name name_of(const py::handle& name) {
  if (!PyUnicode_Check(name.ptr())) throw py::type_error("a host's name is not a str");
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
  if (utf8 == nullptr) throw py::error_already_set();
  return {utf8, static_cast<std::size_t>(size)};
}

// For a question: half of a surrogate pair is no text, and then no host's name. One such host must
// not keep the others from being answered for.
attest_host_name name_or_none(const py::handle& name) {
  try {
    return name_of(name);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_UnicodeEncodeError)) throw;
    return {nullptr, 0};
  }
}

// A byte a host: 1 where `reason` is its.
py::bytes flags(const std::vector<std::uint8_t>& reasons, attest_host_reason reason) {
  std::string out(reasons.size(), '\0');
  for (std::size_t i = 0; i < reasons.size(); ++i) out[i] = reasons[i] == reason ? '\1' : '\0';
  return out;
}

py::dict counts(const std::vector<std::uint8_t>& reasons) {
  std::array<std::size_t, 256> numbers{};
  for (const std::uint8_t reason : reasons) ++numbers.at(reason);
  py::dict out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const char* name = attest_host_reason_name(static_cast<attest_host_reason>(i));
    if (*name == '?') break;
    out[name] = numbers.at(i);
  }
  return out;
}

// Without releasing the GIL: the whole call is shorter than the wait for it may be, and a put()
// that holds the lock inside never waits for the GIL.
py::object decide(const HostVerdicts& verdicts, const py::object& names, double now,
                  double monotonic) {
  if (PyUnicode_Check(names.ptr()))
    throw py::type_error("names is one str, not a sequence of them");
  const auto held = py::reinterpret_steal<py::tuple>(PySequence_Tuple(names.ptr()));
  if (!held) throw py::error_already_set();
  std::vector<attest_host_name> asked;
  asked.reserve(held.size());
  for (const py::handle name : held) asked.push_back(name_or_none(name));
  std::vector<std::uint8_t> reasons(asked.size());
  std::vector<std::size_t> indices(asked.size());
  std::size_t num_indices = 0;
  check(attest_host_verdicts_decide(reasons.data(), indices.data(), &num_indices, verdicts.get(),
                                    asked.data(), asked.size(), now, monotonic));
  py::list to_fetch;
  for (std::size_t i = 0; i < num_indices; ++i) to_fetch.append(held[indices[i]]);
  return type("Decision")(flags(reasons, ATTEST_HOST_TRUSTED),
                          flags(reasons, ATTEST_HOST_UNTRUSTED), to_fetch, counts(reasons),
                          py::bytes(reinterpret_cast<const char*>(reasons.data()), reasons.size()));
}

double seconds_or_nan(const py::object& seconds) {
  if (seconds.is_none()) return std::nan("");
  const double out = PyFloat_AsDouble(seconds.ptr());
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  return out;
}

void put(HostVerdicts& verdicts, const py::object& answers, double now, double monotonic) {
  const py::object record = type("HostVerdict");
  const py::object verdict = type("Verdict");
  std::vector<attest_host_verdict> batch;
  std::vector<py::object> names;  // they live until the end of the call
  for (const py::handle answer : answers) {
    if (!py::isinstance(answer, record)) throw py::type_error("an answer is not a HostVerdict");
    const py::object said = answer.attr("verdict");
    // A bool is a number, too: True would be trusted.
    if (!py::isinstance(said, verdict)) throw py::type_error("a host's verdict is not a Verdict");
    const attest_host_name name = name_of(names.emplace_back(answer.attr("name")));
    batch.push_back({name.name, name.name_len, static_cast<attest_verdict>(said.cast<int>()),
                     seconds_or_nan(answer.attr("measured_at"))});
  }
  run([&] {
    return attest_host_verdicts_put(verdicts.get(), batch.data(), batch.size(), now, monotonic);
  });
}

}  // namespace

void bind_hosts(py::module_& m) {
  py::class_<HostVerdicts>(m, "HostVerdicts",
                           "What servers said of hosts, for `ttl` seconds from its receipt and "
                           "from its measurement. Any "
                           "number of threads may use one.")
      .def(py::init(&new_host_verdicts), py::kw_only(), py::arg("ttl"), py::arg("skew") = 30.0,
           py::arg("limit") = 100000)
      .def("decide", &decide, py::arg("names"), py::kw_only(), py::arg("now"), py::arg("monotonic"),
           "Answers for a whole list of hosts and says what to fetch.")
      .def("put", &put, py::arg("verdicts"), py::kw_only(), py::arg("now"), py::arg("monotonic"),
           "Stores all of a server's answer. Put every host that was asked about, as unknown where "
           "there was no answer: it is not fetched again before `ttl` is over.")
      .def(
          "clear", [](HostVerdicts& verdicts) { attest_host_verdicts_clear(verdicts.get()); },
          "Forgets all hosts.")
      .def("__len__",
           [](const HostVerdicts& verdicts) { return attest_host_verdicts_count(verdicts.get()); });
  m.def(
      "host_reason_name",
      [](int reason) { return attest_host_reason_name(static_cast<attest_host_reason>(reason)); },
      py::arg("reason"));
}

}  // namespace binding
