// SPDX-License-Identifier: Apache-2.0

#include "libattest/tpm/keylime_quote.h"

#define ZLIB_CONST
#include <zlib.h>

#include <array>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "libattest/base/base64.h"
#include "libattest/base/error.h"

namespace attest::tpm {
namespace {

constexpr std::string_view kFormat = "Keylime quote";
constexpr std::size_t kMaxText = 65536;
constexpr std::size_t kMaxInflated = 4096;
// RFC 1950, 2.2: CMF of a stream with the default window. None of the three structures begins so.
constexpr std::uint8_t kZlib = 0x78;

constexpr std::array<std::string_view, 3> kParts{"TPMS_ATTEST", "TPMT_SIGNATURE", "PCR values"};

class Inflater {
 public:
  Inflater() {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::vector<std::uint8_t> run(Bytes in, std::string_view part) {
    std::vector<std::uint8_t> out(kMaxInflated);
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = inflate(&stream_, Z_FINISH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_BUF_ERROR && stream_.avail_out == 0) {
      throw ParseError(kFormat, part, "inflates to more than 4 KiB");
    }
    if (result == Z_BUF_ERROR) throw ParseError(kFormat, part, "zlib stream is cut short");
    if (result != Z_STREAM_END) throw ParseError(kFormat, part, "zlib stream is damaged");
    if (stream_.avail_in != 0) throw ParseError(kFormat, part, "bytes after the zlib stream");
    if (stream_.total_out == 0) throw ParseError(kFormat, part, "empty");
    out.resize(stream_.total_out);
    return out;
  }

 private:
  z_stream stream_{};
};

std::vector<std::uint8_t> decode(std::string_view text, std::string_view part) {
  std::optional<std::vector<std::uint8_t>> bytes = from_base64(text);
  if (!bytes) throw ParseError(kFormat, part, "not base64");
  if (bytes->empty()) throw ParseError(kFormat, part, "empty");
  return std::move(*bytes);
}

std::array<std::string_view, 3> split(std::string_view text) {
  std::array<std::string_view, 3> parts;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t end = text.find(':');
    if (end == std::string_view::npos) throw ParseError(kFormat, "text", "fewer than three parts");
    parts[i] = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  if (text.find(':') != std::string_view::npos) {
    throw ParseError(kFormat, "text", "more than three parts");
  }
  parts[2] = text;
  return parts;
}

}  // namespace

KeylimeQuote parse_keylime_quote(std::string_view text) {
  if (text.size() > kMaxText) throw ParseError(kFormat, "text", "larger than 64 KiB");
  if (!text.starts_with('r')) throw ParseError(kFormat, "text", "does not begin with \"r\"");
  const std::array<std::string_view, 3> parts = split(text.substr(1));
  KeylimeQuote quote;
  const std::array<std::vector<std::uint8_t>*, 3> out{&quote.attest, &quote.signature, &quote.pcrs};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    *out[i] = decode(parts[i], kParts[i]);
    const bool compressed = (*out[i])[0] == kZlib;
    if (i == 0) quote.compressed = compressed;
    if (compressed != quote.compressed) {
      throw ParseError(kFormat, kParts[i], "not compressed as the other parts are");
    }
    if (compressed) *out[i] = Inflater().run(*out[i], kParts[i]);
  }
  return quote;
}

}  // namespace attest::tpm
