// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/efi.h"

#include <algorithm>

#include "libattest/base/hex.h"

namespace attest::eventlog {
namespace {

constexpr std::string_view kListFormat = "EFI_SIGNATURE_LIST";
constexpr std::size_t kListHeader = 28;

// UEFI 32.4.1.1: the signature types of which something more than the GUID is said.
struct KnownType {
  Guid guid;
  SignatureKind kind;
  std::size_t hash_size;  // 0: any size
};
constexpr std::array kKnownTypes{
    // a5c059a1-94e4-4aa7-87b5-ab155c2bf072
    KnownType{{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b,
               0xf0, 0x72},
              SignatureKind::kX509,
              0},
    // c1c41626-504c-4092-aca9-41f936934328
    KnownType{{0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93,
               0x43, 0x28},
              SignatureKind::kSha256,
              32},
    // ff3e5307-9fd0-48c9-85f1-8ad56c701e01
    KnownType{{0x07, 0x53, 0x3e, 0xff, 0xd0, 0x9f, 0xc9, 0x48, 0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70,
               0x1e, 0x01},
              SignatureKind::kSha384,
              48},
    // 093e0fae-a6c4-4f50-9f1b-d41e2b89c19a
    KnownType{{0xae, 0x0f, 0x3e, 0x09, 0xc4, 0xa6, 0x50, 0x4f, 0x9f, 0x1b, 0xd4, 0x1e, 0x2b, 0x89,
               0xc1, 0x9a},
              SignatureKind::kSha512,
              64},
};

const KnownType* known_type(Bytes guid) noexcept {
  for (const KnownType& type : kKnownTypes) {
    if (is_guid(guid, type.guid)) return &type;
  }
  return nullptr;
}

// RFC 3629, section 3, and for a lone surrogate the same bits, which are no UTF-8.
void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0U | c >> 6U);
    return put(0x80U | (c & 0x3fU));
  }
  if (c < 0x10000) {
    put(0xe0U | c >> 12U);
  } else {
    put(0xf0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3fU));
  }
  put(0x80U | (c >> 6U & 0x3fU));
  put(0x80U | (c & 0x3fU));
}

}  // namespace

std::string guid_text(Bytes guid) {
  constexpr std::array<std::size_t, 16> kOrder{3, 2, 1,  0,  5,  4,  7,  6,
                                               8, 9, 10, 11, 12, 13, 14, 15};
  std::string out;
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.append(to_hex(guid.subspan(kOrder[i], 1)));
  }
  return out;
}

bool is_guid(Bytes bytes, const Guid& guid) noexcept { return std::ranges::equal(bytes, guid); }

bool is_der_certificate(Bytes in) noexcept {
  constexpr std::size_t kHeader = 4;
  if (in.size() < kHeader || in[0] != 0x30 || in[1] != 0x82) return false;
  return in.size() - kHeader == static_cast<std::size_t>(in[2] << 8U | in[3]);
}

std::string utf8_of_utf16(Bytes text) {
  const auto unit = [&](std::size_t i) {
    return static_cast<std::uint32_t>(text[i * 2] | text[i * 2 + 1] << 8U);
  };
  const std::size_t units = text.size() / 2;
  std::string out;
  out.reserve(units);
  for (std::size_t i = 0; i < units; ++i) {
    std::uint32_t c = unit(i);
    const bool high = c >= 0xd800 && c <= 0xdbff;
    if (high && i + 1 < units && unit(i + 1) >= 0xdc00 && unit(i + 1) <= 0xdfff) {
      c = 0x10000 + ((c - 0xd800) << 10U) + (unit(i + 1) - 0xdc00);
      ++i;
    }
    append_utf8(out, c);
  }
  return out;
}

SignatureLists::SignatureLists(Bytes in) : in_(in, kListFormat), list_({}, kListFormat) {
  // Firmware logs an empty database as no bytes, or as fewer than one list's header has.
  if (in.size() < kListHeader) in_.rest();
}

// The vendor's header lies between the list's own and the signatures: its bytes are no signatures
// (GHSA-9r4w-jg96-92mv).
void SignatureLists::begin_list() {
  current_.type = in_.take(sizeof(Guid), "SignatureType");
  const std::uint32_t list_size = in_.u32le("SignatureListSize");
  const std::uint32_t header_size = in_.u32le("SignatureHeaderSize");
  signature_size_ = in_.u32le("SignatureSize");
  if (list_size < kListHeader) in_.fail("SignatureListSize", "smaller than the list's header");
  list_ = in_.sub(list_size - kListHeader, "SignatureListSize");
  list_.take(header_size, "SignatureHeader");
  if (signature_size_ <= sizeof(Guid)) list_.fail("SignatureSize", "no room behind its owner");
  if (list_.done() || list_.remaining() % signature_size_ != 0) {
    list_.fail("SignatureSize", "signatures do not fill the list");
  }
  const KnownType* known = known_type(current_.type);
  current_.kind = known != nullptr ? known->kind : SignatureKind::kOther;
  if (known != nullptr && known->hash_size != 0 &&
      signature_size_ != sizeof(Guid) + known->hash_size) {
    list_.fail("SignatureSize", "not the size of the list's hashes");
  }
}

std::optional<Signature> SignatureLists::next() {
  if (list_.done()) {
    if (in_.done()) return std::nullopt;
    begin_list();
  }
  current_.owner = list_.take(sizeof(Guid), "SignatureOwner");
  current_.data = list_.take(signature_size_ - sizeof(Guid), "SignatureData");
  return current_;
}

Bytes file_of_device_path(Bytes device_path) noexcept {
  constexpr std::uint8_t kMedia = 4;
  constexpr std::uint8_t kFilePath = 4;
  constexpr std::size_t kNodeHeader = 4;
  Bytes file;
  Bytes rest = device_path;
  while (rest.size() >= kNodeHeader) {
    const std::size_t size = static_cast<std::size_t>(rest[2] | rest[3] << 8U);
    if (size < kNodeHeader || size > rest.size()) break;
    if (rest[0] == kMedia && rest[1] == kFilePath) {
      file = rest.subspan(kNodeHeader, size - kNodeHeader);
    }
    rest = rest.subspan(size);
  }
  if (file.size() >= 2 && file[file.size() - 1] == 0 && file[file.size() - 2] == 0) {
    file = file.first(file.size() - 2);
  }
  return file;
}

}  // namespace attest::eventlog
