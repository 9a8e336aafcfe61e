// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/describe.h"

#include <algorithm>
#include <array>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/eventlog/event_data.h"
#include "libattest/eventlog/launch.h"
#include "libattest/eventlog/types.h"

namespace attest::eventlog {
namespace {

constexpr std::size_t kMaxShownBytes = 16;

std::string hex_number(std::uint64_t value) {
  std::array<std::uint8_t, 8> big_endian{};
  std::size_t first = big_endian.size() - 1;
  for (std::size_t i = big_endian.size(); i-- > 0; value >>= 8U) {
    big_endian[i] = static_cast<std::uint8_t>(value);
    if (big_endian[i] != 0) first = i;
  }
  return "0x" + to_hex(Bytes(big_endian).subspan(first));
}

std::string bytes_of(Bytes data) {
  return std::to_string(data.size()) + (data.size() == 1 ? " byte" : " bytes");
}

std::string short_bytes(Bytes data) {
  if (data.empty()) return "empty";
  return data.size() <= kMaxShownBytes ? to_hex(data) : bytes_of(data);
}

// The bytes up to the first NUL of their encoding. Names in logs are ASCII or UTF-16.
std::string text_of(Bytes data) {
  const bool wide = data.size() >= 2 && data[0] != 0 && data[1] == 0;
  const std::string text = wide ? utf8_of_utf16(data) : std::string(as_text(data));
  return printable(std::string_view(text).substr(0, text.find('\0')));
}

// Printable ASCII, which a NUL may end.
bool is_ascii_text(Bytes data) noexcept {
  if (!data.empty() && data.back() == 0) data = data.first(data.size() - 1);
  return !data.empty() &&
         std::ranges::all_of(data, [](std::uint8_t b) { return b >= 0x20 && b < 0x7f; });
}

std::string text_or_bytes(Bytes data) {
  const std::string text = text_of(data);
  return text.empty() ? short_bytes(data) : text;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// UEFI 3.1.3 EFI_LOAD_OPTION: the description behind Attributes and FilePathListLength.
std::string load_option(Bytes data) {
  constexpr std::size_t kFixed = 6;
  if (data.size() <= kFixed) return short_bytes(data);
  return quoted(text_of(data.subspan(kFixed)));
}

std::string describe_variable(std::uint32_t type, Bytes data) {
  const VariableData v = parse_variable(data);
  const std::string name = printable(utf8_of_utf16(v.name));
  std::string out = "variable " + quoted(name) + ": ";
  if (type == kEvEfiVariableDriverConfig && holds_signature_lists(v)) {
    std::size_t count = 0;
    for (SignatureLists lists(v.data); lists.next();) ++count;
    return out + std::to_string(count) + (count == 1 ? " signature" : " signatures");
  }
  const bool boot_option = name.size() == 8 && name.starts_with("Boot") &&
                           from_hex(std::string_view(name).substr(4)).has_value();
  return out + (boot_option ? load_option(v.data) : short_bytes(v.data));
}

std::string describe_image(Bytes data) {
  const ImageLoad i = parse_image_load(data);
  std::string out = std::to_string(i.length) + " bytes at " + hex_number(i.address);
  const Bytes file = file_of_device_path(i.device_path);
  if (!file.empty()) out += ", file " + quoted(printable(utf8_of_utf16(file)));
  return out;
}

std::string describe_gpt(Bytes data) {
  const Gpt g = parse_gpt(data);
  return "disk " + guid_text(g.disk_guid) + ", " + std::to_string(g.num_partitions) +
         (g.num_partitions == 1 ? " partition" : " partitions");
}

std::string describe_blob(const FirmwareBlob& b) {
  std::string out = std::to_string(b.length) + " bytes at " + hex_number(b.base);
  if (!b.description.empty()) out += ", " + quoted(text_of(b.description));
  return out;
}

std::string describe_tables(const HandoffTables& t, std::size_t pointer_size) {
  std::string out = std::to_string(t.count) + (t.count == 1 ? " table" : " tables");
  if (!t.description.empty()) out += ", " + quoted(text_of(t.description));
  if (t.count == 1) out += ", " + guid_text(t.entries.first(t.entries.size() - pointer_size));
  return out;
}

std::string describe_tag(Bytes data) {
  const TaggedEvent t = parse_tagged_event(data);
  return "tag " + hex_number(t.id) + ": " + text_or_bytes(t.data);
}

std::string describe_manifest(Bytes data) {
  const ReferenceManifest m = parse_reference_manifest(data);
  std::string out = "reference manifest " + guid_text(m.guid);
  if (m.version >= 2) {
    out += " of " + quoted(printable(m.platform_manufacturer)) + " " +
           quoted(printable(m.platform_model)) + ", firmware " +
           quoted(printable(m.firmware_version));
  }
  return out;
}

std::string describe_no_action(Bytes data) {
  switch (no_action_kind(data)) {
    case NoAction::kSpecId:
      return "header " + quoted(text_of(data.first(std::min<std::size_t>(data.size(), 16))));
    case NoAction::kStartupLocality:
      return "StartupLocality " + (data.size() == 17 ? std::to_string(data[16]) : bytes_of(data));
    case NoAction::kHcrtmComponent:
      return "H-CRTM component " + quoted(text_of(parse_hcrtm_component(data).description));
    case NoAction::kReferenceManifest:
      return describe_manifest(data);
    case NoAction::kOther:
      break;
  }
  return bytes_of(data);
}

std::string describe_version(Bytes data) {
  if (data.size() == sizeof(Guid)) {
    // A version of seven characters has a GUID's size: text has a zero in every second byte.
    if (data[1] != 0 || data[3] != 0) return guid_text(data);
  }
  return "version " + quoted(text_of(data));
}

std::string by_type(const Log& log, const Event& e) {
  switch (e.type) {
    case kEvNoAction:
      return describe_no_action(e.data);
    case kEvSeparator:
      return short_bytes(e.data);
    case kEvEventTag:
      return describe_tag(e.data);
    case kEvSCrtmVersion:
      return describe_version(e.data);
    case kEvAction:
    case kEvCompactHash:
    case kEvIpl:
    case kEvOmitBootDeviceEvents:
    case kEvEfiAction:
    case kEvEfiHcrtmEvent:
      return text_or_bytes(e.data);
    case kEvEfiVariableDriverConfig:
    case kEvEfiVariableBoot:
    case kEvEfiVariableBoot2:
    case kEvEfiVariableAuthority:
      return describe_variable(e.type, e.data);
    case kEvEfiBootServicesApplication:
    case kEvEfiBootServicesDriver:
    case kEvEfiRuntimeServicesDriver:
      return describe_image(e.data);
    case kEvEfiGptEvent:
    case kEvEfiGptEvent2:
      return describe_gpt(e.data);
    case kEvEfiPlatformFirmwareBlob:
      return describe_blob(parse_firmware_blob(e.data));
    case kEvEfiPlatformFirmwareBlob2:
      return describe_blob(parse_firmware_blob2(e.data));
    case kEvEfiHandoffTables:
      return describe_tables(parse_handoff_tables(e.data, log.pointer_size()), log.pointer_size());
    case kEvEfiHandoffTables2:
      return describe_tables(parse_handoff_tables2(e.data, log.pointer_size()), log.pointer_size());
    case kEvPostCode:
    case kEvPostCode2:
    case kEvSCrtmContents:
      if (e.data.size() == 16 && !is_ascii_text(e.data)) {
        return describe_blob(parse_firmware_blob(e.data));
      }
      break;
    default:
      break;
  }
  return is_ascii_text(e.data) ? text_of(e.data) : bytes_of(e.data);
}

}  // namespace

std::string describe(const Log& log, const Event& event) {
  try {
    if (log.source() == Source::kLaunch && is_txt_type(event.type)) {
      if (event.data.empty()) return name_in_launch(log, event);
      return is_ascii_text(event.data) ? text_of(event.data) : short_bytes(event.data);
    }
    return by_type(log, event);
  } catch (const ParseError&) {
    return bytes_of(event.data) + ", not of the type's structure";
  }
}

bool is_hint(Coverage coverage) noexcept {
  return coverage != Coverage::kCovered && coverage != Coverage::kPartly;
}

}  // namespace attest::eventlog
