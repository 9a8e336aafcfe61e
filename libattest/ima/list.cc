// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/list.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "libattest/base/text.h"
#include "libattest/ima/ascii.h"
#include "libattest/ima/binary.h"
#include "libattest/ima/fields.h"
#include "libattest/ima/template.h"
#include "libattest/tpm/pcr.h"

namespace attest::ima {
namespace {

constexpr std::array<std::size_t, 4> kDigestSizes{20, 32, 48, 64};
constexpr std::size_t kLegacyDataSize = 276;  // SHA-1 digest and kMaxEventName + 1 bytes of name
// Twice the largest template data, as hex, and room for what stands around it.
constexpr std::size_t kMaxLine = 2 * kMaxTemplateData + 4096;

bool is_zero(Bytes digest) noexcept {
  return std::all_of(digest.begin(), digest.end(), [](std::uint8_t b) { return b == 0; });
}

bool is_hash_of(crypto::Hash hash, Bytes data, Bytes digest) {
  try {
    return std::ranges::equal(crypto::Hasher(hash)(data).bytes(), digest);
  } catch (const std::invalid_argument&) {
    return false;  // an OpenSSL without this algorithm
  }
}

// Where there is nothing to check: the first algorithm of its size, which is the usual one.
std::optional<crypto::Hash> usual_bank(std::size_t digest_size) {
  for (const crypto::Hash hash : crypto::kAllHashes) {
    if (crypto::hash_size(hash) == digest_size) return hash;
  }
  return std::nullopt;
}

// The bank whose hash of `data` is `digest`. A violation's zeros are of any.
std::optional<crypto::Hash> bank_of(Bytes data, Bytes digest) {
  if (is_zero(digest)) return usual_bank(digest.size());
  for (const crypto::Hash hash : crypto::kAllHashes) {
    if (crypto::hash_size(hash) == digest.size() && is_hash_of(hash, data, digest)) return hash;
  }
  return std::nullopt;
}

}  // namespace

class ListReader::State {
 public:
  State(EntrySink& sink, ListFormat format, std::optional<crypto::Hash> bank, std::uint64_t first)
      : sink_(sink), format_(format), bank_(bank), first_(first) {}

  void feed(Bytes chunk) {
    begin();
    if (!chunk.empty()) {
      if (format_ == ListFormat::kDetect) detect_format(chunk[0]);
      if (format_ == ListFormat::kAscii) {
        feed_ascii(chunk);
      } else {
        feed_binary(chunk);
      }
    }
    usable_ = true;
  }

  // Leaves the reader unusable: nothing comes after the end.
  void finish() {
    begin();
    if (carry_.empty()) return;
    if (format_ == ListFormat::kAscii) {
      ascii_line(as_text(carry_));
      return;
    }
    ended_ = true;
    if (!bank_) detect_bank();
    const Bytes rest = Bytes(carry_).subspan(binary_records(carry_));
    if (rest.empty()) return;
    const Frame frame = frame_record(rest, crypto::hash_size(*bank_), offset_);
    throw ParseError(kListFormatName, offset_ + rest.size(), frame.cut,
                     "the list ends inside this field");
  }

  std::uint64_t num_entries() const noexcept { return index_; }
  std::optional<crypto::Hash> bank() const noexcept { return bank_; }
  ListFormat format() const noexcept { return format_; }

 private:
  // Only who comes to its end without an exception sets usable_ again.
  void begin() {
    if (!std::exchange(usable_, false)) {
      throw std::invalid_argument("this IMA list reader is at its end or has failed");
    }
  }

  // A binary list begins with a small number's low byte, an ascii one with "%2d".
  void detect_format(std::uint8_t first) {
    if (first < tpm::kNumPcrs) {
      format_ = ListFormat::kBinary;
    } else if (first == ' ' || (first >= '0' && first <= '9')) {
      format_ = ListFormat::kAscii;
    } else {
      throw ParseError(kListFormatName, 0, "PCR", "begins neither a binary nor an ascii list");
    }
  }

  // Whole records are read where they lie; only one that the chunk's end cuts is carried over.
  void feed_binary(Bytes chunk) {
    if (carry_.empty() && bank_) chunk = chunk.subspan(binary_records(chunk));
    while (!chunk.empty()) {
      const std::size_t wanted = needed_ > carry_.size() ? needed_ - carry_.size() : 1;
      const Bytes piece = chunk.first(std::min(wanted, chunk.size()));
      carry_.insert(carry_.end(), piece.begin(), piece.end());
      chunk = chunk.subspan(piece.size());
      if (carry_.size() < needed_ || (!bank_ && !detect_bank())) continue;
      const std::size_t used = binary_records(carry_);
      carry_.erase(carry_.begin(), carry_.begin() + static_cast<std::ptrdiff_t>(used));
      if (carry_.empty()) chunk = chunk.subspan(binary_records(chunk));
    }
  }

  // Gives every whole record at the front of `in` to the sink. Returns their size; of what then
  // remains, needed_ bytes are needed to go on.
  std::size_t binary_records(Bytes in) {
    const std::size_t digest_size = crypto::hash_size(*bank_);
    std::size_t done = 0;
    needed_ = 0;
    while (done < in.size()) {
      const Frame frame = frame_record(in.subspan(done), digest_size, offset_);
      if (!frame.cut.empty()) {
        needed_ = frame.size;
        break;
      }
      binary_record(frame);
      done += frame.size;
      offset_ += frame.size;
    }
    return done;
  }

