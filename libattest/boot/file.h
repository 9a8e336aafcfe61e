// SPDX-License-Identifier: Apache-2.0

// Files by name, which only the boot configurations' own are. Errors are FileErrors.

#ifndef LIBATTEST_BOOT_FILE_H_
#define LIBATTEST_BOOT_FILE_H_

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace attest::boot {

// A descriptor that is closed.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

// A regular file that is read whole and replaced in one step: there is the old content or the new
// one, nothing between. The new file has the mode and the owner of the old one. A symbolic link is
// refused: it would become a file, and what it leads to would stay as it is. So is a file with
// further hard links, which would keep the old content.
class ReplaceableFile {
 public:
  ReplaceableFile(std::string path, std::size_t max_size);
  const std::string& content() const noexcept { return content_; }
  // Throws FileError when the file was changed since it was read, too.
  void replace(std::string_view content);

 private:
  Descriptor open_folder() const;
  Descriptor create(int folder, std::string& temporary) const;
  void fill(int fd, std::string_view content) const;
  void check_unchanged(int folder) const;

  std::string path_;
  std::string name_;  // behind the path's last slash
  struct stat about_ = {};
  std::string content_;
};

}  // namespace attest::boot

#endif  // LIBATTEST_BOOT_FILE_H_
