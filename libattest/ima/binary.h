// SPDX-License-Identifier: Apache-2.0

// Framing of a binary measurement list: where a record ends and what its outer fields are.
// Linux: security/integrity/ima/ima_fs.c, ima_measurements_show().

#ifndef LIBATTEST_IMA_BINARY_H_
#define LIBATTEST_IMA_BINARY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/ima/fields.h"

namespace attest::ima {

// A record of a binary list, or how much of one is there.
struct Frame {
  // Bytes of the whole record; while `cut` is not empty, the least that must be there to go on.
  std::size_t size = 0;
  std::string_view cut;  // the field inside which the input ends

  std::uint32_t pcr = 0;
  Bytes header_digest;
  std::string_view template_name;
  // Template data, and its offset in the list. Of template "ima", which has no lengths there,
  // digest and name instead.
  Bytes data;
  std::size_t data_offset = 0;
  bool legacy = false;
  Bytes digest;
  Bytes name;
};

// The record at the front of `in`, which is `offset` bytes into the list and whose header digest
// has `digest_size` bytes. Throws ParseError as soon as what is there can not be a record's
// beginning.
Frame frame_record(Bytes in, std::size_t digest_size, std::size_t offset);

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_BINARY_H_