  void binary_record(const Frame& frame) {
    Entry e;
    e.pcr = frame.pcr;
    e.header_digest = frame.header_digest;
    e.template_name = frame.template_name;
    e.violation = is_zero(e.header_digest);
    e.template_data = frame.data;
    const Place place{0, frame.data_offset};
    if (const Template* const t = templates_.find(e.template_name); t != nullptr) {
      e.known = true;
      if (t->legacy) {
        legacy_fields(frame.digest, frame.name, place, e);
      } else {
        parse_fields(*t, frame.data, place, e);
      }
    }
    give(e);
  }

  void legacy_fields(Bytes digest, Bytes name, const Place& place, Entry& e) {
    parse_legacy_fields(digest, name, place, e);
    e.template_data = pad_legacy(e.digest.value, e.name);
  }

  // What the kernel hashes for template "ima".
  Bytes pad_legacy(Bytes digest, std::string_view name) {
    legacy_.fill(0);
    std::ranges::copy(digest, legacy_.begin());
    std::ranges::copy(as_bytes(name), std::span(legacy_).subspan(digest.size()).begin());
    return legacy_;
  }

  void give(Entry& e) {
    e.index = first_ + index_++;
    e.offset = offset_;
    sink_.entry(e);
  }

  // Nothing in a binary list says how long its digests are: the size is right with which the first
  // record's digest checks. False: more of the record is needed to tell.
  bool detect_bank() {
    for (; candidate_ < kDigestSizes.size(); ++candidate_) {
      const std::optional<Frame> frame = candidate_frame();
      if (!frame) continue;
      if (!frame->cut.empty()) {
        if (ended_) continue;
        needed_ = frame->size;
        return false;
      }
      bank_ = bank_of(framed_data(*frame), frame->header_digest);
      if (bank_) return true;
    }
    throw ParseError(kListFormatName, 0, "first record",
                     "its digest does not check in any bank; the list's bank must be named");
  }

  std::optional<Frame> candidate_frame() const {
    try {
      return frame_record(carry_, kDigestSizes[candidate_], 0);
    } catch (const ParseError&) {
      return std::nullopt;
    }
  }

  Bytes framed_data(const Frame& frame) {
    return frame.legacy ? pad_legacy(frame.digest, as_text(frame.name)) : frame.data;
  }

  void feed_ascii(Bytes chunk) {
    while (!chunk.empty()) {
      const std::string_view text = as_text(chunk);
      const std::size_t newline = text.find('\n');
      const bool whole = newline != std::string_view::npos;
      const std::string_view piece = text.substr(0, newline);
      if (carry_.size() + piece.size() > kMaxLine) fail_line("line", "longer than 32 MiB");
      if (carry_.empty() && whole) {
        ascii_line(piece);
      } else {
        carry_.insert(carry_.end(), chunk.begin(),
                      chunk.begin() + static_cast<std::ptrdiff_t>(piece.size()));
        if (!whole) return;
        ascii_line(as_text(carry_));
        carry_.clear();
      }
      chunk = chunk.subspan(newline + 1);
    }
  }

  void ascii_line(std::string_view line) {
    parse_line(line, index_ + 1, templates_, ascii_);
    Entry e;
    e.pcr = ascii_.pcr;
    e.header_digest = ascii_.header_digest.bytes();
    e.template_name = ascii_.template_name;
    e.violation = is_zero(e.header_digest);
    const Place place{index_ + 1, 0};
    if (const Template* const t = ascii_.found; t != nullptr) {
      e.known = true;
      if (t->legacy) {
        legacy_fields(ascii_.digest, as_bytes(ascii_.name), place, e);
      } else {
        e.template_data = ascii_.data;
        parse_fields(*t, ascii_.data, place, e);
      }
    }
    check_bank(e);
    give(e);
    offset_ += line.size() + 1;
  }

  // The digits say the digest's size; which algorithm of that size it is, the first line shows.
  void check_bank(const Entry& e) {
    if (!bank_) {
      bank_ =
          e.known ? bank_of(e.template_data, e.header_digest) : usual_bank(e.header_digest.size());
      if (!bank_) {
        fail_line("template digest", "does not check in any bank; the list's bank must be named");
      }
    }
    if (e.header_digest.size() != crypto::hash_size(*bank_)) {
      fail_line("template digest", "not of the size of " + std::string(crypto::hash_name(*bank_)));
    }
  }

  [[noreturn]] void fail_line(std::string_view field, std::string_view why) const {
    Place{index_ + 1, 0}.fail(0, field, why);
  }

  EntrySink& sink_;
  ListFormat format_;
  std::optional<crypto::Hash> bank_;
  std::uint64_t first_;
  TemplateCache templates_;
  std::array<std::uint8_t, kLegacyDataSize> legacy_{};
  AsciiRecord ascii_;

  std::vector<std::uint8_t> carry_;  // the front of a record that the chunks so far have cut
  std::size_t needed_ = 0;           // bytes of carry_ without which nothing more can be told
  std::size_t candidate_ = 0;        // place in kDigestSizes that detect_bank() is at
  std::uint64_t index_ = 0;
  std::uint64_t offset_ = 0;  // of the record that comes next
  bool ended_ = false;
  bool usable_ = true;
};

ListReader::ListReader(EntrySink& sink, ListFormat format, std::optional<crypto::Hash> bank,
                       std::uint64_t first)
    : state_(std::make_unique<State>(sink, format, bank, first)) {}
ListReader::~ListReader() = default;

void ListReader::feed(Bytes chunk) { state_->feed(chunk); }
void ListReader::finish() { state_->finish(); }
std::uint64_t ListReader::num_entries() const noexcept { return state_->num_entries(); }
std::optional<crypto::Hash> ListReader::bank() const noexcept { return state_->bank(); }
ListFormat ListReader::format() const noexcept { return state_->format(); }

}  // namespace attest::ima
