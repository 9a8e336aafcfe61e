// SPDX-License-Identifier: Apache-2.0

// Event types: PFP 1.06, section 10, and the numbers that Intel TXT uses for PCRs 17 to 22.
// A type is never covered by a digest: it says how to look at an event, never what it proves.

#ifndef LIBATTEST_EVENTLOG_TYPES_H_
#define LIBATTEST_EVENTLOG_TYPES_H_

#include <cstdint>

namespace attest::eventlog {

enum EventType : std::uint32_t {
  kEvPrebootCert = 0x0,
  kEvPostCode = 0x1,
  kEvUnused = 0x2,
  kEvNoAction = 0x3,
  kEvSeparator = 0x4,
  kEvAction = 0x5,
  kEvEventTag = 0x6,
  kEvSCrtmContents = 0x7,
  kEvSCrtmVersion = 0x8,
  kEvCpuMicrocode = 0x9,
  kEvPlatformConfigFlags = 0xa,
  kEvTableOfDevices = 0xb,
  kEvCompactHash = 0xc,
  kEvIpl = 0xd,
  kEvIplPartitionData = 0xe,
  kEvNonhostCode = 0xf,
  kEvNonhostConfig = 0x10,
  kEvNonhostInfo = 0x11,
  kEvOmitBootDeviceEvents = 0x12,
  kEvPostCode2 = 0x13,
  kEvEfiVariableDriverConfig = 0x80000001,
  kEvEfiVariableBoot = 0x80000002,
  kEvEfiBootServicesApplication = 0x80000003,
  kEvEfiBootServicesDriver = 0x80000004,
  kEvEfiRuntimeServicesDriver = 0x80000005,
  kEvEfiGptEvent = 0x80000006,
  kEvEfiAction = 0x80000007,
  kEvEfiPlatformFirmwareBlob = 0x80000008,
  kEvEfiHandoffTables = 0x80000009,
  kEvEfiPlatformFirmwareBlob2 = 0x8000000a,
  kEvEfiHandoffTables2 = 0x8000000b,
  kEvEfiVariableBoot2 = 0x8000000c,
  kEvEfiGptEvent2 = 0x8000000d,
  kEvEfiHcrtmEvent = 0x80000010,
  kEvEfiVariableAuthority = 0x800000e0,
  kEvEfiSpdmFirmwareBlob = 0x800000e1,
  kEvEfiSpdmFirmwareConfig = 0x800000e2,
  kEvEfiSpdmDevicePolicy = 0x800000e3,
  kEvEfiSpdmDeviceAuthority = 0x800000e4,
};

// Types of Intel TXT's (Software Development Guide, appendix on the event log) and tboot's that
// rules or words are about.
enum TxtEventType : std::uint32_t {
  kTxtPcrMapping = 0x401,
  kTxtHashStart = 0x402,
  kTxtCombinedHash = 0x403,
  kTxtSinitPubkeyHash = 0x410,
  kTxtLcpDetailsHash = 0x412,
  kTxtLcpAuthoritiesHash = 0x413,
  kTxtTbootMeasurement = 0x501,
};

// Records of a TXT log about the log itself have this pcrIndex: data, never extended.
inline constexpr std::uint32_t kTxtDataPcr = 255;

// The Windows loader's last record has this pcrIndex: data about the log, never extended.
inline constexpr std::uint32_t kTrustBoundaryPcr = 0xffffffff;

// Whether PFP names the type.
bool is_pfp_type(std::uint32_t type) noexcept;
// Whether the type is one of Intel TXT's, which only PCRs 17 to 22 carry.
bool is_txt_type(std::uint32_t type) noexcept;

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_TYPES_H_
