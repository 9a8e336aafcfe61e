// SPDX-License-Identifier: Apache-2.0

// Collects what an ima::ListReader gives to its sink, in values that outlive it.
#ifndef LIBATTEST_TESTS_SUPPORT_IMA_ENTRIES_H_
#define LIBATTEST_TESTS_SUPPORT_IMA_ENTRIES_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libattest/base/text.h"
#include "libattest/ima/list.h"

namespace ima_test {

struct KeptDigest {
  attest::ima::DigestKind kind{};
  std::string algorithm;
  std::string value;

  friend bool operator==(const KeptDigest&, const KeptDigest&) = default;
};

// An Entry with its bytes.
struct Kept {
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  std::uint32_t pcr = 0;
  std::string header_digest;
  bool violation = false;
  std::string template_name;
  bool known = false;
  std::string data;
  KeptDigest digest;
  std::string name;
  bool has_signature_field = false;
  std::string signature;
  bool has_buffer_field = false;
  std::string buffer;
  std::optional<KeptDigest> modsig_digest;
  std::string modsig;
  std::string evm_signature;

  friend bool operator==(const Kept&, const Kept&) = default;
};

inline KeptDigest keep(const attest::ima::FileDigest& d) {
  return {d.kind, std::string(d.algorithm), std::string(attest::as_text(d.value))};
}

inline Kept keep(const attest::ima::Entry& e) {
  const auto text = [](attest::Bytes b) { return std::string(attest::as_text(b)); };
  Kept k;
  k.index = e.index;
  k.offset = e.offset;
  k.pcr = e.pcr;
  k.header_digest = text(e.header_digest);
  k.violation = e.violation;
  k.template_name = e.template_name;
  k.known = e.known;
  k.data = text(e.template_data);
  k.digest = keep(e.digest);
  k.name = e.name;
  k.has_signature_field = e.has_signature_field;
  k.signature = text(e.signature);
  k.has_buffer_field = e.has_buffer_field;
  k.buffer = text(e.buffer);
  if (e.modsig_digest) k.modsig_digest = keep(*e.modsig_digest);
  k.modsig = text(e.modsig);
  k.evm_signature = text(e.evm_signature);
  return k;
}

// What became of a list: its entries, and the error that ended it.
struct Outcome {
  std::vector<Kept> entries;
  std::string error;
  std::size_t error_offset = 0;
  attest::ima::ListFormat format{};
  std::optional<attest::crypto::Hash> bank;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Reads `list` in chunks that `next_size` sizes (0 is taken for 1).
template <typename NextSize>
Outcome read_list(attest::Bytes list, NextSize next_size,
                  attest::ima::ListFormat format = attest::ima::ListFormat::kDetect,
                  std::optional<attest::crypto::Hash> bank = std::nullopt) {
  class Sink : public attest::ima::EntrySink {
   public:
    explicit Sink(std::vector<Kept>& to) : to_(to) {}
    void entry(const attest::ima::Entry& e) override { to_.push_back(keep(e)); }

   private:
    std::vector<Kept>& to_;
  };
  Outcome out;
  Sink sink(out.entries);
  attest::ima::ListReader reader(sink, format, bank);
  try {
    while (!list.empty()) {
      const std::size_t size = std::clamp<std::size_t>(next_size(), 1, list.size());
      // A copy of the chunk's own size: reading past it is seen by a sanitizer.
      const std::vector<std::uint8_t> chunk(list.begin(),
                                            list.begin() + static_cast<std::ptrdiff_t>(size));
      reader.feed(chunk);
      list = list.subspan(size);
    }
    reader.finish();
  } catch (const attest::ParseError& e) {
    out.error = e.what();
    out.error_offset = e.offset();
  }
  out.format = reader.format();
  out.bank = reader.bank();
  return out;
}

inline Outcome read_list(attest::Bytes list,
                         attest::ima::ListFormat format = attest::ima::ListFormat::kDetect,
                         std::optional<attest::crypto::Hash> bank = std::nullopt) {
  return read_list(
      list, [&] { return list.size(); }, format, bank);
}

}  // namespace ima_test

#endif  // LIBATTEST_TESTS_SUPPORT_IMA_ENTRIES_H_
