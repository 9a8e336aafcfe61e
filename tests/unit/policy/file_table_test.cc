// SPDX-License-Identifier: Apache-2.0

#include "libattest/policy/file_table.h"

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "libattest/base/text.h"

using attest::Bytes;
using attest::policy::FileTable;
using attest::policy::Listed;

namespace {

std::vector<std::uint8_t> digest(std::size_t size, std::size_t value) {
  std::vector<std::uint8_t> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(value >> (i % 4 * 8));
  return out;
}

FileTable table_of(const std::vector<std::string>& paths) {
  FileTable table;
  for (std::size_t i = 0; i < paths.size(); ++i) table.add(paths[i], "sha256", digest(32, i));
  table.seal();
  return table;
}

}  // namespace

TEST_CASE("a path is listed with its digest and algorithm only") {
  FileTable table;
  table.add("/bin/ls", "sha256", digest(32, 1));
  table.seal();
  CHECK(table.find("/bin/ls", "sha256", digest(32, 1)) == Listed::kYes);
  CHECK(table.find("/bin/ls", "sha256", digest(32, 2)) == Listed::kOtherDigest);
  CHECK(table.find("/bin/ls", "sm3", digest(32, 1)) == Listed::kOtherDigest);
  CHECK(table.find("/bin/ls", "sha256", digest(31, 1)) == Listed::kOtherDigest);
  CHECK(table.find("/bin/ls", "sha256", {}) == Listed::kOtherDigest);
  CHECK(table.find("/bin/l", "sha256", digest(32, 1)) == Listed::kNo);
  CHECK(table.find("/bin/lsx", "sha256", digest(32, 1)) == Listed::kNo);
  CHECK(table.find("/bin/lS", "sha256", digest(32, 1)) == Listed::kNo);
  CHECK(table.find("", "sha256", digest(32, 1)) == Listed::kNo);
}

TEST_CASE("digests of a path add up, each once") {
  FileTable table;
  for (const std::size_t n : {3U, 1U, 2U, 1U, 3U}) table.add("/a", "sha256", digest(32, n));
  table.add("/b", "sha256", digest(32, 9));
  table.add("/a", "sha1", digest(20, 4));
  table.add("/a", "sha512", digest(64, 5));
  table.add("/b", "sha256", digest(32, 9));
  table.seal();
  CHECK(table.num_paths() == 2);
  CHECK(table.num_digests() == 6);
  for (const std::size_t n : {1U, 2U, 3U}) {
    CHECK(table.find("/a", "sha256", digest(32, n)) == Listed::kYes);
  }
  CHECK(table.find("/a", "sha1", digest(20, 4)) == Listed::kYes);
  CHECK(table.find("/a", "sha512", digest(64, 5)) == Listed::kYes);
  CHECK(table.find("/a", "sha256", digest(32, 9)) == Listed::kOtherDigest);
  CHECK(table.find("/a", "sha1", digest(20, 1)) == Listed::kOtherDigest);
  CHECK(table.find("/a", "sha384", digest(48, 1)) == Listed::kOtherDigest);
  CHECK(table.find("/b", "sha256", digest(32, 9)) == Listed::kYes);
  CHECK(table.find("/b", "sha1", digest(20, 4)) == Listed::kOtherDigest);
}

TEST_CASE("a digest longer than a slot is found") {
  FileTable table;
  table.add("/a", "sha512", digest(64, 7));
  table.seal();
  CHECK(table.find("/a", "sha512", digest(64, 7)) == Listed::kYes);
  auto other = digest(64, 7);
  other[63] ^= 1;
  CHECK(table.find("/a", "sha512", other) == Listed::kOtherDigest);
  CHECK(table.first_digest("/a").size() == 64);
}

TEST_CASE("some digest of a listed path is there for messages") {
  FileTable table;
  table.add("/a", "sha256", digest(32, 7));
  table.seal();
  const Bytes first = table.first_digest("/a");
  CHECK(std::vector<std::uint8_t>(first.begin(), first.end()) == digest(32, 7));
  CHECK(table.first_digest("/b").empty());
}

