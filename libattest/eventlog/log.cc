// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/log.h"

#include <algorithm>
#include <functional>

#include "libattest/base/text.h"
#include "libattest/eventlog/txt_container.h"
#include "libattest/eventlog/types.h"
#include "libattest/tpm/pcr.h"

namespace attest::eventlog {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFormatName = "event log";
constexpr std::string_view kLaunchFormatName = "launch log";
constexpr std::size_t kMaxLog = std::size_t{64} << 20U;
constexpr std::uint32_t kMaxEvents = 1U << 18U;  // real logs have a few hundred
// A launch's log is in an area of a few KiB.
constexpr std::size_t kMaxLaunchLog = std::size_t{1} << 20U;
constexpr std::uint32_t kMaxLaunchEvents = 1U << 12U;
constexpr std::uint32_t kMaxAlgorithms = 16;  // TPM2_NUM_PCR_BANKS
constexpr std::uint32_t kMaxPcr = 23;
constexpr std::size_t kSha1Size = 20;
constexpr std::size_t kSignatureSize = 16;

// PFP section 10, and the PC Client BIOS and EFI specifications for TPM 1.2. The NUL is part of it.
constexpr std::string_view kSpecId03 = "Spec ID Event03\0"sv;
constexpr std::string_view kSpecId02 = "Spec ID Event02\0"sv;
constexpr std::string_view kSpecId00 = "Spec ID Event00\0"sv;

struct Header {
  Format format = Format::kSha1;
  std::size_t pointer_size = 8;
};

class Parser {
 public:
  Parser(const Reader& r, Source source, std::vector<Algorithm>& algorithms,
         std::vector<Event>& events, std::vector<const std::uint8_t*>& digests)
      : r_(r), source_(source), algorithms_(algorithms), events_(events), digests_(digests) {
    algorithms_.push_back({static_cast<std::uint16_t>(crypto::Hash::kSha1),
                           static_cast<std::uint16_t>(kSha1Size), crypto::Hash::kSha1});
  }

  // A log whose first record says what the others are.
  Header run() {
    if (at_end()) return {};
    const Header header = first_event();
    reserve();
    while (!at_end()) {
      if (header.format == Format::kCryptoAgile) {
        agile_event();
      } else {
        plain_event();
      }
    }
    return header;
  }

  // A log that has nothing but SHA-1 events.
  void run_sha1() {
    while (!r_.done()) plain_event();
  }

 private:
  bool at_end() const {
    // No event of a launch begins with so many zeros.
    return r_.done() || (source_ == Source::kLaunch && is_zero(Reader(r_).rest()));
  }
  static bool is_zero(Bytes bytes) noexcept { return std::ranges::none_of(bytes, std::identity{}); }

  // Room for what an ordinary log may still hold, without believing any number in it.
  void reserve() {
    constexpr std::size_t kMost = 4096;
    std::size_t least_record = 16;
    for (const Algorithm& a : algorithms_) least_record += 2U + a.size;
    const std::size_t more = std::min(r_.remaining() / least_record, kMost);
    events_.reserve(events_.size() + more);
    digests_.reserve(digests_.size() + more * algorithms_.size());
  }

  Event& begin_event() {
    const bool launch = source_ == Source::kLaunch;
    if (events_.size() >= kMaxEvents) r_.fail("pcrIndex", "more than 262144 events");
    if (launch && events_.size() >= kMaxLaunchEvents) r_.fail("pcrIndex", "more than 4096 events");
    Event e;
    e.index = static_cast<std::uint32_t>(events_.size());
    e.offset = r_.offset();
    e.pcr = r_.u32le("pcrIndex");
    if (e.pcr > kMaxPcr && e.pcr != (launch ? kTxtDataPcr : kTrustBoundaryPcr)) {
      r_.fail("pcrIndex", "no PCR has this number");
    }
    e.type = r_.u32le("eventType");
    const bool of_launch = e.pcr == kTxtDataPcr || tpm::is_launch_pcr(e.pcr);
    if (launch && !of_launch && e.type != kEvNoAction) {
      r_.fail("pcrIndex", "not 17 to 22, the PCRs of a dynamic launch");
    }
    if (e.pcr == kTrustBoundaryPcr && e.type != kEvNoAction) {
      r_.fail("pcrIndex", "no PCR has this number, and only EV_NO_ACTION may say 0xffffffff");
    }
    e.digests = static_cast<std::uint32_t>(digests_.size());
    events_.push_back(e);
    return events_.back();
  }

