// SPDX-License-Identifier: Apache-2.0

// Evidence, and the two calls that judge it: appraise() and Policy.learn().

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "support.h"

namespace binding {
namespace {

// An IMA list that is read while it is appraised: from a binary file, or from chunks that an
// iterable yields.
class ListSource {
 public:
  explicit ListSource(const py::object& source) {
    if (py::isinstance<py::str>(source)) {
      throw py::type_error("an IMA list is bytes, not str");
    }
    if (py::hasattr(source, "read")) {
      read_ = source.attr("read");
    } else {
      chunks_ = py::reinterpret_steal<py::object>(PyObject_GetIter(source.ptr()));
      if (!chunks_) throw py::error_already_set();
    }
  }

  // An attest_read_fn. No exception may cross the library that calls it: it is kept.
  static std::ptrdiff_t read(void* user, std::uint8_t* buffer, std::size_t size) noexcept {
    const PyGILState_STATE state = or_sleep([] { return PyGILState_Ensure(); });
    auto* source = static_cast<ListSource*>(user);
    std::ptrdiff_t done = -1;
    try {
      done = source->read_some(buffer, size);
    } catch (...) {
      source->error_ = std::current_exception();
    }
    PyGILState_Release(state);
    return done;
  }

  // After an appraisal: lets go of a source that was read, and raises what it raised.
  void end() {
    if (!started_) return;
    read_.release().dec_ref();
    chunks_.release().dec_ref();
    chunk_.reset();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  std::ptrdiff_t read_some(std::uint8_t* buffer, std::size_t size) {
    started_ = true;
    while (!chunk_ || taken_ == chunk_->size()) {
      if (!next(size)) return 0;
    }
    const std::size_t n = std::min(size, chunk_->size() - taken_);
    std::memcpy(buffer, chunk_->data() + taken_, n);
    taken_ += n;
    return static_cast<std::ptrdiff_t>(n);
  }

  // Takes the next chunk. A file's empty chunk is its end; an iterable's is not.
  bool next(std::size_t size) {
    chunk_.reset();
    taken_ = 0;
    const auto chunk = py::reinterpret_steal<py::object>(or_sleep([&] {
      return read_ ? PyObject_CallFunction(read_.ptr(), "n", static_cast<Py_ssize_t>(size))
                   : PyIter_Next(chunks_.ptr());
    }));
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (!chunk) return false;
    chunk_.emplace(chunk);
    return !read_ || chunk_->size() != 0;
  }

  py::object read_;    // the file's method, or null
  py::object chunks_;  // the iterator, or null
  std::optional<Input> chunk_;
  std::size_t taken_ = 0;  // bytes of `chunk_`
  bool started_ = false;
  std::exception_ptr error_;
};

struct Evidence : Handle<attest_evidence, attest_evidence_free> {
  using Handle::Handle;
  std::unique_ptr<ListSource> ima;  // the library holds its address
};

void set_quote(Evidence& evidence, const py::object& attest, const py::object& signature,
               const py::object& pcrs) {
  const Changing changing(evidence.use);
  const Input attest_in(attest);
  const Input signature_in(signature);
  const Input pcrs_in(pcrs);
  run([&] {
    return attest_evidence_set_quote(evidence.get(), attest_in.data(), attest_in.size(),
                                     signature_in.data(), signature_in.size(), pcrs_in.data(),
                                     pcrs_in.size());
  });
}

void set_keylime_quote(Evidence& evidence, const py::object& text) {
  const Changing changing(evidence.use);
  const Input in(text, Accept::kBytesOrStr);
  run([&] { return attest_evidence_set_keylime_quote(evidence.get(), in.text(), in.size()); });
}

void set_ak(Evidence& evidence, const py::object& ak) {
  const Changing changing(evidence.use);
  if (py::isinstance<Key>(ak)) {
    check(attest_evidence_set_key(evidence.get(), ak.cast<const Key&>().get()));
    return;
  }
  const Input in(ak);
  run([&] { return attest_evidence_set_ak(evidence.get(), in.data(), in.size()); });
}

void set_eventlog(Evidence& evidence, const py::object& log) {
  const Changing changing(evidence.use);
  const Input in(log);
  run([&] { return attest_evidence_set_eventlog(evidence.get(), in.data(), in.size()); });
}

void set_launch_log(Evidence& evidence, const py::object& log) {
  const Changing changing(evidence.use);
  const Input in(log);
  run([&] { return attest_evidence_set_launch_log(evidence.get(), in.data(), in.size()); });
}

void set_ima(Evidence& evidence, const py::object& list, std::uint64_t first_entry) {
  const Changing changing(evidence.use);
  std::unique_ptr<ListSource> source;
  if (PyObject_CheckBuffer(list.ptr()) != 0) {
    const Input in(list);
    run([&] { return attest_evidence_set_ima(evidence.get(), in.data(), in.size()); });
  } else {
    source = std::make_unique<ListSource>(list);
    check(attest_evidence_set_ima_reader(evidence.get(), &ListSource::read, source.get()));
  }
  evidence.ima.swap(source);
  check(attest_evidence_set_ima_first_entry(evidence.get(), first_entry));
}

std::unique_ptr<Evidence> new_evidence(const py::object& quote, const py::object& keylime_quote,
                                       const py::object& ak, const py::object& eventlog,
                                       const py::object& ima, const py::object& launch_log) {
  if (!quote.is_none() && !keylime_quote.is_none()) {
    throw py::value_error("give a quote or a keylime_quote, not both");
  }
  attest_evidence* out = nullptr;
  check(attest_evidence_new(&out));
  auto evidence = std::make_unique<Evidence>(out);
  // The key first: a bare signature is told by it.
  if (!ak.is_none()) set_ak(*evidence, ak);
  if (!quote.is_none()) {
    const auto parts = py::tuple(quote);
    if (parts.size() != 3) throw py::value_error("a quote is (attest, signature, pcrs)");
    set_quote(*evidence, parts[0], parts[1], parts[2]);
  }
  if (!keylime_quote.is_none()) set_keylime_quote(*evidence, keylime_quote);
  if (!eventlog.is_none()) set_eventlog(*evidence, eventlog);
  if (!ima.is_none()) set_ima(*evidence, ima, 0);
  if (!launch_log.is_none()) set_launch_log(*evidence, launch_log);
  return evidence;
}

// As run(), for calls that may read a list source: what that raised comes before the status.
template <typename Call>
void run_reading(Evidence& evidence, Call call) {
  const attest_status status = run_unchecked(call);
  if (evidence.ima) evidence.ima->end();
  check(status);
}

attest_appraise_options options_of(const Input& nonce, std::int64_t now) {
  attest_appraise_options options = ATTEST_APPRAISE_OPTIONS_INIT;
  options.nonce = nonce.data();
  options.nonce_len = nonce.size();
  options.now = now;
  return options;
}

Report appraise(Evidence& evidence, Policy* policy, const py::object& nonce, std::int64_t now,
                Node* node) {
  const Changing changing(evidence.use);
  std::optional<Reading> reading_policy;
  std::optional<Changing> changing_node;
  if (policy != nullptr) reading_policy.emplace(policy->use);
  if (node != nullptr) changing_node.emplace(node->use);
  const Input nonce_in(nonce);
  const attest_appraise_options options = options_of(nonce_in, now);
  Report report;
  run_reading(evidence, [&] {
    attest_report* out = nullptr;
    const attest_status status =
        attest_appraise(&out, evidence.get(), policy != nullptr ? policy->get() : nullptr,
                        node != nullptr ? node->get() : nullptr, &options);
    report = Report(out);
    return status;
  });
  return report;
}

py::tuple learn(Evidence& evidence, const py::object& nonce, std::int64_t now,
                const py::object& profile, bool allow_sha1) {
  const auto wanted = number<attest_profile>("Profile", profile);
  const Changing changing(evidence.use);
  const Input nonce_in(nonce);
  attest_appraise_options options = options_of(nonce_in, now);
  options.allow_sha1 = allow_sha1 ? 1 : 0;
  Policy policy;
  Report report;
  run_reading(evidence, [&] {
    attest_policy* learned = nullptr;
    attest_report* out = nullptr;
    const attest_status status =
        attest_policy_learn_profile(&learned, &out, evidence.get(), &options, wanted);
    policy = Policy(learned);
    report = Report(out);
    return status;
  });
  py::object learned = py::none();
  if (policy.get() != nullptr) learned = py::cast(std::move(policy));
  return py::make_tuple(learned, std::move(report));
}

}  // namespace

void bind_evidence(py::module_& m) {
  py::class_<Evidence>(m, "Evidence", "Evidence of one node, gathered for an appraisal.")
      .def(py::init(&new_evidence), py::kw_only(), py::arg("quote") = py::none(),
           py::arg("keylime_quote") = py::none(), py::arg("ak") = py::none(),
           py::arg("eventlog") = py::none(), py::arg("ima") = py::none(),
           py::arg("launch_log") = py::none())
      .def("set_quote", &set_quote, py::arg("attest"), py::arg("signature"), py::arg("pcrs"),
           "As Quote.parse(). The key must be set first for a bare signature.")
      .def("set_keylime_quote", &set_keylime_quote, py::arg("text"), "As Quote.parse_keylime().")
      .def("set_ak", &set_ak, py::arg("ak"), "The attestation key: a Key, or as Key.load().")
      .def("set_eventlog", &set_eventlog, py::arg("log"), "The boot event log.")
      .def("set_launch_log", &set_launch_log, py::arg("log"),
           "The log of a dynamic launch, as EventLog.parse_launch().")
      .def("set_ima", &set_ima, py::arg("list"), py::arg("first_entry") = 0,
           "The IMA list: bytes, or a binary file or iterable that the next appraisal reads. It "
           "begins at first_entry, which is 0 or a Node's ima_entries.");

  m.def("appraise", &appraise, py::arg("evidence"), py::arg("policy") = py::none(), py::kw_only(),
        py::arg("nonce"), py::arg("now") = 0, py::arg("node") = py::none(),
        "Judges evidence by a policy. Only report.trusted is good news.");
  py::type::of<Policy>().attr("learn") = py::staticmethod(py::cpp_function(
      &learn, py::name("learn"), py::scope(py::type::of<Policy>()), py::arg("evidence"),
      py::kw_only(), py::arg("nonce"), py::arg("now") = 0, py::arg("profile") = "everything",
      py::arg("allow_sha1") = false,
      "Makes a policy from a known-good node's evidence; None and the reasons when it is not "
      "sound."));
}

}  // namespace binding
