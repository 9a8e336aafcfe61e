// SPDX-License-Identifier: Apache-2.0

// The structures that events' data have: PFP 1.06, section 10, and UEFI 2.10 where it says so.
// Each parser takes all of an event's data and throws ParseError, with offsets from the start of
// the data, for anything that is not exactly one structure. The Bytes are views into the data.
// Whether the data is covered by the event's digest is check()'s to say.

#ifndef LIBATTEST_EVENTLOG_EVENT_DATA_H_
#define LIBATTEST_EVENTLOG_EVENT_DATA_H_

#include <cstdint>
#include <string_view>

#include "libattest/base/reader.h"
#include "libattest/eventlog/efi.h"

namespace attest::eventlog {

// UEFI_VARIABLE_DATA
struct VariableData {
  Bytes guid;
  Bytes name;  // UTF-16LE without NUL
  Bytes data;

  bool is(const Guid& vendor, std::string_view ascii_name) const noexcept;
};
VariableData parse_variable(Bytes in);
// The same for an authority that shim logged with one byte more than it measured, which is dropped:
// it stands behind the structure or inside its VariableData.
VariableData parse_shim_authority(Bytes in);
// Whether the variable holds signature lists: PK, KEK, db, dbx, dbt and dbr of their owners.
bool holds_signature_lists(const VariableData& variable) noexcept;

// UEFI_IMAGE_LOAD_EVENT
struct ImageLoad {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  std::uint64_t link_time_address = 0;
  Bytes device_path;
};
ImageLoad parse_image_load(Bytes in);

// UEFI_GPT_DATA
struct Gpt {
  Bytes disk_guid;
  std::uint64_t num_partitions = 0;
  Bytes entries;
};
Gpt parse_gpt(Bytes in);

// UEFI_PLATFORM_FIRMWARE_BLOB and, with a description, UEFI_PLATFORM_FIRMWARE_BLOB2
struct FirmwareBlob {
  Bytes description;
  std::uint64_t base = 0;
  std::uint64_t length = 0;
};
FirmwareBlob parse_firmware_blob(Bytes in);
FirmwareBlob parse_firmware_blob2(Bytes in);

// UEFI_HANDOFF_TABLE_POINTERS and, with a description, UEFI_HANDOFF_TABLE_POINTERS2
struct HandoffTables {
  Bytes description;
  std::uint64_t count = 0;
  Bytes entries;  // count times a GUID and a pointer of `pointer_size` bytes
};
HandoffTables parse_handoff_tables(Bytes in, std::size_t pointer_size);
HandoffTables parse_handoff_tables2(Bytes in, std::size_t pointer_size);

// TCG_PCClientTaggedEvent
struct TaggedEvent {
  std::uint32_t id = 0;
  Bytes data;
};
TaggedEvent parse_tagged_event(Bytes in);
// Whether systemd or Linux's EFI stub writes this tag: its digest covers what the data names.
bool is_boot_stub_tag(std::uint32_t id) noexcept;

// The SP800-155 events: where reference manifests are, unsigned, as hints that nothing follows.
struct ReferenceManifest {
  int version = 0;  // 1 to 3, of "SP800-155 Event", "…Event2", "…Event3"
  std::uint32_t manufacturer_id = 0;
  Bytes guid;
  std::string_view platform_manufacturer, platform_model, platform_version;
  std::string_view firmware_manufacturer, firmware_version;
  std::uint32_t firmware_manufacturer_id = 0;
  std::uint32_t rim_locator_type = 0;
  Bytes rim_locator;
  std::uint32_t certificate_locator_type = 0;
  Bytes certificate_locator;
};
ReferenceManifest parse_reference_manifest(Bytes in);

// TCG_HCRTMComponentEvent
struct HcrtmComponent {
  Bytes description;
  std::uint8_t format = 0;
  Bytes measurement;
};
HcrtmComponent parse_hcrtm_component(Bytes in);

// What an EV_NO_ACTION's data is, by its signature.
enum class NoAction : std::uint8_t {
  kOther,
  kSpecId,
  kStartupLocality,
  kHcrtmComponent,
  kReferenceManifest,
};
NoAction no_action_kind(Bytes data) noexcept;

// Parses data as the structure that `type` has, if it has one, and throws ParseError if it is not.
void check_structure(std::uint32_t type, Bytes data, std::size_t pointer_size);

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_EVENT_DATA_H_
