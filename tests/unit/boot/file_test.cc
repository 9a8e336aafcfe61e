// SPDX-License-Identifier: Apache-2.0

#include "libattest/boot/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "libattest/base/error.h"
#include "libattest/boot/switch.h"
#include "tests/support/parse_error.h"
#include "tests/support/scratch.h"

using attest::FileError;
using attest::boot::ReplaceableFile;
using Catch::Matchers::Contains;

namespace {

template <typename Call>
std::string file_error_of(Call call) {
  try {
    call();
  } catch (const FileError& e) {
    return e.what();
  }
  return "accepted";
}

std::string error_of(const std::filesystem::path& path) {
  return file_error_of([&] { const ReplaceableFile file(path, 1000); });
}

struct stat about(const std::filesystem::path& path) {
  struct stat out = {};
  REQUIRE(::lstat(path.c_str(), &out) == 0);
  return out;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a file is replaced by another one with its mode, and nothing is left behind") {
  const Scratch folder;
  const auto path = folder.write("config", "old");
  for (const mode_t mode : {0600U, 0644U, 0640U, 0444U, 04755U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const struct stat before = about(path);
    ReplaceableFile file(path, 1000);
    CHECK((file.content() == "old" || file.content() == "new"));
    file.replace("new");
    CHECK(folder.read("config") == "new");
    CHECK(about(path).st_mode == before.st_mode);
    CHECK(about(path).st_ino != before.st_ino);
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("the owner is kept") {
  if (::geteuid() != 0) {
    WARN("skipped: only root gives files away");
    return;
  }
  const Scratch folder;
  const auto path = folder.write("config", "old");
  REQUIRE(::chown(path.c_str(), 12345, 54321) == 0);
  REQUIRE(::chmod(path.c_str(), 06750) == 0);
  ReplaceableFile(path, 1000).replace("new");
  CHECK(about(path).st_uid == 12345);
  CHECK(about(path).st_gid == 54321);
  CHECK((about(path).st_mode & 07777U) == 06750U);
}

TEST_CASE("what is not one regular file of its own is refused") {
  const Scratch folder;
  const auto path = folder.write("config", "text");
  CHECK(error_of(path) == "accepted");
  CHECK(error_of(folder.path() / "none") ==
        (folder.path() / "none").string() + ": can not be opened: No such file or directory");
  CHECK_THAT(error_of(folder.path()), Contains("is not a regular file"));
  std::filesystem::create_symlink("config", folder.path() / "link");
  CHECK_THAT(error_of(folder.path() / "link"),
             Contains("is a symbolic link: name the file that it leads to"));
  REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
  CHECK_THAT(error_of(folder.path() / "fifo"), Contains("is not a regular file"));
  folder.write("large", std::string(1001, 'x'));
  CHECK_THAT(error_of(folder.path() / "large"), Contains("is larger than"));
  folder.write("fits", std::string(1000, 'x'));
  CHECK(error_of(folder.path() / "fits") == "accepted");
  std::filesystem::create_hard_link(path, folder.path() / "second");
  CHECK_THAT(error_of(path), Contains("has further hard links"));
}

TEST_CASE("a file that changed meanwhile is left alone") {
  const Scratch folder;
  const auto path = folder.write("config", "old");
  const auto replace_after = [&](auto change) {
    ReplaceableFile file(path, 1000);
    change();
    return file_error_of([&] { file.replace("new"); });
  };
  CHECK_THAT(replace_after([&] { folder.write("config", "other"); }),
             Contains("was changed meanwhile"));
  CHECK(folder.read("config") == "other");
  CHECK_THAT(replace_after([&] {
               folder.write("next", "other");
               std::filesystem::rename(folder.path() / "next", path);
             }),
             Contains("was changed meanwhile"));
  CHECK_THAT(replace_after([&] { std::filesystem::remove(path); }), Contains("went away"));
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("names that are in the way are left alone") {
  const Scratch folder;
  const auto path = folder.write("config", "old");
  const std::string temporary = ".config." + std::to_string(::getpid()) + "-";
  folder.write(temporary + "0", "mine");
  std::filesystem::create_symlink("/dev/null", folder.path() / (temporary + "1"));
  ReplaceableFile(path, 1000).replace("new");
  CHECK(folder.read("config") == "new");
  CHECK(folder.read(temporary + "0") == "mine");
  CHECK(files_in(folder.path()) == 3);
}

TEST_CASE("a file is switched once, and as it was after a failure") {
  const Scratch folder;
  const std::string text = "default deploy\nlabel trusted_boot\nappend root={{ ROOT }}\n";
  const auto path = folder.write("config", text);
  attest::boot::SwitchOptions o;
  o.label = "trusted_boot";
  o.root_uuid = "1-2";
  CHECK(attest::boot::switch_file(path, o));
  CHECK(folder.read("config") ==
        "default trusted_boot\nlabel trusted_boot\nappend root=UUID=1-2\n");
  const struct stat before = about(path);
  CHECK_FALSE(attest::boot::switch_file(path, o));
  CHECK(about(path).st_ino == before.st_ino);
  o.label = "other";
  CHECK(parse_error_of([&] { return attest::boot::switch_file(path, o); }) ==
        path.string() +
            ": line 1: can not be switched to 'other': the configuration has no such label");
  CHECK(about(path).st_ino == before.st_ino);
}
