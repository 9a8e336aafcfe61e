// SPDX-License-Identifier: Apache-2.0

// Target: attest::ima::ListReader on binary lists, and attest::ima::Replay.
// Property: chunks of any size give the same entries and the same error as the whole; the entries,
// written out again from their fields, are the input; a bank replays to the same value whatever the
// list's bank and the other banks are.
#include <cstdlib>

#include "libattest/ima/replay.h"
#include "tests/support/bytes.h"
#include "tests/support/ima_entries.h"

namespace {

using attest::Bytes;
using attest::crypto::Hash;
using attest::ima::DigestKind;
using attest::ima::DigestMode;
using attest::ima::Entry;
using attest::ima::ListFormat;
using attest::ima::Replay;
using ima_test::Kept;
using ima_test::Outcome;
using ima_test::read_list;

void require(bool holds) {
  if (!holds) std::abort();
}

// Chunk sizes out of the input itself: mostly small, now and then large.
class Sizes {
 public:
  explicit Sizes(Bytes data) : data_(data) {}
  std::size_t operator()() {
    const std::size_t n = data_.empty() ? 1 : data_[next_++ % data_.size()];
    return n > 250 ? n * 16 : n % 37;
  }

 private:
  Bytes data_;
  std::size_t next_ = 0;
};

void write_field(Writer& w, std::string_view text) {
  w.le(static_cast<std::uint32_t>(text.size())).text(text);
}

std::string written(const Writer& w) { return std::string(attest::as_text(w.out)); }

// The template data of what is nothing but digest, name, signature and buffer, from these.
void check_data(const Kept& e) {
  const bool v2 = e.template_name == "ima-ngv2" || e.template_name == "ima-sigv2";
  const bool plain =
      e.template_name == "ima-ng" || e.template_name == "ima-sig" || e.template_name == "ima-buf";
  if (!v2 && !plain) return;
  // These have two spellings: "sm3-256", and no name at all.
  if (e.digest.algorithm == "sm3" || e.digest.algorithm == "md5" || e.digest.algorithm == "sha1") {
    return;
  }
  std::string digest = v2 ? (e.digest.kind == DigestKind::kVerity ? "verity:" : "ima:") : "";
  digest += e.digest.algorithm + ":" + std::string(1, '\0') + e.digest.value;
  Writer w;
  write_field(w, digest);
  write_field(w, e.name + std::string(1, '\0'));
  if (e.has_signature_field) write_field(w, e.signature);
  if (e.has_buffer_field) write_field(w, e.buffer);
  require(written(w) == e.data);
}

void write_record(Writer& w, const Kept& e) {
  w.le(e.pcr).text(e.header_digest);
  write_field(w, e.template_name);
  if (e.template_name == "ima") {
    require(e.data.size() == 276);
    w.text(e.digest.value);
    write_field(w, e.name);
  } else {
    write_field(w, e.data);
  }
}

void check_replay(const std::vector<Kept>& entries) {
  const std::vector<Hash> both{Hash::kSha1, Hash::kSha256};
  const std::vector<Hash> one{Hash::kSha256};
  Replay a(Hash::kSha1, both, DigestMode::kNative);
  Replay b(Hash::kSha256, one, DigestMode::kNative);
  for (const Kept& k : entries) {
    Entry e;
    e.known = k.known;
    e.violation = k.violation;
    e.header_digest = attest::as_bytes(k.header_digest);
    e.template_data = attest::as_bytes(k.data);
    const bool by_sha1 = a.check_header(e);
    const bool by_sha256 = b.check_header(e);
    require(k.violation ? by_sha1 && by_sha256 : !(by_sha1 && by_sha256));
    a.extend(e);
    b.extend(e);
    require(a.banks()[1].value == b.banks()[0].value);
  }
}

void check(Bytes list, ListFormat format, std::optional<Hash> bank) {
  const Outcome whole = read_list(list, format, bank);
  require(read_list(list, Sizes(list), format, bank) == whole);
  require(whole.error_offset <= list.size());
  if (whole.format != ListFormat::kBinary) return;
  Writer w;
  for (const Kept& e : whole.entries) {
    require(e.offset == w.out.size());
    write_record(w, e);
    if (e.known) check_data(e);
  }
  require(w.out.size() <= list.size());
  require(std::equal(w.out.begin(), w.out.end(), list.begin()));
  require(!whole.error.empty() || w.out.size() == list.size());
  check_replay(whole.entries);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes list(data, size);
  check(list, ListFormat::kDetect, std::nullopt);
  check(list, ListFormat::kBinary, Hash::kSha1);
  check(list, ListFormat::kBinary, Hash::kSha256);
  return 0;
}
