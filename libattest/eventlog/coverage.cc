// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/coverage.h"

#include <algorithm>

#include "libattest/base/text.h"
#include "libattest/eventlog/event_data.h"
#include "libattest/eventlog/types.h"

namespace attest::eventlog {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::uint8_t, 4> kZeros{0, 0, 0, 0};
constexpr std::array<std::uint8_t, 4> kOnes{0xff, 0xff, 0xff, 0xff};
constexpr std::array<std::uint8_t, 4> kError{1, 0, 0, 0};

constexpr std::string_view kOmitBootDevices = "BOOT ATTEMPTS OMITTED";

// What GRUB puts before the text that it measures, newest form first.
constexpr std::array kGrubPrefixes{"grub_cmd: "sv, "kernel_cmdline: "sv, "module_cmdline: "sv,
                                   "grub_kernel_cmdline "sv, "grub_cmd "sv};

// The data without a prefix of GRUB's, if it has one.
std::optional<Bytes> after_grub_prefix(Bytes data) noexcept {
  for (const std::string_view prefix : kGrubPrefixes) {
    if (as_text(data).starts_with(prefix)) return data.subspan(prefix.size());
  }
  return std::nullopt;
}

// What `parse` makes of the data, if that is of its structure.
template <typename T>
std::optional<T> parsed(T (*parse)(Bytes), Bytes data) {
  try {
    return parse(data);
  } catch (const ParseError&) {
    return std::nullopt;
  }
}

}  // namespace

Cover CoverageRules::of(const Event& event, Bytes digest) {
  switch (event.type) {
    case kEvSeparator:
    case kEvAction:
    case kEvSCrtmVersion:
    case kEvOmitBootDeviceEvents:
    case kEvEfiVariableDriverConfig:
    case kEvEfiVariableBoot2:
    case kEvEfiGptEvent:
    case kEvEfiGptEvent2:
    case kEvEfiAction:
      return whole(event, digest, Coverage::kMismatch);
    case kEvPostCode:
    case kEvPostCode2:
    case kEvPlatformConfigFlags:
    case kEvCompactHash:
    case kEvNonhostInfo:
    case kEvEfiSpdmFirmwareConfig:
    case kEvEfiSpdmDevicePolicy:
    case kEvEfiSpdmDeviceAuthority:
      return whole(event, digest, Coverage::kOpaque);
    case kEvEventTag:
      return tagged(event, digest);
    case kEvEfiVariableBoot:
      return variable_boot(event, digest);
    case kEvEfiVariableAuthority:
      return authority(event, digest);
    case kEvIpl:
      return ipl(event, digest);
    default:
      return {};
  }
}

bool CoverageRules::is_hash(Bytes digest, std::initializer_list<Bytes> parts) {
  return std::ranges::equal(hasher_(parts).bytes(), digest);
}

Cover CoverageRules::whole(const Event& event, Bytes digest, Coverage otherwise) {
  return {is_hash(digest, {event.data}) ? Coverage::kCovered : otherwise, {}};
}

// PFP says the whole structure; firmware commonly measures VariableData alone.
Cover CoverageRules::variable_boot(const Event& event, Bytes digest) {
  const std::optional<VariableData> v = parsed(parse_variable, event.data);
  if (v && is_hash(digest, {v->data})) return {Coverage::kPartly, QuirkId::kVariableBootDataOnly};
  return whole(event, digest, Coverage::kMismatch);
}

Cover CoverageRules::authority(const Event& event, Bytes digest) {
  const Cover cover = whole(event, digest, Coverage::kMismatch);
  if (cover.coverage == Coverage::kCovered) {
    const std::optional<VariableData> v = parsed(parse_variable, event.data);
    if (v && is_der_certificate(v->data)) return {Coverage::kCovered, QuirkId::kShimNoOwner};
    return cover;
  }
  if (event.data.empty() || !is_hash(digest, {event.data.first(event.data.size() - 1)})) {
    return cover;
  }
  return {Coverage::kPartly, QuirkId::kShimTrailingByte};
}

Cover CoverageRules::tagged(const Event& event, Bytes digest) {
  const std::optional<TaggedEvent> tag = parsed(parse_tagged_event, event.data);
  if (tag && is_boot_stub_tag(tag->id)) return {};
  return whole(event, digest, Coverage::kMismatch);
}

// A digest under EV_IPL is over what its writer chose: text that the data holds, or a file that the
// data names.
Cover CoverageRules::ipl(const Event& event, Bytes digest) {
  const std::optional<Bytes> grub = after_grub_prefix(event.data);
  if (!grub) return utf16_ipl(event, digest);
  Bytes text = *grub;
  if (!text.empty() && text.back() == 0) text = text.first(text.size() - 1);
  if (is_hash(digest, {text})) return {Coverage::kPartly, {}};
  if (is_hash(digest, {text, Bytes(kZeros).first(1)})) {
    return {Coverage::kPartly, QuirkId::kGrubHashesNul};
  }
  return whole(event, digest, Coverage::kMismatch);
}

// systemd-stub: the whole text with or without its NUL, which one more byte may follow; or, for the
// name of a PE section, the name in ASCII with its NUL.
Cover CoverageRules::utf16_ipl(const Event& event, Bytes digest) {
  const Bytes data = event.data;
  if (is_hash(digest, {data})) return {Coverage::kCovered, {}};
  if (data.size() < 2 || data[1] != 0) return {};
  Bytes text = data.first(data.size() / 2 * 2);
  if (text.size() != data.size() && is_hash(digest, {text})) return {Coverage::kPartly, {}};
  if (text[text.size() - 2] == 0 && text[text.size() - 1] == 0) {
    text = text.first(text.size() - 2);
    if (is_hash(digest, {text})) return {Coverage::kPartly, {}};
  }
  constexpr std::size_t kMaxSectionName = 8;  // PE/COFF, section 4
  if (text.size() > kMaxSectionName * 2) return {};
  std::array<std::uint8_t, kMaxSectionName + 1> name{};
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    if (text[i * 2 + 1] != 0) return {};
    name[i] = text[i * 2];
  }
  if (is_hash(digest, {Bytes(name).first(text.size() / 2 + 1)})) return {Coverage::kPartly, {}};
  return {};
}

KnownDigests::KnownDigests(crypto::Hash bank) {
  crypto::Hasher hasher(bank);
  std::size_t n = 0;
  entries_[n++] = {hasher(kZeros), Known::kSeparator};
  entries_[n++] = {hasher(kOnes), Known::kSeparator};
  entries_[n++] = {hasher(kError), Known::kErrorSeparator};
  entries_[n++] = {hasher(as_bytes(kOmitBootDevices)), Known::kOmitBootDevices};
  for (const std::string_view action : kKnownActions) {
    const bool exit = action == kExitInvocation;
    entries_[n++] = {hasher(as_bytes(action)), exit ? Known::kExitBootServices : Known::kAction};
  }
}

Known KnownDigests::find(Bytes digest) const noexcept {
  for (const Entry& e : entries_) {
    if (std::ranges::equal(e.digest.bytes(), digest)) return e.known;
  }
  return Known::kNone;
}

}  // namespace attest::eventlog