  // TCG_PCClientPCREvent, whose digest has the size of the log's one algorithm.
  void plain_event() {
    Event& e = begin_event();
    digests_.push_back(r_.take(algorithms_.front().size, "digest").data());
    const std::uint32_t size = r_.u32le("eventDataSize");
    e.data = r_.take(size, "event");
  }

  // TCG_PCR_EVENT2: each algorithm of the header exactly once, in any order.
  void agile_event() {
    Event& e = begin_event();
    const std::uint32_t count = r_.u32le("digests.count");
    if (count != algorithms_.size()) r_.fail("digests.count", "not one digest an algorithm");
    digests_.resize(digests_.size() + count, nullptr);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint16_t id = r_.u16le("digests.hashAlg");
      const std::size_t which = algorithms_[i].id == id ? i : position_of(id);
      if (which == count) r_.fail("digests.hashAlg", "an algorithm that the header does not list");
      const std::uint8_t*& digest = digests_[e.digests + which];
      if (digest != nullptr) r_.fail("digests.hashAlg", "an algorithm's second digest");
      digest = r_.take(algorithms_[which].size, "digests.digest").data();
    }
    const std::uint32_t size = r_.u32le("eventSize");
    e.data = r_.take(size, "event");
  }

  std::size_t position_of(std::uint16_t id) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(algorithms_, id, &Algorithm::id) -
                                    algorithms_.begin());
  }

  // The first record, of the SHA-1 shape in all formats, says which format the others have.
  Header first_event() {
    plain_event();
    const Event& e = events_.front();
    if (e.type != kEvNoAction || e.data.size() < kSignatureSize) return {};
    const std::string_view signature = as_text(e.data.first(kSignatureSize));
    const bool legacy = source_ == Source::kLaunch && signature == kLogDescriptor;
    if (signature != kSpecId03 && signature != kSpecId02 && signature != kSpecId00 && !legacy) {
      return {};
    }
    Reader r(e.data, source_ == Source::kLaunch ? kLaunchFormatName : kFormatName,
             r_.offset() - e.data.size());
    if (e.pcr != 0) r.fail("specID", "its pcrIndex is not 0");
    if (!is_zero(Bytes(digests_.front(), kSha1Size))) r.fail("specID", "its digest is not zero");
    r.take(kSignatureSize, "signature");
    Header header;
    if (legacy) {
      header = {Format::kTxtLegacy, 8};
      algorithms_ = {parse_log_descriptor(r)};
    } else if (signature == kSpecId03) {
      header = spec_id_03(r);
    } else {
      return spec_id_12(r, signature == kSpecId02);
    }
    digests_.assign(algorithms_.size(), nullptr);  // the header has no digest in the log's banks
    return header;
  }

  static void spec_version(Reader& r, std::uint8_t major) {
    r.u32le("platformClass");
    r.u8("specVersionMinor");
    if (r.u8("specVersionMajor") != major) r.fail("specVersionMajor", "a version unknown to us");
    r.u8("specErrata");
  }
  // 1 for 32-bit and 2 for 64-bit firmware.
  static std::size_t uintn_size(Reader& r) {
    const std::uint8_t size = r.u8("uintnSize");
    if (size != 1 && size != 2) r.fail("uintnSize", "neither 1 nor 2");
    return std::size_t{size} * 4;
  }
  static void vendor_info(Reader& r) {
    r.take(r.u8("vendorInfoSize"), "vendorInfo");
    r.expect_end("specID");
  }

  // TCG_EfiSpecIdEventStruct of the EFI Platform Specification 1.22, or the BIOS one's counterpart,
  // which has a reserved byte where uintnSize is.
  static Header spec_id_12(Reader& r, bool efi) {
    Header header;
    spec_version(r, 1);
    if (efi) {
      header.pointer_size = uintn_size(r);
    } else {
      r.u8("reserved");
    }
    vendor_info(r);
    return header;
  }

  // TCG_EfiSpecIDEvent
  Header spec_id_03(Reader& r) {
    Header header{Format::kCryptoAgile, 0};
    spec_version(r, 2);
    header.pointer_size = uintn_size(r);
    const std::uint32_t count = r.u32le("numberOfAlgorithms");
    if (count == 0 || count > kMaxAlgorithms) r.fail("numberOfAlgorithms", "not 1 to 16");
    algorithms_.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      Algorithm a;
      a.id = r.u16le("digestSizes.algorithmId");
      if (position_of(a.id) != algorithms_.size()) {
        r.fail("digestSizes.algorithmId", "an algorithm is listed twice");
      }
      a.hash = crypto::hash_from_id(a.id);
      a.size = r.u16le("digestSizes.digestSize");
      if (a.size == 0 || (a.hash && crypto::hash_size(*a.hash) != a.size)) {
        r.fail("digestSizes.digestSize", "not the size of the algorithm's digests");
      }
      algorithms_.push_back(a);
    }
    vendor_info(r);
    return header;
  }

  Reader r_;
  Source source_;
  std::vector<Algorithm>& algorithms_;
  std::vector<Event>& events_;
  std::vector<const std::uint8_t*>& digests_;
};

}  // namespace

