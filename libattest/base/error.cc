// SPDX-License-Identifier: Apache-2.0

#include "libattest/base/error.h"

namespace attest {
namespace {

std::string join(std::string_view format, std::string_view place, std::string_view why) {
  std::string m(format);
  m.append(": ").append(place).append(": ").append(why);
  return m;
}

}  // namespace

ParseError::ParseError(std::string_view format, std::size_t offset, std::string_view field,
                       std::string_view why)
    : std::runtime_error(
          join(format, "byte " + std::to_string(offset) + ": " + std::string(field), why)),
      offset_(offset) {}

ParseError::ParseError(std::string_view format, std::string_view place, std::string_view why)
    : std::runtime_error(join(format, place, why)) {}

}  // namespace attest
