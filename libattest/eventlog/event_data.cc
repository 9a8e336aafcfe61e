// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/event_data.h"

#include <algorithm>
#include <array>

#include "libattest/base/text.h"
#include "libattest/eventlog/types.h"

namespace attest::eventlog {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kMaxNameUnits = 1024;  // 2,048 bytes
constexpr std::uint64_t kMaxVariable = std::uint64_t{1} << 20U;

constexpr std::string_view kReferenceManifest1 = "SP800-155 Event\0"sv;
constexpr std::string_view kReferenceManifest2 = "SP800-155 Event2"sv;
constexpr std::string_view kReferenceManifest3 = "SP800-155 Event3"sv;
constexpr std::string_view kHcrtmComponent = "H-CRTM CompMeas\0"sv;
constexpr std::string_view kStartupLocality = "StartupLocality\0"sv;

// `n` entries of `size` bytes, which are all that is left.
Bytes entries(Reader& r, std::uint64_t n, std::size_t size, std::string_view field) {
  if (n > r.remaining() / size) r.fail(field, "more entries than there are bytes for");
  const Bytes out = r.take(static_cast<std::size_t>(n) * size, field);
  r.expect_end(field);
  return out;
}

// {length u8, that many bytes}
Bytes described(Reader& r, std::string_view field) { return r.take(r.u8(field), field); }

// A string with its NUL behind a length that counts it.
std::string_view terminated(Reader& r, std::string_view field) {
  std::string_view text = as_text(described(r, field));
  if (text.empty()) return text;
  if (text.back() != '\0') r.fail(field, "a string without its NUL");
  text.remove_suffix(1);
  return text;
}

FirmwareBlob rest_of_blob(Reader& r, Bytes description) {
  FirmwareBlob b;
  b.description = description;
  b.base = r.u64le("BlobBase");
  b.length = r.u64le("BlobLength");
  r.expect_end("BlobLength");
  return b;
}

HandoffTables rest_of_tables(Reader& r, Bytes description, std::size_t pointer_size) {
  HandoffTables t;
  t.description = description;
  t.count = r.u64le("NumberOfTables");
  t.entries = entries(r, t.count, sizeof(Guid) + pointer_size, "TableEntry");
  return t;
}

void check_variable(Bytes data) {
  const VariableData v = parse_variable(data);
  if (!holds_signature_lists(v)) return;
  SignatureLists lists(v.data);
  while (lists.next()) continue;
}

}  // namespace

// In UTF-16LE the bytes of ASCII text stand between zeros.
bool VariableData::is(const Guid& vendor, std::string_view ascii_name) const noexcept {
  if (!is_guid(guid, vendor) || name.size() != ascii_name.size() * 2) return false;
  for (std::size_t i = 0; i < ascii_name.size(); ++i) {
    if (name[i * 2] != static_cast<std::uint8_t>(ascii_name[i]) || name[i * 2 + 1] != 0)
      return false;
  }
  return true;
}

bool holds_signature_lists(const VariableData& v) noexcept {
  return v.is(kEfiGlobalVariable, "PK") || v.is(kEfiGlobalVariable, "KEK") ||
         v.is(kImageSecurityDatabase, "db") || v.is(kImageSecurityDatabase, "dbx") ||
         v.is(kImageSecurityDatabase, "dbt") || v.is(kImageSecurityDatabase, "dbr");
}

VariableData parse_variable(Bytes in) {
  Reader r(in, "UEFI_VARIABLE_DATA");
  VariableData v;
  v.guid = r.take(sizeof(Guid), "VariableName");
  const std::uint64_t units = r.u64le("UnicodeNameLength");
  // Bounded before it is doubled: the number is 64 bits wide and would wrap.
  if (units > kMaxNameUnits) r.fail("UnicodeNameLength", "a name of more than 2048 bytes");
  const std::uint64_t size = r.u64le("VariableDataLength");
  if (size > kMaxVariable) r.fail("VariableDataLength", "more than 1 MiB");
  v.name = r.take(static_cast<std::size_t>(units) * 2, "UnicodeName");
  v.data = r.take(static_cast<std::size_t>(size), "VariableData");
  r.expect_end("VariableData");
  return v;
}

