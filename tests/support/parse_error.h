// SPDX-License-Identifier: Apache-2.0

// What a parser says about malformed input.
#ifndef LIBATTEST_TESTS_SUPPORT_PARSE_ERROR_H_
#define LIBATTEST_TESTS_SUPPORT_PARSE_ERROR_H_

#include <string>

#include "libattest/base/error.h"

// The words of the ParseError that `parse` throws, or "accepted". Other exceptions pass through and
// fail the test: malformed input must not cause them.
template <typename Parse>
std::string parse_error_of(Parse parse) {
  try {
    (void)parse();
  } catch (const attest::ParseError& e) {
    return e.what();
  }
  return "accepted";
}

#endif  // LIBATTEST_TESTS_SUPPORT_PARSE_ERROR_H_
