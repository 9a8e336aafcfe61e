// SPDX-License-Identifier: Apache-2.0

// Makes event logs for tests: valid ones, of which a test then breaks one rule.
#ifndef LIBATTEST_TESTS_SUPPORT_EVENTLOG_BUILDER_H_
#define LIBATTEST_TESTS_SUPPORT_EVENTLOG_BUILDER_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "libattest/eventlog/efi.h"
#include "libattest/eventlog/types.h"
#include "tests/support/bytes.h"

namespace eventlog_builder {

using Data = std::vector<std::uint8_t>;
using attest::Bytes;
using attest::crypto::Hash;

inline Data text(std::string_view s) { return Writer().text(s).out; }
inline Data utf16(std::string_view ascii) {
  Writer w;
  for (const char c : ascii) w.le(static_cast<std::uint16_t>(c));
  return w.out;
}
inline Data cat(const Data& a, const Data& b) { return Writer().bytes(a).bytes(b).out; }

// UEFI_VARIABLE_DATA
inline Data variable(const attest::eventlog::Guid& guid, std::string_view name, const Data& data) {
  return Writer()
      .bytes(guid)
      .le(std::uint64_t{name.size()})
      .le(std::uint64_t{data.size()})
      .bytes(utf16(name))
      .bytes(data)
      .out;
}

inline constexpr attest::eventlog::Guid kX509Type{0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                                  0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};
inline constexpr attest::eventlog::Guid kSha256Type{0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
                                                    0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28};
inline constexpr attest::eventlog::Guid kOwner{0xee};

// EFI_SIGNATURE_LIST; the entries, which have one size, come with their owners.
inline Data signature_list(const attest::eventlog::Guid& type, const std::vector<Data>& entries,
                           const Data& header = {}) {
  const std::size_t size = entries.empty() ? 48 : entries[0].size();
  Writer w;
  w.bytes(type);
  w.le(static_cast<std::uint32_t>(28 + header.size() + size * entries.size()));
  w.le(static_cast<std::uint32_t>(header.size())).le(static_cast<std::uint32_t>(size));
  w.bytes(header);
  for (const Data& e : entries) w.bytes(e);
  return w.out;
}
// EFI_SIGNATURE_DATA
inline Data signature(const Data& value) { return Writer().bytes(kOwner).bytes(value).out; }
// Something of a certificate's shape: a DER SEQUENCE of a two-byte length.
inline Data certificate(std::uint8_t filler = 0x5a) {
  return Writer().raw({0x30, 0x82}).be(std::uint16_t{300}).fill(300, filler).out;
}

// UEFI_IMAGE_LOAD_EVENT
inline Data image_load(const Data& device_path) {
  return Writer()
      .le(std::uint64_t{0x1000})
      .le(std::uint64_t{0x2000})
      .le(std::uint64_t{0})
      .le(std::uint64_t{device_path.size()})
      .bytes(device_path)
      .out;
}
// A device path of one file path node and the end.
inline Data file_path(std::string_view file) {
  const Data name = cat(utf16(file), {0, 0});
  return Writer()
      .raw({4, 4})
      .le(static_cast<std::uint16_t>(4 + name.size()))
      .bytes(name)
      .raw({0x7f, 0xff, 4, 0})
      .out;
}

// UEFI_GPT_DATA with entries of 128 bytes.
inline Data gpt(std::uint64_t num_partitions) {
  Writer w;
  w.text("EFI PART").le(std::uint32_t{0x10000}).le(std::uint32_t{92}).fill(40, 0);
  w.fill(16, 0x77).fill(8, 0).le(std::uint32_t{128}).le(std::uint32_t{128}).fill(4, 0);
  return w.le(num_partitions).fill(num_partitions * 128, 0x11).out;
}

// TCG_PCClientTaggedEvent
inline Data tagged(std::uint32_t id, const Data& data) {
  return Writer().le(id).le(static_cast<std::uint32_t>(data.size())).bytes(data).out;
}

class LogBuilder {
 public:
  // A crypto-agile log of `banks`, beginning with its header; the SHA-1 format where there are
  // none.
  explicit LogBuilder(std::vector<Hash> banks) : banks_(std::move(banks)) {
    if (!banks_.empty()) sha1_record(0, attest::eventlog::kEvNoAction, {}, spec_id(banks_));
  }