VariableData parse_shim_authority(Bytes in) {
  if (in.empty()) return parse_variable(in);
  try {
    return parse_variable(in.first(in.size() - 1));
  } catch (const ParseError&) {
    VariableData v = parse_variable(in);
    if (!v.data.empty()) v.data = v.data.first(v.data.size() - 1);
    return v;
  }
}

ImageLoad parse_image_load(Bytes in) {
  Reader r(in, "UEFI_IMAGE_LOAD_EVENT");
  ImageLoad i;
  i.address = r.u64le("ImageLocationInMemory");
  i.length = r.u64le("ImageLengthInMemory");
  i.link_time_address = r.u64le("ImageLinkTimeAddress");
  const std::uint64_t size = r.u64le("LengthOfDevicePath");
  i.device_path = entries(r, size, 1, "DevicePath");
  return i;
}

// UEFI 5.3.2 EFI_PARTITION_TABLE_HEADER, then a count and that many EFI_PARTITION_ENTRYs.
Gpt parse_gpt(Bytes in) {
  constexpr std::uint32_t kHeaderSize = 92;
  constexpr std::uint32_t kMinEntry = 128;
  Reader r(in, "UEFI_GPT_DATA");
  Gpt g;
  if (as_text(r.take(8, "Signature")) != "EFI PART") r.fail("Signature", "not \"EFI PART\"");
  r.u32le("Revision");
  if (r.u32le("HeaderSize") < kHeaderSize) r.fail("HeaderSize", "less than 92");
  r.u32le("HeaderCRC32");
  r.u32le("Reserved");
  r.u64le("MyLBA");
  r.u64le("AlternateLBA");
  r.u64le("FirstUsableLBA");
  r.u64le("LastUsableLBA");
  g.disk_guid = r.take(sizeof(Guid), "DiskGUID");
  r.u64le("PartitionEntryLBA");
  r.u32le("NumberOfPartitionEntries");
  const std::uint32_t entry = r.u32le("SizeOfPartitionEntry");
  if (entry < kMinEntry) r.fail("SizeOfPartitionEntry", "less than 128");
  r.u32le("PartitionEntryArrayCRC32");
  g.num_partitions = r.u64le("NumberOfPartitions");
  g.entries = entries(r, g.num_partitions, entry, "Partitions");
  return g;
}

FirmwareBlob parse_firmware_blob(Bytes in) {
  Reader r(in, "UEFI_PLATFORM_FIRMWARE_BLOB");
  return rest_of_blob(r, {});
}

FirmwareBlob parse_firmware_blob2(Bytes in) {
  Reader r(in, "UEFI_PLATFORM_FIRMWARE_BLOB2");
  const Bytes description = described(r, "BlobDescription");
  return rest_of_blob(r, description);
}

HandoffTables parse_handoff_tables(Bytes in, std::size_t pointer_size) {
  Reader r(in, "UEFI_HANDOFF_TABLE_POINTERS");
  return rest_of_tables(r, {}, pointer_size);
}

HandoffTables parse_handoff_tables2(Bytes in, std::size_t pointer_size) {
  Reader r(in, "UEFI_HANDOFF_TABLE_POINTERS2");
  const Bytes description = described(r, "TableDescription");
  return rest_of_tables(r, description, pointer_size);
}

TaggedEvent parse_tagged_event(Bytes in) {
  Reader r(in, "TCG_PCClientTaggedEvent");
  TaggedEvent t;
  t.id = r.u32le("taggedEventID");
  const std::uint32_t size = r.u32le("taggedEventDataSize");
  t.data = entries(r, size, 1, "taggedEventData");
  return t;
}

bool is_boot_stub_tag(std::uint32_t id) noexcept {
  constexpr std::array<std::uint32_t, 9> kTags{
      0xf5bc582a,                          // systemd-boot: loader.conf
      0x6c46f751,                          // systemd-stub add-ons: devicetree
      0x49dffe0f, 0xdac08e1a,              // initrd and microcode
      0xd5cb7cbc, 0xe0d47bc8, 0xc0b3bd23,  // SMBIOS structures of types 1, 2 and 11
      0x8f3b22ec, 0x8f3b22ed,              // Linux's EFI stub: initrd and load options
  };
  return std::ranges::find(kTags, id) != kTags.end();
}

