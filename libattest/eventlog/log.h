// SPDX-License-Identifier: Apache-2.0

// TCG boot event logs: the SHA-1 format and the crypto-agile format, and in what a dynamic launch
// by Intel TXT wraps them. TCG PC Client Platform Firmware Profile (PFP) 1.06, section 10; Intel
// TXT Software Development Guide, appendix on the event log. Nothing in a log is verified by
// parsing it: digests count when they replay to a quoted PCR, data counts when its digest covers
// it, and an event's type is never covered by anything.

#ifndef LIBATTEST_EVENTLOG_LOG_H_
#define LIBATTEST_EVENTLOG_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libattest/base/reader.h"
#include "libattest/crypto/digest.h"

namespace attest::eventlog {

// Numbers are part of the C ABI (attest_eventlog_format).
enum class Format : std::uint8_t {
  kSha1 = 1,
  kCryptoAgile = 2,
  kTxtContainer = 3,  // "TXT Event Container": SHA-1 events in an area with offsets (TPM 1.2)
  kTxtLegacy = 4,     // one bank's events behind a TCG_LOG_DESCRIPTOR (TPM 2.0)
};
std::string_view name_of(Format format) noexcept;  // "sha1", "crypto-agile", "txt-container"

// Who wrote a log: the firmware and what it started, or a dynamic launch.
enum class Source : std::uint8_t { kFirmware, kLaunch };

// One of the log's digest algorithms.
struct Algorithm {
  std::uint16_t id = 0;              // TPM_ALG_ID
  std::uint16_t size = 0;            // bytes
  std::optional<crypto::Hash> hash;  // nothing: carried by its declared size, never replayed
};

struct Event {
  std::uint32_t index = 0;  // position in the log, from 0
  std::size_t offset = 0;   // of the record, from the start of the log
  // 0 to 23. Or data about the log, never extended: 0xffffffff for an EV_NO_ACTION of the Windows
  // loader, 255 in a launch log.
  std::uint32_t pcr = 0;
  std::uint32_t type = 0;     // claimed: see types.h
  std::uint32_t digests = 0;  // where Log keeps them: use Log::digest
  Bytes data;                 // a view into the log
};

class Log {
 public:
  // Parses all of `in` (at most 64 MiB), which must outlive the Log. An empty input is an empty log
  // of the SHA-1 format: whether that is good is not this class's business.
  static Log parse(Bytes in);
  // The same for a dynamic launch's log, at most 1 MiB, whose events are of PCRs 17 to 22 only: the
  // bytes of any of the four formats say which it is. Zeros after the last event are the unused
  // part of the log's area.
  static Log parse_launch(Bytes in);

  Source source() const noexcept { return source_; }
  // Whether the area that the log says it is in has no room for one more event: later ones may have
  // been lost.
  bool full() const noexcept { return full_; }
  Format format() const noexcept { return format_; }
  const std::vector<Algorithm>& algorithms() const noexcept { return algorithms_; }
  const std::vector<Event>& events() const noexcept { return events_; }
  // The event's digest for algorithms()[algorithm]; empty for the header record of a crypto-agile
  // log, which has none in the log's banks.
  Bytes digest(const Event& event, std::size_t algorithm) const noexcept;
  // Position in algorithms() of a bank.
  std::optional<std::size_t> find(crypto::Hash bank) const noexcept;
  // SpecID's uintnSize: size in bytes of a pointer in the firmware's structures, 4 or 8.
  std::size_t pointer_size() const noexcept { return pointer_size_; }

 private:
  Source source_ = Source::kFirmware;
  bool full_ = false;
  Format format_ = Format::kSha1;
  std::vector<Algorithm> algorithms_;
  std::vector<Event> events_;
  std::vector<const std::uint8_t*> digests_;  // events x algorithms, views into the log
  std::size_t pointer_size_ = 8;
};

// Whether the event's digest was extended into its PCR. Only then its pcr is an index.
bool is_extended(const Event& event) noexcept;

// "EV_EFI_VARIABLE_DRIVER_CONFIG"; for types that PFP does not name, "0x…".
std::string type_name(std::uint32_t type);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_LOG_H_
