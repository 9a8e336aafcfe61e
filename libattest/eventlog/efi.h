// SPDX-License-Identifier: Apache-2.0

// UEFI's own structures inside events' data: GUIDs, UTF-16, signature lists, device paths.
// UEFI 2.10.

#ifndef LIBATTEST_EVENTLOG_EFI_H_
#define LIBATTEST_EVENTLOG_EFI_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "libattest/base/reader.h"

namespace attest::eventlog {

// EFI_GUID as it stands in memory: the first three fields are little-endian.
using Guid = std::array<std::uint8_t, 16>;
std::string guid_text(Bytes guid);  // "8be4df61-93ca-11d2-aa0d-00e098032b8c"
bool is_guid(Bytes bytes, const Guid& guid) noexcept;

// 8be4df61-93ca-11d2-aa0d-00e098032b8c: SecureBoot, PK, KEK (UEFI 3.3).
inline constexpr Guid kEfiGlobalVariable{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                         0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
// d719b2cb-3d3a-4596-a3bc-dad00e67656f: db, dbx (UEFI 32.6).
inline constexpr Guid kImageSecurityDatabase{0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
                                             0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f};
// 605dab50-e046-4300-abb6-3dd810dd8b23: shim's own variables.
inline constexpr Guid kShimLock{0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43,
                                0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23};

// UTF-16LE as UTF-8. A surrogate without its other half comes out as three bytes that are no UTF-8,
// which printable() escapes; an odd last byte is dropped.
std::string utf8_of_utf16(Bytes text);

// UEFI 32.4.1. What a signature is, by its list's type.
enum class SignatureKind : std::uint8_t { kOther, kX509, kSha256, kSha384, kSha512 };
struct Signature {
  SignatureKind kind = SignatureKind::kOther;
  Bytes type;   // GUID
  Bytes owner;  // GUID
  Bytes data;   // a DER certificate or a hash, by kind
};

// Whether the bytes are one DER SEQUENCE with a two-byte length, as certificates are.
bool is_der_certificate(Bytes in) noexcept;

// Walks over the signatures of EFI_SIGNATURE_LISTs that fill a variable, which may be none.
class SignatureLists {
 public:
  explicit SignatureLists(Bytes in);
  // Nothing at the end. Throws ParseError at a list that is malformed.
  std::optional<Signature> next();

 private:
  void begin_list();

  Reader in_;
  Reader list_;  // what is left of the list's signatures
  Signature current_;
  std::uint32_t signature_size_ = 0;
};

// The UTF-16LE text of the last file path node (UEFI 10.3.5.4) of a device path; empty where there
// is none, or where the path stops making sense before it.
Bytes file_of_device_path(Bytes device_path) noexcept;

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_EFI_H_
