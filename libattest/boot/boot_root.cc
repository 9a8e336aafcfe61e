// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/boot_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <list>
#include <system_error>
#include <vector>

#include "libattest/base/error.h"
#include "libattest/base/text.h"

namespace attest::boot {
namespace {

constexpr int kMaxLinks = 40;            // as Linux has it
constexpr std::size_t kMaxFolders = 64;  // each is an open descriptor

using Names = std::list<std::string>;

Names split(std::string_view path) {
  Names out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") out.emplace_back(name);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return out;
}

std::string words_of(int error) {
  return std::error_code(error, std::generic_category()).message();
}

BootRoot::File unusable(std::string why) {
  return {BootRoot::State::kUnusable, std::move(why), false};
}

// The path of one file, walked name by name: a folder that was entered stays the one that it is.
class Walk {
 public:
  Walk(int root, std::string_view path) : root_(root), names_(split(path)) {}

  BootRoot::File end() {
    while (!names_.empty()) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      if (name == "..") {
        if (folders_.empty()) return {BootRoot::State::kOutside, {}, false};
        folders_.pop_back();
        continue;
      }
      struct stat about = {};
      if (::fstatat(here(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return missing(errno);
      if (S_ISLNK(about.st_mode)) {
        if (++links_ > kMaxLinks) return unusable("too many symbolic links");
        if (!follow(name)) return unusable(words_of(errno));
      } else if (S_ISDIR(about.st_mode)) {
        if (folders_.size() >= kMaxFolders) return unusable("too many folders around it");
        Descriptor folder(
            ::openat(here(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder.valid()) return missing(errno);
        folders_.push_back(std::move(folder));
      } else {
        return names_.empty() ? look_at(name) : missing(ENOTDIR);
      }
    }
    return unusable("is a folder");
  }

 private:
  int here() const noexcept { return folders_.empty() ? root_ : folders_.back().get(); }

  static BootRoot::File missing(int error) {
    if (error == ENOENT || error == ENOTDIR) return {};
    return unusable(words_of(error));
  }

  // Puts what the link says into its place.
  bool follow(const std::string& name) {
    std::array<char, 4096> target{};
    const ssize_t size = ::readlinkat(here(), name.c_str(), target.data(), target.size());
    if (size < 0) return false;
    const std::string_view to(target.data(), static_cast<std::size_t>(size));
    if (to.starts_with('/')) folders_.clear();
    names_.splice(names_.begin(), split(to));
    return true;
  }

  BootRoot::File look_at(const std::string& name) const {
    // Not blocking: a FIFO would wait for its writer.
    const Descriptor fd(
        ::openat(here(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd.valid()) return unusable(words_of(errno));
    struct stat about = {};
    if (::fstat(fd.get(), &about) != 0) return unusable(words_of(errno));
    if (!S_ISREG(about.st_mode)) return unusable("is not a regular file");
    if (about.st_size == 0) return unusable("is empty");
    std::array<std::uint8_t, 2> magic{};
    const bool two = ::pread(fd.get(), magic.data(), magic.size(), 0) == 2;
    return {BootRoot::State::kGood, {}, two && magic[0] == 0x1f && magic[1] == 0x8b};
  }

  int root_;
  Names names_;
  std::vector<Descriptor> folders_;
  int links_ = 0;
};

}  // namespace

BootRoot::BootRoot(const std::string& path)
    : root_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!root_.valid()) throw FileError(printable(path, 200) + ": " + words_of(errno));
}

BootRoot::File BootRoot::look(std::string_view path) const { return Walk(root_.get(), path).end(); }

}  // namespace attest::boot
