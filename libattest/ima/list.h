// SPDX-License-Identifier: Apache-2.0

// Reading an IMA measurement list, binary or ascii, in chunks of any size. Memory is bounded by the
// largest record (16 MiB of template data), not by the list. Nothing is verified here but that the
// records are of their templates: header digests and PCR are replay.h's.

#ifndef LIBATTEST_IMA_LIST_H_
#define LIBATTEST_IMA_LIST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"
#include "libattest/ima/entry.h"

namespace attest::ima {

// Numbers are part of the C ABI (attest_ima_format).
enum class ListFormat : std::uint8_t { kDetect = 0, kBinary = 1, kAscii = 2 };

class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // Called once a record, in the list's order. May throw: the reader is then unusable.
  virtual void entry(const Entry& entry) = 0;

 protected:
  EntrySink() = default;
  EntrySink(const EntrySink&) = default;
  EntrySink& operator=(const EntrySink&) = default;
};

class ListReader {
 public:
  // `sink` must outlive the reader. `bank` is the algorithm of the header digests; nothing: found
  // out from the first record, whose digest must then check. Where it can not (a violation, an
  // unknown template in an ascii list), it is SHA-1, SHA-256, SHA-384 or SHA-512, by its size.
  // `first` is the index of the first record, for a list whose front is not here.
  explicit ListReader(EntrySink& sink, ListFormat format = ListFormat::kDetect,
                      std::optional<crypto::Hash> bank = std::nullopt, std::uint64_t first = 0);
  ~ListReader();

  // Throws ParseError for a record that is not of its template (with the byte offset, or the line
  // of an ascii list); what came before it has then been given to the sink.
  void feed(Bytes chunk);
  // The end of the list: throws ParseError when it lies inside a record.
  void finish();

  std::uint64_t num_entries() const noexcept;  // that were read
  // The algorithm of the header digests; nothing before the first record, if it was not given.
  // Known when the sink is called.
  std::optional<crypto::Hash> bank() const noexcept;
  // kDetect before the first bytes.
  ListFormat format() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace attest::ima

#endif  // LIBATTEST_IMA_LIST_H_
