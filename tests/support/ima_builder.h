// SPDX-License-Identifier: Apache-2.0

// Makes IMA measurement lists as the kernel writes them, in both forms, in tests only.
#ifndef LIBATTEST_TESTS_SUPPORT_IMA_BUILDER_H_
#define LIBATTEST_TESTS_SUPPORT_IMA_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/crypto/digest.h"
#include "tests/support/bytes.h"

namespace ima_test {

using attest::Bytes;
using Buffer = std::vector<std::uint8_t>;

// A field as it stands in template data (behind its length) and in an ascii line.
struct Field {
  Buffer bytes;
  std::string text;
};

// `size` bytes that `seed` makes unlike others.
inline Buffer some_digest(std::size_t size, std::uint8_t seed = 0x11) {
  Buffer out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed + 7 * i);
  return out;
}

// d-ng with prefix "sha256", d-ngv2 with prefix "verity:sha256"; old d-ng with prefix "".
inline Field digest(std::string_view prefix, const Buffer& value) {
  const std::string text = prefix.empty() ? "" : std::string(prefix) + ":";
  return {Writer().text(prefix).text(":").raw({0}).bytes(value).out, text + attest::to_hex(value)};
}
inline Field name(std::string_view text) {
  return {Writer().text(text).raw({0}).out, std::string(text)};
}
// d, sig, buf, modsig, evmsig, xattrlengths, xattrvalues
inline Field hex(const Buffer& value) { return {value, attest::to_hex(value)}; }
template <typename T>
Field number(T value) {
  return {Writer().le<T>(value).out, std::to_string(value)};
}
inline Field nothing() { return {}; }

struct Record {
  std::uint32_t pcr = 10;
  std::string template_name;
  std::vector<Field> fields;
  bool violation = false;

  // What the kernel hashes.
  Buffer data() const {
    Writer w;
    for (const Field& f : fields) {
      if (template_name != "ima") w.le(static_cast<std::uint32_t>(f.bytes.size()));
      w.bytes(f.bytes);
    }
    if (template_name == "ima") w.out.resize(fields.at(0).bytes.size() + 256);
    return w.out;
  }
  Buffer header(attest::crypto::Hash bank) const {
    if (violation) return Buffer(attest::crypto::hash_size(bank), 0);
    const auto d = attest::crypto::Hasher(bank)(data());
    return {d.bytes().begin(), d.bytes().end()};
  }
  Buffer binary(attest::crypto::Hash bank = attest::crypto::Hash::kSha1) const {
    Writer w;
    w.le(pcr).bytes(header(bank));
    w.le(static_cast<std::uint32_t>(template_name.size())).text(template_name);
    if (template_name == "ima") {
      const std::string& text = fields.at(1).text;
      w.bytes(fields.at(0).bytes).le(static_cast<std::uint32_t>(text.size())).text(text);
    } else {
      w.le(static_cast<std::uint32_t>(data().size())).bytes(data());
    }
    return w.out;
  }
  std::string ascii(attest::crypto::Hash bank = attest::crypto::Hash::kSha1) const {
    std::string line = (pcr < 10 ? " " : "") + std::to_string(pcr) + " ";
    line += attest::to_hex(header(bank)) + " " + template_name;
    for (const Field& f : fields) line += " " + f.text;
    return line + "\n";
  }
};

inline Record ng(std::string_view path, const Buffer& value = some_digest(32),
                 std::string_view algorithm = "sha256") {
  return {10, "ima-ng", {digest(algorithm, value), name(path)}, false};
}
inline Record sig(std::string_view path, const Buffer& value, const Buffer& signature,
                  std::string_view algorithm = "sha256") {
  return {10, "ima-sig", {digest(algorithm, value), name(path), hex(signature)}, false};
}
inline Record legacy(std::string_view path, const Buffer& value = some_digest(20)) {
  return {10, "ima", {hex(value), name(path)}, false};
}
inline Record buffer(std::string_view event, const Buffer& content) {
  const auto d = attest::crypto::Hasher(attest::crypto::Hash::kSha256)(content);
  return {10,
          "ima-buf",
          {digest("sha256", {d.bytes().begin(), d.bytes().end()}), name(event), hex(content)},
          false};
}
inline Record violation(std::string_view path) {
  Record r = ng(path, Buffer(32, 0));
  r.violation = true;
  return r;
}
inline Record evm_sig(std::string_view path) {
  Buffer lengths = Writer().le(std::uint32_t{3}).le(std::uint32_t{2}).out;
  const std::string names = "security.ima|security.selinux";
  return {10,
          "evm-sig",
          {digest("sha256", some_digest(32)), name(path), hex({5, 2, 4, 9}), name(names),
           hex(lengths), hex({1, 2, 3, 4, 5}), number<std::uint32_t>(1000),
           number<std::uint32_t>(100), number<std::uint16_t>(0100755)},
          false};
}

inline Buffer binary_list(const std::vector<Record>& records,
                          attest::crypto::Hash bank = attest::crypto::Hash::kSha1) {
  Writer w;
  for (const Record& r : records) w.bytes(r.binary(bank));
  return w.out;
}
inline std::string ascii_list(const std::vector<Record>& records,
                              attest::crypto::Hash bank = attest::crypto::Hash::kSha1) {
  std::string out;
  for (const Record& r : records) out += r.ascii(bank);
  return out;
}

// One record of each template that libattest knows, custom ones among them; all are honest.
inline std::vector<Record> one_of_each() {
  const Buffer d = some_digest(32);
  const Buffer s = some_digest(64, 0x70);
  const Field dng = digest("sha256", d);
  return {
      ng("boot_aggregate"),
      {10, "ima-ngv2", {digest("verity:sha256", d), name("/usr/bin/v")}, false},
      sig("/usr/bin/signed", d, s),
      sig("/usr/bin/unsigned", d, {}),
      {10, "ima-sigv2", {digest("ima:sha512", some_digest(64)), name("/b"), hex(s)}, false},
      buffer("kernel_version", {'6', '.', '1'}),
      {10,
       "ima-modsig",
       {dng, name("/m.ko"), hex({}), digest("sha1", some_digest(20)), hex(s)},
       false},
      {10, "ima-modsig", {dng, name("/f"), hex(s), nothing(), nothing()}, false},
      evm_sig("/usr/bin/evm"),
      {10,
       "evm-sig",
       {dng, name("boot_aggregate"), nothing(), nothing(), nothing(), nothing(), nothing(),
        nothing(), nothing()},
       false},
      {10, "d-ng|n-ng|sig|buf", {dng, name("/custom"), hex(s), hex({1})}, false},
      {10, "d|n", {hex(some_digest(20)), name("/old/custom")}, false},
      {10, "d|n-ng", {hex(some_digest(16)), name("/md5")}, false},
      {10, "d-ng|n|buf", {digest("", some_digest(20)), name("/bare"), hex({})}, false},
      {7, "ima-ng", {dng, name("/pcr/seven")}, false},
      legacy("/bin/legacy"),
      violation("/var/log/x"),
  };
}

}  // namespace ima_test

#endif  // LIBATTEST_TESTS_SUPPORT_IMA_BUILDER_H_
