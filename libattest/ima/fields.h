// SPDX-License-Identifier: Apache-2.0

// Template data into an entry's fields. Linux: security/integrity/ima/ima_template_lib.c.

#ifndef LIBATTEST_IMA_FIELDS_H_
#define LIBATTEST_IMA_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/ima/entry.h"
#include "libattest/ima/template.h"

namespace attest::ima {

// Where a record is, for errors: a line of an ascii list, or a byte of a binary one.
struct Place {
  std::uint64_t line = 0;  // 0: a binary list
  std::size_t offset = 0;  // of the bytes in hand, from the start of a binary list

  [[noreturn]] void fail(std::size_t at, std::string_view field, std::string_view why) const;
};

// Fills `entry` from all of `data`, which is a u32 length and bytes for each of the template's
// fields. entry.violation must be set already. Not for template "ima".
void parse_fields(const Template& t, Bytes data, const Place& place, Entry& entry);

// The same for template "ima", whose digest and name stand bare.
void parse_legacy_fields(Bytes digest, Bytes name, const Place& place, Entry& entry);

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_FIELDS_H_