TEST_CASE("paths of every length and shape are found, and no others") {
  std::vector<std::string> paths;
  for (std::size_t n = 1; n < 200; ++n) paths.push_back(std::string(n, 'a'));
  for (int b = 1; b < 256; ++b) paths.push_back("/x/" + std::string(1, static_cast<char>(b)));
  paths.push_back(std::string(70'000, 'b'));
  const FileTable table = table_of(paths);
  REQUIRE(table.num_paths() == paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CHECK(table.find(paths[i], "sha256", digest(32, i)) == Listed::kYes);
    CHECK(table.find(paths[i] + "a.", "sha256", digest(32, i)) == Listed::kNo);
  }
}

TEST_CASE("a probe that is touched finds what one that is not finds") {
  std::vector<std::string> paths;
  for (int i = 0; i < 2000; ++i) paths.push_back("/usr/lib/" + std::to_string(i));
  const FileTable table = table_of(paths);
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::string path = "/usr/lib/" + std::to_string(i);
    const auto probe = table.probe(path);
    table.touch(probe);
    CHECK(table.find(probe, "sha256", digest(32, i)) == (i < 2000 ? Listed::kYes : Listed::kNo));
  }
}

TEST_CASE("nothing is listed in a table that is empty or not sealed") {
  FileTable table;
  CHECK(table.find("/a", "sha256", digest(32, 1)) == Listed::kNo);
  table.add("/a", "sha256", digest(32, 1));
  CHECK(table.find("/a", "sha256", digest(32, 1)) == Listed::kNo);
  CHECK(table.num_paths() == 0);
  CHECK(table.entries().empty());
  FileTable empty;
  empty.seal();
  const auto probe = empty.probe("/a");
  empty.touch(probe);
  CHECK(empty.find(probe, "sha256", digest(32, 1)) == Listed::kNo);
  CHECK(empty.first_digest("/a").empty());
}

TEST_CASE("what is no path or digest is the caller's error") {
  FileTable table;
  CHECK_THROWS_AS(table.add("", "sha256", digest(32, 1)), std::invalid_argument);
  CHECK_THROWS_AS(table.add("/a", "sha256", {}), std::invalid_argument);
  CHECK_THROWS_AS(table.add("/a", "sha256", digest(65, 1)), std::invalid_argument);
  for (int i = 0; i < 255; ++i) table.add("/a", std::to_string(i), digest(32, 1));
  CHECK_THROWS_AS(table.add("/a", "one more", digest(32, 1)), std::length_error);
  table.seal();
  CHECK(table.num_digests() == 255);
  CHECK_THROWS_AS(table.add("/b", "1", digest(32, 1)), std::logic_error);
  table.seal();
  CHECK(table.find("/a", "254", digest(32, 1)) == Listed::kYes);
}

TEST_CASE("entries are sorted by path, algorithm and digest, whatever their order was") {
  FileTable a, b;
  a.add("/b", "sha256", digest(32, 1));
  a.add("/a", "sha512", digest(64, 3));
  a.add("/a", "sha256", digest(32, 2));
  a.add("/a", "sha256", digest(32, 1));
  b.add("/a", "sha256", digest(32, 1));
  b.add("/a", "sha256", digest(32, 2));
  b.add("/b", "sha256", digest(32, 1));
  b.add("/a", "sha512", digest(64, 3));
  a.seal();
  b.seal();
  const auto entries = a.entries();
  const auto others = b.entries();
  REQUIRE(entries.size() == 4);
  REQUIRE(others.size() == 4);
  CHECK(entries[0].path == "/a");
  CHECK(entries[0].algorithm == "sha256");
  CHECK(entries[0].digest[0] == 1);
  CHECK(entries[1].digest[0] == 2);
  CHECK(entries[2].algorithm == "sha512");
  CHECK(entries[3].path == "/b");
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(entries[i].path == others[i].path);
    CHECK(entries[i].algorithm == others[i].algorithm);
    CHECK(attest::as_text(entries[i].digest) == attest::as_text(others[i].digest));
  }
  CHECK(a.has_algorithm("sha512"));
  CHECK_FALSE(a.has_algorithm("sha1"));
}

TEST_CASE("a table that is copied answers as the first") {
  const FileTable first = table_of({"/a", "/b", "/c"});
  const FileTable second = first;  // NOLINT(performance-unnecessary-copy-initialization)
  CHECK(second.find("/b", "sha256", digest(32, 1)) == Listed::kYes);
  CHECK(second.find("/b", "sha256", digest(32, 2)) == Listed::kOtherDigest);
}
