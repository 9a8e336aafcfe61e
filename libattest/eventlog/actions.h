// SPDX-License-Identifier: Apache-2.0

// The texts of EV_ACTION and EV_EFI_ACTION that PFP section 10 fixes and libattest knows.

#ifndef LIBATTEST_EVENTLOG_ACTIONS_H_
#define LIBATTEST_EVENTLOG_ACTIONS_H_

#include <array>
#include <string_view>

namespace attest::eventlog {

inline constexpr std::string_view kExitInvocation = "Exit Boot Services Invocation";
inline constexpr std::string_view kExitSuccess = "Exit Boot Services Returned with Success";
inline constexpr std::string_view kExitFailure = "Exit Boot Services Returned with Failure";
inline constexpr std::string_view kDebugMode = "UEFI Debug Mode";
inline constexpr std::string_view kDmaProtectionDisabled = "DMA Protection Disabled";

inline constexpr std::array kKnownActions{
    kExitInvocation,
    kExitSuccess,
    kExitFailure,
    kDebugMode,
    kDmaProtectionDisabled,
    std::string_view("Calling EFI Application from Boot Option"),
    std::string_view("Returning from EFI Application from Boot Option"),
    std::string_view("Calling INT 19h"),
    std::string_view("Returned INT 19h"),
    std::string_view("Start Option ROM Scan"),
    std::string_view("Entering ROM Based Setup"),
};

}  // namespace attest::eventlog

#endif  // LIBATTEST_EVENTLOG_ACTIONS_H_
