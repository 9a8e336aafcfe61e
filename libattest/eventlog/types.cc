// SPDX-License-Identifier: Apache-2.0

#include "libattest/eventlog/types.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "libattest/base/hex.h"
#include "libattest/eventlog/log.h"

namespace attest::eventlog {
namespace {

struct Name {
  std::uint32_t type;
  std::string_view name;
};

constexpr std::array kPfpNames{
    Name{kEvPrebootCert, "EV_PREBOOT_CERT"},
    Name{kEvPostCode, "EV_POST_CODE"},
    Name{kEvUnused, "EV_UNUSED"},
    Name{kEvNoAction, "EV_NO_ACTION"},
    Name{kEvSeparator, "EV_SEPARATOR"},
    Name{kEvAction, "EV_ACTION"},
    Name{kEvEventTag, "EV_EVENT_TAG"},
    Name{kEvSCrtmContents, "EV_S_CRTM_CONTENTS"},
    Name{kEvSCrtmVersion, "EV_S_CRTM_VERSION"},
    Name{kEvCpuMicrocode, "EV_CPU_MICROCODE"},
    Name{kEvPlatformConfigFlags, "EV_PLATFORM_CONFIG_FLAGS"},
    Name{kEvTableOfDevices, "EV_TABLE_OF_DEVICES"},
    Name{kEvCompactHash, "EV_COMPACT_HASH"},
    Name{kEvIpl, "EV_IPL"},
    Name{kEvIplPartitionData, "EV_IPL_PARTITION_DATA"},
    Name{kEvNonhostCode, "EV_NONHOST_CODE"},
    Name{kEvNonhostConfig, "EV_NONHOST_CONFIG"},
    Name{kEvNonhostInfo, "EV_NONHOST_INFO"},
    Name{kEvOmitBootDeviceEvents, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    Name{kEvPostCode2, "EV_POST_CODE2"},
    Name{kEvEfiVariableDriverConfig, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    Name{kEvEfiVariableBoot, "EV_EFI_VARIABLE_BOOT"},
    Name{kEvEfiBootServicesApplication, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    Name{kEvEfiBootServicesDriver, "EV_EFI_BOOT_SERVICES_DRIVER"},
    Name{kEvEfiRuntimeServicesDriver, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    Name{kEvEfiGptEvent, "EV_EFI_GPT_EVENT"},
    Name{kEvEfiAction, "EV_EFI_ACTION"},
    Name{kEvEfiPlatformFirmwareBlob, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    Name{kEvEfiHandoffTables, "EV_EFI_HANDOFF_TABLES"},
    Name{kEvEfiPlatformFirmwareBlob2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    Name{kEvEfiHandoffTables2, "EV_EFI_HANDOFF_TABLES2"},
    Name{kEvEfiVariableBoot2, "EV_EFI_VARIABLE_BOOT2"},
    Name{kEvEfiGptEvent2, "EV_EFI_GPT_EVENT2"},
    Name{kEvEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT"},
    Name{kEvEfiVariableAuthority, "EV_EFI_VARIABLE_AUTHORITY"},
    Name{kEvEfiSpdmFirmwareBlob, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    Name{kEvEfiSpdmFirmwareConfig, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
    Name{kEvEfiSpdmDevicePolicy, "EV_EFI_SPDM_DEVICE_POLICY"},
    Name{kEvEfiSpdmDeviceAuthority, "EV_EFI_SPDM_DEVICE_AUTHORITY"},
};

// Intel TXT measured launched environment developer's guide, appendix on the event log; 0x501 is
// tboot's own measurement.
constexpr std::array kTxtNames{
    Name{0x401, "PCR_MAPPING"},       Name{0x402, "HASH_START"},
    Name{0x403, "COMBINED_HASH"},     Name{0x404, "MLE_HASH"},
    Name{0x40a, "BIOSAC_REG_DATA"},   Name{0x40b, "CPU_SCRTM_STAT"},
    Name{0x40c, "LCP_CONTROL_HASH"},  Name{0x40d, "ELEMENTS_HASH"},
    Name{0x40e, "STM_HASH"},          Name{0x40f, "OSSINITDATA_CAP_HASH"},
    Name{0x410, "SINIT_PUBKEY_HASH"}, Name{0x411, "LCP_HASH"},
    Name{0x412, "LCP_DETAILS_HASH"},  Name{0x413, "LCP_AUTHORITIES_HASH"},
    Name{0x414, "NV_INFO_HASH"},      Name{0x416, "KM_HASH"},
    Name{0x417, "BPM_HASH"},          Name{0x418, "KM_INFO_HASH"},
    Name{0x419, "BPM_INFO_HASH"},     Name{0x41a, "BOOT_POL_HASH"},
    Name{0x4ff, "CAP_VALUE"},         Name{0x501, "TBOOT_MEASUREMENT"},
};

template <std::size_t N>
const Name* find(const std::array<Name, N>& names, std::uint32_t type) noexcept {
  const auto it = std::ranges::lower_bound(names, type, {}, &Name::type);
  return it != names.end() && it->type == type ? &*it : nullptr;
}

static_assert(std::ranges::is_sorted(kPfpNames, {}, &Name::type));
static_assert(std::ranges::is_sorted(kTxtNames, {}, &Name::type));

}  // namespace

bool is_pfp_type(std::uint32_t type) noexcept { return find(kPfpNames, type) != nullptr; }
bool is_txt_type(std::uint32_t type) noexcept { return find(kTxtNames, type) != nullptr; }

std::string type_name(std::uint32_t type) {
  if (const Name* name = find(kPfpNames, type)) return std::string(name->name);
  if (const Name* name = find(kTxtNames, type)) return std::string(name->name);
  const std::array<std::uint8_t, 4> big_endian{
      static_cast<std::uint8_t>(type >> 24U), static_cast<std::uint8_t>(type >> 16U),
      static_cast<std::uint8_t>(type >> 8U), static_cast<std::uint8_t>(type)};
  return "0x" + to_hex(big_endian);
}

}  // namespace attest::eventlog
