// SPDX-License-Identifier: Apache-2.0

// The error for input that is not of its format. Input that is well formed but
// not trusted is a Finding (policy/finding.h), or a RefusedError where there is
// no report to put one into.

#ifndef LIBATTEST_BASE_ERROR_H_
#define LIBATTEST_BASE_ERROR_H_

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace attest {

// what() is one line that names the format, the place, the field and what is wrong:
// "TPMS_ATTEST: byte 12: extraData: larger than its type allows".
class ParseError : public std::runtime_error {
 public:
  // A place in a binary format, as a byte offset from the start of the input.
  ParseError(std::string_view format, std::size_t offset, std::string_view field,
             std::string_view why);
  // A place in a text format, in that format's own words: "line 12", "/pcrs/0".
  ParseError(std::string_view format, std::string_view place, std::string_view why);

  // Byte offset from the start of the input; 0 for text formats. Never past the input's end.
  std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_ = 0;
};

// Input that is well formed and must not be trusted: an endorsement key or a certificate chain that
// fails a check. what() is one line that says which.
class RefusedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file that can not be read, or not be written as a whole. what() is one line that names it.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace attest

#endif  // LIBATTEST_BASE_ERROR_H_