ReferenceManifest parse_reference_manifest(Bytes in) {
  Reader r(in, "SP800-155 event");
  ReferenceManifest m;
  const std::string_view signature = as_text(r.take(16, "Signature"));
  if (signature == kReferenceManifest1) m.version = 1;
  if (signature == kReferenceManifest2) m.version = 2;
  if (signature == kReferenceManifest3) m.version = 3;
  if (m.version == 0) r.fail("Signature", "of no SP800-155 event");
  m.manufacturer_id = r.u32le("PlatformManufacturerId");
  m.guid = r.take(sizeof(Guid), "ReferenceManifestGuid");
  if (m.version >= 2) {
    m.platform_manufacturer = terminated(r, "PlatformManufacturerStr");
    m.platform_model = terminated(r, "PlatformModel");
    m.platform_version = terminated(r, "PlatformVersion");
    m.firmware_manufacturer = terminated(r, "FirmwareManufacturerStr");
    m.firmware_manufacturer_id = r.u32le("FirmwareManufacturerId");
    m.firmware_version = terminated(r, "FirmwareVersion");
  }
  if (m.version == 3) {
    m.rim_locator_type = r.u32le("RIMLocatorType");
    const std::uint32_t rim = r.u32le("RIMLocatorLength");
    m.rim_locator = r.take(rim, "RIMLocator");
    m.certificate_locator_type = r.u32le("PlatformCertLocatorType");
    const std::uint32_t certificate = r.u32le("PlatformCertLocatorLength");
    m.certificate_locator = r.take(certificate, "PlatformCertLocator");
  }
  r.expect_end("SP800-155 event");
  return m;
}

HcrtmComponent parse_hcrtm_component(Bytes in) {
  Reader r(in, "TCG_HCRTMComponentEvent");
  HcrtmComponent h;
  if (as_text(r.take(16, "Signature")) != kHcrtmComponent) r.fail("Signature", "of another event");
  h.description = described(r, "ComponentDescription");
  h.format = r.u8("MeasurementFormatType");
  const std::uint16_t size = r.u16le("ComponentMeasurementSize");
  h.measurement = r.take(size, "ComponentMeasurement");
  r.expect_end("ComponentMeasurement");
  return h;
}

NoAction no_action_kind(Bytes data) noexcept {
  const std::string_view text = as_text(data);
  if (text.starts_with("Spec ID Event0"sv)) return NoAction::kSpecId;
  if (text.starts_with(kStartupLocality)) return NoAction::kStartupLocality;
  if (text.starts_with(kHcrtmComponent)) return NoAction::kHcrtmComponent;
  for (const std::string_view signature :
       {kReferenceManifest1, kReferenceManifest2, kReferenceManifest3}) {
    if (text.starts_with(signature)) return NoAction::kReferenceManifest;
  }
  return NoAction::kOther;
}

void check_structure(std::uint32_t type, Bytes data, std::size_t pointer_size) {
  switch (type) {
    case kEvNoAction: {
      const NoAction kind = no_action_kind(data);
      if (kind == NoAction::kHcrtmComponent) parse_hcrtm_component(data);
      if (kind == NoAction::kReferenceManifest) parse_reference_manifest(data);
      break;
    }
    case kEvEventTag:
      parse_tagged_event(data);
      break;
    case kEvEfiVariableDriverConfig:
      check_variable(data);
      break;
    case kEvEfiVariableBoot:
    case kEvEfiVariableBoot2:
    case kEvEfiVariableAuthority:
      parse_variable(data);
      break;
    case kEvEfiBootServicesApplication:
    case kEvEfiBootServicesDriver:
    case kEvEfiRuntimeServicesDriver:
      parse_image_load(data);
      break;
    case kEvEfiGptEvent:
    case kEvEfiGptEvent2:
      parse_gpt(data);
      break;
    case kEvEfiPlatformFirmwareBlob:
      parse_firmware_blob(data);
      break;
    case kEvEfiPlatformFirmwareBlob2:
      parse_firmware_blob2(data);
      break;
    case kEvEfiHandoffTables:
      parse_handoff_tables(data, pointer_size);
      break;
    case kEvEfiHandoffTables2:
      parse_handoff_tables2(data, pointer_size);
      break;
    default:
      break;
  }
}

}  // namespace attest::eventlog
