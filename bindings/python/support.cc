// SPDX-License-Identifier: Apache-2.0

#include "support.h"

#include <cmath>
#include <new>

namespace binding {
namespace {

[[noreturn]] void raise(const char* exception, const py::str& message) {
  PyErr_SetObject(type(exception).ptr(), message.ptr());
  throw py::error_already_set();
}

// Why a call over the network failed, in a word that programs may ask for.
const char* reason_of(attest_status status) {
  switch (status) {
    case ATTEST_E_NETWORK:
      return "network";
    case ATTEST_E_PEER:
      return "peer";
    case ATTEST_E_TIMEOUT:
      return "timeout";
    case ATTEST_E_CANCELLED:
      return "cancelled";
    case ATTEST_E_HTTP:
      return "refused";
    case ATTEST_E_ANSWER:
      return "answer";
    default:
      return nullptr;
  }
}

[[noreturn]] void raise_network(const char* exception, const py::str& message, const char* reason,
                                int http_status) {
  py::object status = py::none();
  if (http_status != 0) status = py::int_(http_status);
  const py::object error = type(exception)(message, reason, status);
  PyErr_SetObject(type(exception).ptr(), error.ptr());
  throw py::error_already_set();
}

[[noreturn]] void raise_in_use() {
  raise("StateError", text("the object is in use by another call"));
}

}  // namespace

Reading::Reading(Use& use) : use_(use) {
  if (use.changing) raise_in_use();
  ++use.num_readers;
}

Changing::Changing(Use& use) : use_(use) {
  if (use.changing || use.num_readers != 0) raise_in_use();
  use.changing = true;
}

std::uint32_t milliseconds(double seconds) {
  constexpr double kMost = 4e6;
  if (!(seconds > 0)) throw py::value_error("the timeout is not more than 0 seconds");
  return static_cast<std::uint32_t>(std::ceil(std::fmin(seconds, kMost) * 1000));
}

Word::Word(const std::optional<std::string>& text) : text_(text) {
  if (text_ && text_->find('\0') != std::string::npos) {
    throw py::value_error("a text has a NUL in it");
  }
}

std::optional<std::string> str_or_none(const py::object& object, const char* why) {
  if (object.is_none()) return std::nullopt;
  if (!PyUnicode_Check(object.ptr())) throw py::type_error(why);
  return object.cast<std::string>();
}

Input::Input(const py::object& object, Accept accept) {
  if (accept == Accept::kBytesOrStr && PyUnicode_Check(object.ptr())) {
    Py_ssize_t size = 0;
    data_ = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
    if (data_ == nullptr) throw py::error_already_set();
    size_ = static_cast<std::size_t>(size);
    owner_ = object;
    return;
  }
  if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_CONTIG_RO | PyBUF_FORMAT) != 0) {
    throw py::error_already_set();
  }
  if (view_.itemsize != 1 || view_.ndim > 1) {
    PyBuffer_Release(&view_);
    throw py::type_error("a one-dimensional buffer of bytes is required");
  }
  size_ = static_cast<std::size_t>(view_.len);
  if (view_.buf != nullptr) data_ = static_cast<const char*>(view_.buf);
  if (view_.readonly == 0) {
    // Should the allocation fail, the destructor of this half-made object does not run.
    const std::unique_ptr<Py_buffer, void (*)(Py_buffer*)> release(&view_, &PyBuffer_Release);
    copy_.assign(data_, size_);
    data_ = copy_.data();
  }
}

Input::~Input() { PyBuffer_Release(&view_); }  // nothing to do when it holds none

const std::uint8_t* Input::data() const noexcept {
  return reinterpret_cast<const std::uint8_t*>(data_);
}

py::object type(const char* name) { return py::module_::import("libattest._types").attr(name); }

void check(attest_status status, const char* refused, const char* network) {
  if (status == ATTEST_OK) return;
  if (status == ATTEST_E_NO_MEMORY) throw std::bad_alloc();
  const py::str message = text(attest_last_error());
  if (const char* reason = reason_of(status)) {
    raise_network(network, message, reason, attest_last_http_status());
  }
  if (status == ATTEST_E_ARGUMENT) {
    PyErr_SetObject(PyExc_ValueError, message.ptr());
    throw py::error_already_set();
  }
  if (status == ATTEST_E_MALFORMED) raise("MalformedError", message);
  if (status == ATTEST_E_STATE) raise("StateError", message);
  if (status == ATTEST_E_REFUSED) raise(refused, message);
  if (status == ATTEST_E_FILE) raise("FileError", message);
  raise("Error", message);
}

py::str text(std::string_view utf8) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "backslashreplace");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

py::object text_or_none(const char* utf8) {
  if (utf8 == nullptr || *utf8 == '\0') return py::none();
  return text(utf8);
}

py::object bytes_or_none(const std::uint8_t* data, std::size_t size) {
  if (data == nullptr) return py::none();
  return py::bytes(reinterpret_cast<const char*>(data), size);
}

py::bytes take_bytes(attest_buffer* buffer) {
  const Owned<attest_buffer, attest_buffer_free> owned(buffer);
  return py::bytes(reinterpret_cast<const char*>(attest_buffer_data(buffer)),
                   attest_buffer_size(buffer));
}

py::str take_text(attest_buffer* buffer) {
  const Owned<attest_buffer, attest_buffer_free> owned(buffer);
  return text(
      {reinterpret_cast<const char*>(attest_buffer_data(buffer)), attest_buffer_size(buffer)});
}

py::dict take_pcrs(attest_pcrs* pcrs) {
  const Owned<attest_pcrs, attest_pcrs_free> owned(pcrs);
  py::dict banks;
  for (std::size_t i = 0; i < attest_pcrs_count(pcrs); ++i) {
    attest_hash bank = ATTEST_HASH_NONE;
    std::uint32_t pcr = 0;
    const std::uint8_t* value = nullptr;
    std::size_t value_len = 0;
    check(attest_pcrs_at(pcrs, i, &bank, &pcr, &value, &value_len));
    const char* name = attest_hash_name(bank);
    const py::str key(name == nullptr ? "unknown" : name);
    banks.attr("setdefault")(key, py::dict())[py::int_(pcr)] = bytes_or_none(value, value_len);
  }
  return banks;
}

}  // namespace binding
