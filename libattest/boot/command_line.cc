// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/command_line.h"

namespace attest::boot {
namespace {

// TBOOT_KERNEL_CMDLINE_SIZE of tboot's config.h, less the NUL.
constexpr std::size_t kTbootKeeps = 1023;
// MB_MAX_CMDLINE of iPXE's multiboot.c: the command lines of all images, each with its NUL.
constexpr std::size_t kIpxeKeeps = 512;

struct Room {
  std::size_t used;  // by what stands before the arguments, or needs to
  std::size_t size;
  std::string_view whose;
};

Room room_of(Format format, std::string_view tboot, std::string_view path) {
  switch (format) {
    case Format::kPxelinux:  // mboot.c32 hands on the path, too
      return {path.size() + 1, kTbootKeeps, "tboot keeps 1023 bytes of the path and them"};
    case Format::kIpxe:
      return {tboot.size() + 1 + path.size() + 1 + 1, kIpxeKeeps,
              "iPXE keeps 512 bytes of all URLs and arguments together"};
    case Format::kGrub:
      break;
  }
  return {0, kTbootKeeps, "tboot keeps 1023 bytes"};
}

}  // namespace

std::optional<std::string> why_cut(Format format, std::string_view tboot, std::string_view path,
                                   std::size_t size) {
  const Room room = room_of(format, tboot, path);
  const std::size_t arrives = room.size > room.used ? room.size - room.used : 0;
  if (size <= arrives) return std::nullopt;
  return std::to_string(size) + " bytes of arguments, of which " + std::to_string(arrives) +
         " arrive: " + std::string(room.whose);
}

}  // namespace attest::boot