std::string_view name_of(Format format) noexcept {
  switch (format) {
    case Format::kSha1:
      return "sha1";
    case Format::kCryptoAgile:
      return "crypto-agile";
    case Format::kTxtContainer:
      return "txt-container";
    case Format::kTxtLegacy:
      return "txt-legacy";
  }
  return "sha1";
}

Log Log::parse(Bytes in) {
  const Reader r(in, kFormatName);
  if (in.size() > kMaxLog) r.fail("log", "larger than 64 MiB");
  Log log;
  const Header header =
      Parser(r, Source::kFirmware, log.algorithms_, log.events_, log.digests_).run();
  log.format_ = header.format;
  log.pointer_size_ = header.pointer_size;
  return log;
}

Log Log::parse_launch(Bytes in) {
  const Reader r(in, kLaunchFormatName);
  if (in.size() > kMaxLaunchLog) r.fail("log", "larger than 1 MiB");
  Log log;
  log.source_ = Source::kLaunch;
  if (is_txt_container(in)) {
    const TxtContainer container = parse_txt_container(r);
    Parser(container.events, Source::kLaunch, log.algorithms_, log.events_, log.digests_)
        .run_sha1();
    log.format_ = Format::kTxtContainer;
    log.full_ = container.full;
    return log;
  }
  log.format_ = Parser(r, Source::kLaunch, log.algorithms_, log.events_, log.digests_).run().format;
  return log;
}

bool is_extended(const Event& event) noexcept {
  return event.type != kEvNoAction && event.pcr <= kMaxPcr;
}

Bytes Log::digest(const Event& event, std::size_t algorithm) const noexcept {
  const std::uint8_t* const digest = digests_[event.digests + algorithm];
  if (digest == nullptr) return {};
  return {digest, algorithms_[algorithm].size};
}

std::optional<std::size_t> Log::find(crypto::Hash bank) const noexcept {
  for (std::size_t i = 0; i < algorithms_.size(); ++i) {
    if (algorithms_[i].hash == bank) return i;
  }
  return std::nullopt;
}

}  // namespace attest::eventlog