  static Data spec_id(const std::vector<Hash>& banks) {
    Writer w;
    w.text("Spec ID Event03").raw({0}).le(std::uint32_t{0}).raw({0, 2, 0, 2});
    w.le(static_cast<std::uint32_t>(banks.size()));
    for (const Hash bank : banks) {
      w.le(static_cast<std::uint16_t>(bank));
      w.le(static_cast<std::uint16_t>(attest::crypto::hash_size(bank)));
    }
    return w.raw({0}).out;
  }

  // An event whose digests are those of `measured`.
  LogBuilder& measured(std::uint32_t pcr, std::uint32_t type, const Data& data,
                       const Data& measured) {
    if (banks_.empty()) {
      sha1_record(pcr, type, attest::crypto::Hasher(Hash::kSha1)(measured).bytes(), data);
      return *this;
    }
    w_.le(pcr).le(type).le(static_cast<std::uint32_t>(banks_.size()));
    for (const Hash bank : banks_) {
      w_.le(static_cast<std::uint16_t>(bank));
      w_.bytes(attest::crypto::Hasher(bank)(measured).bytes());
    }
    w_.le(static_cast<std::uint32_t>(data.size())).bytes(data);
    return *this;
  }
  // An event whose digests are those of its data.
  LogBuilder& event(std::uint32_t pcr, std::uint32_t type, const Data& data) {
    return measured(pcr, type, data, data);
  }
  // An event with all bytes of its digests the same.
  LogBuilder& filled(std::uint32_t pcr, std::uint32_t type, const Data& data, std::uint8_t value) {
    if (banks_.empty()) {
      sha1_record(pcr, type, attest::crypto::Digest::filled(20, value).bytes(), data);
      return *this;
    }
    w_.le(pcr).le(type).le(static_cast<std::uint32_t>(banks_.size()));
    for (const Hash bank : banks_) {
      w_.le(static_cast<std::uint16_t>(bank)).fill(attest::crypto::hash_size(bank), value);
    }
    w_.le(static_cast<std::uint32_t>(data.size())).bytes(data);
    return *this;
  }
  LogBuilder& no_action(const Data& data) {
    return filled(0, attest::eventlog::kEvNoAction, data, 0);
  }
  LogBuilder& startup_locality(std::uint8_t locality) {
    return no_action(Writer().text("StartupLocality").raw({0, locality}).out);
  }
  LogBuilder& action(std::uint32_t pcr, std::string_view words) {
    return event(pcr, attest::eventlog::kEvEfiAction, text(words));
  }
  LogBuilder& separators(std::uint32_t first = 0, std::uint32_t last = 7) {
    for (std::uint32_t pcr = first; pcr <= last; ++pcr) {
      event(pcr, attest::eventlog::kEvSeparator, {0, 0, 0, 0});
    }
    return *this;
  }
  LogBuilder& exit_boot_services() {
    return action(5, "Exit Boot Services Invocation")
        .action(5, "Exit Boot Services Returned with Success");
  }
  LogBuilder& raw(const Data& bytes) {
    w_.bytes(bytes);
    return *this;
  }

  const Data& bytes() const { return w_.out; }

 private:
  void sha1_record(std::uint32_t pcr, std::uint32_t type, Bytes digest, const Data& data) {
    w_.le(pcr).le(type);
    if (digest.empty()) {
      w_.fill(20, 0);
    } else {
      w_.bytes(digest);
    }
    w_.le(static_cast<std::uint32_t>(data.size())).bytes(data);
  }

  std::vector<Hash> banks_;
  Writer w_;
};

}  // namespace eventlog_builder

#endif  // LIBATTEST_TESTS_SUPPORT_EVENTLOG_BUILDER_H_
