// SPDX-License-Identifier: Apache-2.0

// Translates an exclude pattern from Python's syntax to RE2's, in the subset that means the same to
// both; everything outside it is refused by name. The translation is written anew construct by
// construct, so that nothing reaches RE2 that was not understood here.

#ifndef LIBATTEST_POLICY_PATTERN_H_
#define LIBATTEST_POLICY_PATTERN_H_

#include <stdexcept>
#include <string>
#include <string_view>

namespace attest::policy {

class PatternError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// For RE2 in Latin-1: a byte of the pattern is a byte of the path. \d, \w and \s are ASCII's. `$`
// and \Z are the very end (Python's `$` also stands before a final newline). Throws PatternError
// with the construct and its column.
std::string translate_pattern(std::string_view pattern);

}  // namespace attest::policy

#endif  // LIBATTEST_POLICY_PATTERN_H_
