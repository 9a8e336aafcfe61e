// SPDX-License-Identifier: Apache-2.0

// Lines of an ascii measurement list, back into the bytes that the kernel printed them from.
// Linux: security/integrity/ima/ima_fs.c, ima_ascii_measurements_show().

#ifndef LIBATTEST_IMA_ASCII_H_
#define LIBATTEST_IMA_ASCII_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/ima/template.h"

namespace attest::ima {

// Views into the line, but for the vectors' bytes. Kept from line to line for its memory.
struct AsciiRecord {
  std::uint32_t pcr = 0;
  crypto::Digest header_digest;
  std::string_view template_name;
  const Template* found = nullptr;  // null: unknown, and nothing below is filled
  // Template data of all templates but "ima".
  std::vector<std::uint8_t> data;
  // Template "ima": digest and name instead.
  std::vector<std::uint8_t> digest;
  std::string_view name;

  std::vector<std::uint8_t> value;  // parse_line's own: the field it is at
};

// `line` is without its newline; `number` is for errors. What the fields mean is not looked at here
// (parse_fields does that on `data`).
void parse_line(std::string_view line, std::uint64_t number, TemplateCache& templates,
                AsciiRecord& out);

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_ASCII_H_
