// SPDX-License-Identifier: Apache-2.0

// OpenAttestation: the client of its servers.

#include <cmath>
#include <vector>

#include "support.h"

namespace binding {
namespace {

using OatClient = Handle<attest_oat, attest_oat_free>;
using Answer = Owned<attest_oat_answer, attest_oat_answer_free>;

void check_oat(attest_status status) { check(status, "RefusedError", "OatError"); }

// An int from 1 on: 0 would be C's word for the default.
std::uint32_t count_of(const py::object& object, const char* why) {
  constexpr long long kMost = 0xffffffff;
  if (!PyLong_Check(object.ptr()) || PyBool_Check(object.ptr())) throw py::type_error(why);
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  if (overflow != 0 || number < 1 || number > kMost) throw py::value_error(why);
  return static_cast<std::uint32_t>(number);
}

attest_oat_dialect dialect_of(const py::object& object) {
  const Word name(str_or_none(object, "dialect is a str"));
  if (name.get() == nullptr) return ATTEST_OAT_DIALECT_NONE;
  const attest_oat_dialect dialect = attest_oat_dialect_from_name(name.get());
  if (dialect == ATTEST_OAT_DIALECT_NONE) throw py::value_error("dialect is '1.0', '1.5' or '2'");
  return dialect;
}

// All are objects: pybind11 repeats the arguments of a call that does not fit its types, and two of
// these are secrets.
std::unique_ptr<OatClient> new_oat(const py::object& server, const py::object& ca,
                                   const py::object& port, const py::object& api_url,
                                   const py::object& dialect, const py::object& auth_blob,
                                   const py::object& cert, const py::object& key,
                                   const py::object& check_name, const py::object& batch) {
  if (!PyBool_Check(check_name.ptr())) throw py::type_error("check_name is a bool");
  const Word server_word(str_or_none(server, "server is a str"));
  const Word url_word(str_or_none(api_url, "api_url is a str"));
  const Input ca_in(ca, Accept::kBytesOrStr);
  const OptionalInput blob_in(auth_blob);
  const OptionalInput cert_in(cert);
  const OptionalInput key_in(key);
  attest_oat_options options = ATTEST_OAT_OPTIONS_INIT;
  options.server = server_word.get();
  options.port = count_of(port, "port is an int from 1 to 65535");
  options.api_url = url_word.get();
  options.dialect = dialect_of(dialect);
  options.ca = ca_in.text();
  options.ca_len = ca_in.size();
  options.certificate = cert_in.data();
  options.certificate_len = cert_in.size();
  options.key = key_in.data();
  options.key_len = key_in.size();
  options.auth_blob = blob_in.data();
  options.auth_blob_len = blob_in.size();
  options.batch = count_of(batch, "batch is an int from 1 to 500");
  options.no_name_check = check_name.is(py::bool_(true)) ? 0 : 1;
  attest_oat* out = nullptr;
  check_oat(attest_oat_new(&out, &options));
  return std::make_unique<OatClient>(out);
}

// What is asked about: the objects own the bytes.
struct Names {
  py::tuple objects;
  std::vector<attest_host_name> names;
};

Names names_of(const py::object& sequence) {
  if (PyUnicode_Check(sequence.ptr())) throw py::type_error("names are a sequence of str, not one");
  Names out;
  out.objects = py::reinterpret_steal<py::tuple>(PySequence_Tuple(sequence.ptr()));
  if (!out.objects) throw py::error_already_set();
  for (const py::handle name : out.objects) {
    if (!PyUnicode_Check(name.ptr())) throw py::type_error("a host's name is a str");
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
    if (text == nullptr) {
      // Half of a surrogate pair: no server takes it, and the others are still asked about.
      if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) throw py::error_already_set();
      PyErr_Clear();
      text = "";
    }
    out.names.push_back({text, static_cast<std::size_t>(size)});
  }
  return out;
}

py::object poll(const OatClient& oat, const py::object& sequence, double now, double timeout) {
  constexpr double kMost = 1e15;
  const Names names = names_of(sequence);
  const std::uint32_t timeout_ms = milliseconds(timeout);
  if (!(now > 0 && now < kMost)) throw py::value_error("now is not a time");
  attest_oat_answer* made = nullptr;
  check_oat(run_unchecked([&] {
    return attest_oat_poll(&made, oat.get(), names.names.data(), names.names.size(),
                           static_cast<std::int64_t>(std::ceil(now)), timeout_ms);
  }));
  const Answer answer(made);
  py::list hosts;
  py::dict reasons;
  const py::object record = type("HostVerdict");
  const py::object verdict = type("Verdict");
  for (std::size_t i = 0; i < attest_oat_answer_num_hosts(made); ++i) {
    attest_oat_host host = ATTEST_OAT_HOST_INIT;
    check_oat(attest_oat_answer_host(&host, made, i));
    const py::object name = names.objects[i];
    py::object measured_at = py::none();
    if (host.measured_at >= 0) measured_at = py::float_(static_cast<double>(host.measured_at));
    hosts.append(record(name, verdict(static_cast<int>(host.verdict)), measured_at));
    if (host.reason != ATTEST_OAT_ANSWERED) reasons[name] = attest_oat_reason_name(host.reason);
  }
  return type("OatHosts")(hosts, reasons, attest_oat_answer_num_ignored(made));
}

}  // namespace

void bind_oat(py::module_& m) {
  py::class_<OatClient>(m, "OatClient",
                        "An OpenAttestation server. Any number of threads may use one.")
      .def(py::init(&new_oat), py::arg("server"), py::kw_only(), py::arg("ca"),
           py::arg("port") = 8443, py::arg("api_url") = py::none(), py::arg("dialect") = py::none(),
           py::arg("auth_blob") = py::none(), py::arg("cert") = py::none(),
           py::arg("key") = py::none(), py::arg("check_name") = true, py::arg("batch") = 100)
      .def("poll", &poll, py::arg("names"), py::kw_only(), py::arg("now"),
           py::arg("timeout") = 30.0, "What the server says of hosts.")
      .def(
          "cancel", [](OatClient& oat) { attest_oat_cancel(oat.get()); },
          "Ends the calls that other threads are in: they raise OatError.");
}

}  // namespace binding
