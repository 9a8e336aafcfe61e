// SPDX-License-Identifier: Apache-2.0

// What every file of the binding stands on: handles that own, arguments as bytes, statuses as
// exceptions, and the rule that keeps two threads from changing one object.

#ifndef BINDINGS_PYTHON_SUPPORT_H_
#define BINDINGS_PYTHON_SUPPORT_H_

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "libattest/attest.h"

namespace binding {

namespace py = pybind11;

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* handle) const noexcept {
    kFree(handle);
  }
};
template <typename T, auto kFree>
using Owned = std::unique_ptr<T, Free<kFree>>;

// Objects that calls without the GIL change: their C functions want one thread at a time, and a
// Python program must not be able to break that. Counted under the GIL, so plain numbers do. A
// second caller gets a StateError instead of waiting: it may be the first one's own callback.
struct Use {
  unsigned num_readers = 0;
  bool changing = false;
};
class Reading {
 public:
  explicit Reading(Use& use);
  ~Reading() { --use_.num_readers; }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Use& use_;
};
class Changing {
 public:
  explicit Changing(Use& use);
  ~Changing() { use_.changing = false; }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

 private:
  Use& use_;
};

// pybind11 binds complete types only, and the library's are opaque: this owns one.
template <typename T, auto kFree>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* made) : made_(made) {}

  T* get() const noexcept { return made_.get(); }
  Use use;

  // For Key.__new__(Key), pybind11 allocates an object and constructs none. It finds zeros, which
  // are a NULL handle, which the library refuses.
  static void* operator new(std::size_t size) { return std::memset(::operator new(size), 0, size); }
  static void operator delete(void* memory) { ::operator delete(memory); }

 private:
  Owned<T, kFree> made_;
};

using Key = Handle<attest_key, attest_key_free>;
using EndorsementKey = Handle<attest_ek, attest_ek_free>;
using Quote = Handle<attest_quote, attest_quote_free>;
using EventLog = Handle<attest_eventlog, attest_eventlog_free>;
using Report = Handle<attest_report, attest_report_free>;
using Ima = Handle<attest_ima, attest_ima_free>;
using Policy = Handle<attest_policy, attest_policy_free>;
using Node = Handle<attest_node, attest_node_free>;

// Seconds, as Python counts them. Less than a millisecond is one.
std::uint32_t milliseconds(double seconds);

// A text of Python's, or NULL for None.
class Word {
 public:
  explicit Word(const std::optional<std::string>& text);
  const char* get() const noexcept { return text_ ? text_->c_str() : nullptr; }

 private:
  std::optional<std::string> text_;
};

// The text of a str, or nothing of None. Throws a TypeError of the words `why`.
std::optional<std::string> str_or_none(const py::object& object, const char* why);

enum class Accept { kBytes, kBytesOrStr };

// The bytes of an argument, valid without the GIL. What Python code could write to meanwhile is
// copied.
class Input {
 public:
  explicit Input(const py::object& object, Accept accept = Accept::kBytes);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  const std::uint8_t* data() const noexcept;
  const char* text() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  py::object owner_;
  Py_buffer view_{};
  std::string copy_;
  const char* data_ = "";
  std::size_t size_ = 0;
};

// The same of an argument that may be None: NULL.
class OptionalInput {
 public:
  explicit OptionalInput(const py::object& object) {
    if (!object.is_none()) input_.emplace(object, Accept::kBytesOrStr);
  }
  const char* data() const noexcept { return input_ ? input_->text() : nullptr; }
  std::size_t size() const noexcept { return input_ ? input_->size() : 0; }

 private:
  std::optional<Input> input_;
};

// libattest._types: the enumerations, records and exceptions that are written in Python.
py::object type(const char* name);

// The exception of a status, with attest_last_error() as its text. `refused` is the class for
// ATTEST_E_REFUSED, `network` that for the statuses of calls over the network.
void check(attest_status status, const char* refused = "RefusedError",
           const char* network = "KeylimeError");

// Python before 3.14 ends a thread that wants the GIL while the interpreter exits. That unwinds the
// stack, and C++ ends the whole process with abort() when it comes through pybind11. Such a thread
// sleeps here instead, as it does in Python 3.14.
template <typename TakeGil>
auto or_sleep(TakeGil take_gil) {
  try {
    return take_gil();
  } catch (...) {  // nothing else comes out of Python's C functions
    while (true) pause();
  }
}

// Calls without the GIL.
template <typename Call>
attest_status run_unchecked(Call call) {
  PyThreadState* const thread = PyEval_SaveThread();
  const attest_status status = call();
  or_sleep([&] { PyEval_RestoreThread(thread); });
  return status;
}
template <typename Call>
void run(Call call) {
  check(run_unchecked(call));
}

template <typename Enum>
Enum number(const char* enumeration, const py::object& value) {
  return static_cast<Enum>(type(enumeration)(value).template cast<int>());
}

py::str text(std::string_view utf8);
py::object text_or_none(const char* utf8);                             // None for NULL and ""
py::object bytes_or_none(const std::uint8_t* data, std::size_t size);  // None for NULL
py::str take_text(attest_buffer* buffer);                              // frees `buffer`
py::bytes take_bytes(attest_buffer* buffer);                           // frees `buffer`
py::dict take_pcrs(attest_pcrs* pcrs);                                 // frees `pcrs`
py::object finding(const attest_finding& finding);

void bind_base(py::module_& m);
void bind_report(py::module_& m);
void bind_quote(py::module_& m);
void bind_ek(py::module_& m);
void bind_logs(py::module_& m);
void bind_policy(py::module_& m);
void bind_evidence(py::module_& m);
void bind_keylime(py::module_& m);
void bind_oat(py::module_& m);
void bind_boot(py::module_& m);
void bind_hosts(py::module_& m);

}  // namespace binding

#endif  // BINDINGS_PYTHON_SUPPORT_H_
