// SPDX-License-Identifier: Apache-2.0

#include "libattest/ima/fields.h"

#include <algorithm>
#include <optional>
#include <string>

#include "libattest/base/text.h"
#include "libattest/ima/algorithm.h"

namespace attest::ima {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kOldDigestSize = 20;  // of a violation's zero digest, whatever its algorithm

// A field's bytes, and all that is needed to say what is wrong with them.
struct FieldBytes {
  std::string_view name;
  Bytes value;
  const Place& place;
  std::size_t at;

  [[noreturn]] void fail(std::string_view why) const { place.fail(at, name, why); }
};

bool is_old_violation(const Entry& entry, Bytes value) noexcept {
  const auto zero = [](std::uint8_t b) { return b == 0; };
  return entry.violation && value.size() == kOldDigestSize &&
         std::all_of(value.begin(), value.end(), zero);
}

FileDigest digest_of(const FieldBytes& f, const Entry& entry, const Algorithm& algorithm,
                     Bytes value) {
  if (value.size() != algorithm.size && !is_old_violation(entry, value)) {
    f.fail("digest is not of the size of " + std::string(algorithm.name));
  }
  return {DigestKind::kContent, algorithm.name, value};
}

// No algorithm is written down: the kernel has SHA-1 and, of the same field, MD5.
FileDigest bare_digest(const FieldBytes& f, const Entry& entry, Bytes value) {
  const std::string_view name = value.size() == 16 ? "md5" : "sha1";
  return digest_of(f, entry, *find_algorithm(name), value);
}

// `name` is what stands before the last colon. Old kernels write none for SHA-1 and MD5.
FileDigest named_digest(const FieldBytes& f, const Entry& entry, std::string_view name,
                        Bytes value) {
  if (name.empty()) return bare_digest(f, entry, value);
  const Algorithm* const algorithm = find_algorithm(name);
  if (algorithm == nullptr) f.fail("unknown digest algorithm \"" + printable(name, 32) + "\"");
  return digest_of(f, entry, *algorithm, value);
}

// Length of what stands before ":" NUL.
std::size_t prefix_length(const FieldBytes& f) {
  const std::string_view text = as_text(f.value);
  const std::size_t nul = text.find('\0');
  if (nul == std::string_view::npos || nul == 0 || text[nul - 1] != ':') {
    f.fail("no \":\" and NUL before its digest");
  }
  return nul - 1;
}

// "ALG:" NUL digest
FileDigest digest(const FieldBytes& f, const Entry& entry) {
  // What nearly all entries have.
  constexpr std::string_view kUsual = "sha256:\0"sv;
  if (f.value.size() == kUsual.size() + 32 && as_text(f.value).starts_with(kUsual)) {
    return {DigestKind::kContent, "sha256", f.value.subspan(kUsual.size())};
  }
  const std::size_t length = prefix_length(f);
  return named_digest(f, entry, as_text(f.value).substr(0, length), f.value.subspan(length + 2));
}

// "ima:ALG:" or "verity:ALG:", NUL, digest
FileDigest typed_digest(const FieldBytes& f, const Entry& entry) {
  const std::size_t length = prefix_length(f);
  std::string_view name = as_text(f.value).substr(0, length);
  const std::size_t colon = name.find(':');
  const std::string_view type = name.substr(0, colon);
  if (colon == std::string_view::npos || (type != "ima" && type != "verity")) {
    f.fail("its type is neither ima: nor verity:");
  }
  name.remove_prefix(colon + 1);
  if (name.empty()) f.fail("no digest algorithm");
  FileDigest d = named_digest(f, entry, name, f.value.subspan(length + 2));
  if (type == "verity") d.kind = DigestKind::kVerity;
  return d;
}

// Text up to the only NUL, which is the last byte.
std::string_view terminated(const FieldBytes& f) {
  const std::string_view text = as_text(f.value);
  const std::size_t nul = text.find('\0');
  if (nul == std::string_view::npos) f.fail("no NUL at its end");
  if (nul + 1 != text.size()) f.fail("a NUL inside it");
  return text.substr(0, nul);
}

std::string_view event_name(const FieldBytes& f) {
  const std::string_view name = terminated(f);
  if (name.size() > kMaxEventName) f.fail("longer than 255 bytes");
  return name;
}

// Nothing at all for a measurement of no file.
void check_number(const FieldBytes& f, std::size_t size) {
  if (!f.value.empty() && f.value.size() != size) f.fail("not of its number's size");
}

// What three fields say of the same extended attributes, which can be compared once all are read.
class Xattrs {
 public:
  // Names joined by "|". Nothing at all for a measurement of no file.
  void set_names(const FieldBytes& f) {
    num_names_ = 0;
    if (f.value.empty()) return;
    const std::string_view names = terminated(f);
    if (names.empty()) f.fail("an empty name");
    num_names_ = static_cast<std::uint64_t>(std::ranges::count(names, '|')) + 1;
  }
  void set_lengths(const FieldBytes& f) {
    constexpr std::size_t kLength = sizeof(std::uint32_t);
    if (f.value.size() % kLength != 0) f.fail("not a list of 32-bit numbers");
    num_lengths_ = f.value.size() / kLength;
    sum_ = 0;
    Reader r(f.value, kListFormatName, f.at);
    while (!r.done()) *sum_ += r.u32le(f.name);
  }
  void set_values(const FieldBytes& f) { values_size_ = f.value.size(); }

