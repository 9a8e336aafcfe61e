// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/txt_container.h"

#include <algorithm>
#include <array>
#include <functional>

#include "libattest/base/text.h"

namespace attest::eventlog {
namespace {

using crypto::Hash;

constexpr std::string_view kSignature{"TXT Event Container\0", 20};
constexpr std::uint32_t kHeaderSize = 48;
constexpr std::uint32_t kLeastEvent = 32;  // TCG_PCClientPCREvent without data

void expect_zero(Reader& r, std::size_t size, std::string_view field) {
  if (std::ranges::any_of(r.take(size, field), std::identity{})) r.fail(field, "is not zero");
}

// DigestAlgID counts the algorithms in Intel's own code, and is a TPM_ALG_ID in others'. Together
// with the size it can be nothing else.
struct Descriptor {
  std::uint32_t id;
  std::uint32_t size;
  Hash hash;
};
constexpr std::array kDescriptors{
    Descriptor{1, 20, Hash::kSha1},         Descriptor{2, 32, Hash::kSha256},
    Descriptor{3, 48, Hash::kSha384},       Descriptor{4, 64, Hash::kSha512},
    Descriptor{0x0004, 20, Hash::kSha1},    Descriptor{0x000b, 32, Hash::kSha256},
    Descriptor{0x000c, 48, Hash::kSha384},  Descriptor{0x000d, 64, Hash::kSha512},
    Descriptor{0x0012, 32, Hash::kSm3_256},
};

}  // namespace

bool is_txt_container(Bytes in) noexcept { return as_text(in).starts_with(kSignature); }

TxtContainer parse_txt_container(Reader r) {
  const std::size_t given = r.remaining();
  r.take(kSignature.size(), "Signature");
  expect_zero(r, 12, "Reserved");
  if (r.u8("ContainerVerMajor") != 1) r.fail("ContainerVerMajor", "a version unknown to us");
  r.u8("ContainerVerMinor");
  if (r.u8("PCREventVerMajor") != 1) r.fail("PCREventVerMajor", "a version unknown to us");
  r.u8("PCREventVerMinor");
  const std::uint32_t size = r.u32le("Size");
  const std::uint32_t begin = r.u32le("PCREventsOffset");
  const std::uint32_t end = r.u32le("NextEventOffset");
  if (begin < kHeaderSize) r.fail("PCREventsOffset", "lies in the header");
  if (end < begin) r.fail("NextEventOffset", "lies before the first event");
  if (end > size) r.fail("NextEventOffset", "lies behind the container's end");
  if (given != size && given != end) {
    r.fail("Size", "neither the container nor its used part has as many bytes as there are");
  }
  expect_zero(r, begin - kHeaderSize, "the gap before the events");
  const Reader events = r.sub(end - begin, "events");
  expect_zero(r, r.remaining(), "the unused part");
  return {events, size - end < kLeastEvent};
}

Algorithm parse_log_descriptor(Reader& r) {
  if (r.u32le("Revision") != 1) r.fail("Revision", "a revision unknown to us");
  const std::uint32_t id = r.u32le("DigestAlgID");
  const std::uint32_t size = r.u32le("DigestSize");
  r.expect_end("TCG_LOG_DESCRIPTOR");
  const auto* const found = std::ranges::find_if(
      kDescriptors, [=](const Descriptor& d) { return d.id == id && d.size == size; });
  if (found == kDescriptors.end()) r.fail("DigestAlgID", "no algorithm of this number and size");
  return {static_cast<std::uint16_t>(found->hash), static_cast<std::uint16_t>(size), found->hash};
}

}  // namespace attest::eventlog
