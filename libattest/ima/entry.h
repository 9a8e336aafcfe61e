// SPDX-License-Identifier: Apache-2.0

// One record of an IMA measurement list, parsed. Linux: security/integrity/ima/ima_template*.c and
// Documentation/security/IMA-templates.rst.

#ifndef LIBATTEST_IMA_ENTRY_H_
#define LIBATTEST_IMA_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"

namespace attest::ima {

// What a file digest is a digest of: d-ngv2's prefix. A plain d or d-ng is of the file's content.
enum class DigestKind : std::uint8_t { kContent, kVerity };

struct FileDigest {
  DigestKind kind = DigestKind::kContent;
  std::string_view algorithm;  // the kernel's name, "sha256"; "sha1" for template "ima"
  Bytes value;                 // of the algorithm's size (a violation's may have 20 bytes)
};

// Views into the reader's buffer: valid during EntrySink::entry only.
struct Entry {
  std::uint64_t index = 0;   // position in the list, from 0
  std::uint64_t offset = 0;  // of the record, from the start of the list
  std::uint32_t pcr = 0;
  bool violation = false;  // all-zero header digest: the template data is covered by nothing
  // A template name and format that libattest knows. Otherwise only what stands above digest is
  // filled, template_data in a binary list only.
  bool known = false;
  bool has_signature_field = false;
  bool has_buffer_field = false;
  Bytes header_digest;  // as the list says; nothing folds it into a PCR
  std::string_view template_name;
  // The bytes that the kernel hashes, for template "ima" already padded to 276 bytes. Empty for an
  // unknown template in an ascii list, which can not be replayed.
  Bytes template_data;

  // Fields, each filled when the template has it; empty values stay empty.
  FileDigest digest;      // d, d-ng, d-ngv2
  std::string_view name;  // n, n-ng: without the NUL
  Bytes signature;        // sig: security.ima, or an EVM portable signature in its place
  Bytes buffer;           // buf
  std::optional<FileDigest> modsig_digest;  // d-modsig, when not empty
  Bytes modsig;
  Bytes evm_signature;  // evmsig
};

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_ENTRY_H_
