// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "libattest/base/error.h"
#include "libattest/base/text.h"

namespace attest::boot {
namespace {

constexpr int kMaxTemporaries = 100;

[[noreturn]] void fail(std::string_view path, std::string_view why) {
  throw FileError(printable(path, 200) + ": " + std::string(why));
}

[[noreturn]] void fail_with_errno(std::string_view path, std::string_view what) {
  const std::error_code error(errno, std::generic_category());
  fail(path, std::string(what) + ": " + error.message());
}

std::string read_all(int fd, const std::string& path, std::size_t max_size) {
  std::string out;
  while (out.size() <= max_size) {
    const std::size_t size = out.size();
    const std::size_t step = std::size_t{64} << 10U;
    out.resize(size + step);
    const ssize_t got = ::read(fd, out.data() + size, step);
    const int error = errno;
    out.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return out;
    errno = error;
    if (got < 0 && error != EINTR) fail_with_errno(path, "can not be read");
  }
  fail(path, "is larger than " + std::to_string(max_size >> 20U) + " MiB");
}

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

ReplaceableFile::ReplaceableFile(std::string path, std::size_t max_size) : path_(std::move(path)) {
  name_ = path_.substr(path_.rfind('/') == std::string::npos ? 0 : path_.rfind('/') + 1);
  // Not blocking: a FIFO would wait for its writer.
  const Descriptor fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid() && errno == ELOOP) {
    fail(path_, "is a symbolic link: name the file that it leads to");
  }
  if (!fd.valid()) fail_with_errno(path_, "can not be opened");
  if (::fstat(fd.get(), &about_) != 0) fail_with_errno(path_, "can not be read");
  if (!S_ISREG(about_.st_mode)) fail(path_, "is not a regular file");
  if (about_.st_nlink > 1) fail(path_, "has further hard links, which would not change");
  content_ = read_all(fd.get(), path_, max_size);
}

Descriptor ReplaceableFile::open_folder() const {
  const std::string folder =
      name_.size() == path_.size() ? "." : path_.substr(0, path_.size() - name_.size());
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!fd.valid()) fail_with_errno(path_, "its folder can not be opened");
  return fd;
}

Descriptor ReplaceableFile::create(int folder, std::string& temporary) const {
  for (int i = 0; i < kMaxTemporaries; ++i) {
    temporary = "." + name_ + "." + std::to_string(::getpid()) + "-" + std::to_string(i);
    Descriptor fd(::openat(folder, temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.valid()) return fd;
    if (errno != EEXIST) break;
  }
  fail_with_errno(path_, "no file can be made beside it");
}

void ReplaceableFile::fill(int fd, std::string_view content) const {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail_with_errno(path_, "its new content can not be written");
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  struct stat made = {};
  if (::fstat(fd, &made) != 0) fail_with_errno(path_, "its new content can not be written");
  // The owner first: changing it takes set-user-ID bits away.
  const bool owned = made.st_uid == about_.st_uid && made.st_gid == about_.st_gid;
  if (!owned && ::fchown(fd, about_.st_uid, about_.st_gid) != 0) {
    fail_with_errno(path_, "its owner can not be kept");
  }
  if (::fchmod(fd, about_.st_mode & 07777U) != 0)
    fail_with_errno(path_, "its mode can not be kept");
  if (::fsync(fd) != 0) fail_with_errno(path_, "its new content can not be written");
}

void ReplaceableFile::check_unchanged(int folder) const {
  struct stat now = {};
  if (::fstatat(folder, name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
    fail_with_errno(path_, "went away");
  }
  if (!same_file(now, about_)) fail(path_, "was changed meanwhile, and is left alone");
}

void ReplaceableFile::replace(std::string_view content) {
  const Descriptor folder = open_folder();
  std::string temporary;
  const Descriptor fd = create(folder.get(), temporary);
  try {
    fill(fd.get(), content);
    check_unchanged(folder.get());
    if (::renameat(folder.get(), temporary.c_str(), folder.get(), name_.c_str()) != 0) {
      fail_with_errno(path_, "can not be replaced");
    }
  } catch (...) {
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    throw;
  }
  // Not every file system has something to do there.
  if (::fsync(folder.get()) != 0 && errno != EINVAL) {
    fail_with_errno(path_, "is replaced, but its folder can not be written to disk");
  }
}

}  // namespace attest::boot