  void check(const Place& place) const {
    if (num_names_ && num_lengths_ && *num_names_ != *num_lengths_) {
      place.fail(place.offset, "xattrlengths", "not one length for each of xattrnames");
    }
    if (sum_ && values_size_ && *sum_ != *values_size_) {
      place.fail(place.offset, "xattrvalues", "not as long as xattrlengths say");
    }
  }

 private:
  std::optional<std::uint64_t> num_names_;
  std::optional<std::uint64_t> num_lengths_;
  std::optional<std::uint64_t> sum_;
  std::optional<std::uint64_t> values_size_;
};

void parse_field(Field field, const FieldBytes& f, Entry& entry, Xattrs& xattrs) {
  switch (field) {
    case Field::kD:
      entry.digest = bare_digest(f, entry, f.value);
      return;
    case Field::kDNg:
      entry.digest = digest(f, entry);
      return;
    case Field::kDNgV2:
      entry.digest = typed_digest(f, entry);
      return;
    case Field::kN:
      entry.name = event_name(f);
      return;
    case Field::kNNg:
      entry.name = terminated(f);
      return;
    case Field::kSig:
      entry.has_signature_field = true;
      entry.signature = f.value;
      return;
    case Field::kBuf:
      entry.has_buffer_field = true;
      entry.buffer = f.value;
      return;
    case Field::kDModsig:
      if (!f.value.empty()) entry.modsig_digest = digest(f, entry);
      return;
    case Field::kModsig:
      entry.modsig = f.value;
      return;
    case Field::kEvmSig:
      entry.evm_signature = f.value;
      return;
    case Field::kXattrNames:
      xattrs.set_names(f);
      return;
    case Field::kXattrLengths:
      xattrs.set_lengths(f);
      return;
    case Field::kXattrValues:
      xattrs.set_values(f);
      return;
    case Field::kIuid:
    case Field::kIgid:
      check_number(f, sizeof(std::uint32_t));
      return;
    case Field::kImode:
      check_number(f, sizeof(std::uint16_t));
      return;
  }
}

}  // namespace

void Place::fail(std::size_t at, std::string_view field, std::string_view why) const {
  if (line == 0) throw ParseError(kListFormatName, at, field, why);
  std::string m(field);
  throw ParseError(kListFormatName, "line " + std::to_string(line), m.append(": ").append(why));
}

void parse_fields(const Template& t, Bytes data, const Place& place, Entry& entry) {
  Reader r(data, kListFormatName, place.offset);
  Xattrs xattrs;
  for (const Field field : t.fields()) {
    const std::string_view name = name_of(field);
    const std::uint32_t size = r.u32le(name);
    const std::size_t at = r.offset();
    parse_field(field, {name, r.take(size, name), place, at}, entry, xattrs);
  }
  if (!r.done()) place.fail(r.offset(), "template data", "has bytes after its last field");
  xattrs.check(place);
}

void parse_legacy_fields(Bytes digest, Bytes name, const Place& place, Entry& entry) {
  const FieldBytes d{"d", digest, place, place.offset};
  const FieldBytes n{"n", name, place, place.offset};
  if (digest.size() != kOldDigestSize) {
    d.fail("not a SHA-1 digest: an MD5 digest has no place in this template");
  }
  entry.digest = bare_digest(d, entry, digest);
  entry.name = as_text(name);
  if (entry.name.size() > kMaxEventName) n.fail("longer than 255 bytes");
  if (entry.name.find('\0') != std::string_view::npos) n.fail("a NUL inside it");
}

}  // namespace attest::ima
