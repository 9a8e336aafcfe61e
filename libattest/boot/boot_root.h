// SPDX-License-Identifier: Apache-2.0

// The folder that a TFTP or HTTP server serves, seen as a server that is confined to it sees it:
// nothing outside is reached, whatever paths and links say.

#ifndef LIBATTEST_BOOT_BOOT_ROOT_H_
#define LIBATTEST_BOOT_BOOT_ROOT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "libattest/boot/file.h"

namespace attest::boot {

class BootRoot {
 public:
  // Throws FileError when there is no such folder.
  explicit BootRoot(const std::string& path);

  enum class State {
    kGood,  // a regular file that can be read and is not empty
    kMissing,
    kOutside,   // the path or a link leads out of the folder
    kUnusable,  // `why` says why
  };
  struct File {
    State state = State::kMissing;
    std::string why;
    bool gzip = false;  // begins as RFC 1952 says
  };
  // Absolute paths and links are as from the folder.
  File look(std::string_view path) const;

 private:
  Descriptor root_;
};

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_BOOT_ROOT_H_
