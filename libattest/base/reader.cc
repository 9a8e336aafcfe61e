// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/reader.h"

namespace attest {

void Reader::fail(std::string_view field, std::string_view why) const {
  throw ParseError(format_, offset(), field, why);
}

}  // namespace attest
