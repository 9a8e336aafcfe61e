// SPDX-License-Identifier: Apache-2.0

// Synthetic inputs of the sizes that nodes have; the same on every run.
#ifndef LIBATTEST_TESTS_BENCH_GENERATE_H_
#define LIBATTEST_TESTS_BENCH_GENERATE_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "tests/support/bytes.h"

namespace bench {

using Octets = std::vector<std::uint8_t>;
using attest::crypto::Digest;
using attest::crypto::Hash;
using attest::crypto::Hasher;

// Paths of 40 to 110 characters below six directories, with shared prefixes.
inline std::string path_of(std::size_t index) {
  static const char* const kDirs[] = {
      "/usr/bin/",         "/usr/lib/x86_64-linux-gnu/",      "/usr/share/",
      "/opt/application/", "/usr/lib/python3/dist-packages/", "/usr/libexec/"};
  std::string path = kDirs[index % 6];
  path += "package-" + std::to_string(index % 977) + "/module-" + std::to_string(index) + "-";
  const std::size_t length = 40 + index * 7919 % 71;
  while (path.size() < length) path += static_cast<char>('a' + path.size() % 26);
  return path;
}

inline Digest digest_of(std::size_t index, Hasher& sha256) {
  return sha256(attest::as_bytes(std::to_string(index)));
}

// `num_files` different files. Entries name them in random order, over and over.
struct ImaInput {
  Octets list;                                            // ima-ng, SHA-1 header digests
  std::vector<std::pair<std::size_t, std::size_t>> data;  // each entry's template data in `list`
  Digest sha256;                                          // PCR 10 afterwards
  std::string allowlist;
  Digest boot_aggregate;
};

inline ImaInput make_ima(std::size_t num_entries, std::size_t num_files, const Digest& aggregate) {
  ImaInput out;
  Hasher sha1(Hash::kSha1);
  Hasher sha256(Hash::kSha256);
  out.sha256 = Digest::filled(32, 0);
  out.boot_aggregate = aggregate;
  std::vector<std::size_t> order(num_files);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(1);
  std::shuffle(order.begin(), order.end(), random);
  for (std::size_t i = 0; i < num_entries; ++i) {
    const std::size_t file = order[i % num_files];
    const std::string name = i == 0 ? "boot_aggregate" : path_of(file);
    const Digest digest = i == 0 ? aggregate : digest_of(file, sha256);
    Writer data;
    data.le<std::uint32_t>(8 + 32).text("sha256:").raw({0}).bytes(digest.bytes());
    data.le(static_cast<std::uint32_t>(name.size() + 1)).text(name).raw({0});
    Writer record;
    record.le<std::uint32_t>(10).bytes(sha1(data.out).bytes());
    record.le<std::uint32_t>(6).text("ima-ng").le(static_cast<std::uint32_t>(data.out.size()));
    out.list.insert(out.list.end(), record.out.begin(), record.out.end());
    out.data.emplace_back(out.list.size(), data.out.size());
    out.list.insert(out.list.end(), data.out.begin(), data.out.end());
    const Digest extend = sha256(data.out);
    out.sha256 = sha256({out.sha256.bytes(), extend.bytes()});
  }
  for (std::size_t file = 0; file < num_files; ++file) {
    for (const std::uint8_t b : digest_of(file, sha256).bytes()) {
      out.allowlist += "0123456789abcdef"[b >> 4U];
      out.allowlist += "0123456789abcdef"[b & 15U];
    }
    out.allowlist += "  " + path_of(file) + "\n";
  }
  return out;
}

// A crypto-agile log with SHA-1, SHA-256 and SHA-384: 116 events, about 45 KB, two of them as large
// as a machine's db and dbx.
inline Octets make_eventlog() {
  const Hash hashes[] = {Hash::kSha1, Hash::kSha256, Hash::kSha384};
  Writer w;
  Writer spec;
  spec.text("Spec ID Event03").raw({0}).le<std::uint32_t>(0).raw({0, 2, 0, 2}).le<std::uint32_t>(3);
  for (const Hash hash : hashes) {
    spec.le(static_cast<std::uint16_t>(hash));
    spec.le(static_cast<std::uint16_t>(attest::crypto::hash_size(hash)));
  }
  spec.raw({0});
  w.le<std::uint32_t>(0).le<std::uint32_t>(3).fill(20, 0);
  w.le(static_cast<std::uint32_t>(spec.out.size())).bytes(spec.out);
  std::vector<Hasher> hashers;
  for (const Hash hash : hashes) hashers.emplace_back(hash);
  const auto event = [&](std::uint32_t pcr, std::uint32_t type, const Octets& data) {
    w.le(pcr).le(type).le<std::uint32_t>(3);
    for (Hasher& h : hashers) {
      w.le(static_cast<std::uint16_t>(h.algorithm())).bytes(h(data).bytes());
    }
    w.le(static_cast<std::uint32_t>(data.size())).bytes(data);
  };
  const auto variable = [](const std::string& name, std::size_t size) {
    Writer v;
    v.fill(16, 0x61).le<std::uint64_t>(name.size()).le<std::uint64_t>(size);
    for (const char c : name) v.raw({static_cast<std::uint8_t>(c), 0});
    return v.fill(size, 0x5a).out;
  };
  for (const char* name : {"SecureBoot", "PK", "KEK"}) event(7, 0x80000001, variable(name, 1));
  event(7, 0x80000001, variable("Setup1", 4000));
  event(1, 0x80000001, variable("Setup2", 16000));
  for (std::uint32_t pcr = 0; pcr < 8; ++pcr) event(pcr, 4, Octets(4, 0));
  std::size_t i = 0;
  while (i < 103) {
    const std::string text = "grub_cmd: set option_" + std::to_string(i) + "=/boot/grub/module";
    Octets data(text.begin(), text.end());
    // GRUB's digest is of the string behind its prefix.
    w.le<std::uint32_t>(8).le<std::uint32_t>(0xd).le<std::uint32_t>(3);
    for (Hasher& h : hashers) {
      w.le(static_cast<std::uint16_t>(h.algorithm()));
      w.bytes(h(attest::Bytes(data).subspan(10)).bytes());
    }
    data.push_back(0);
    w.le(static_cast<std::uint32_t>(data.size())).bytes(data);
    ++i;
  }
  return w.out;
}

}  // namespace bench

#endif  // LIBATTEST_TESTS_BENCH_GENERATE_H_
