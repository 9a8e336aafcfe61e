// SPDX-License-Identifier: Apache-2.0

// Target: attest::ima::ListReader on ascii lists.
// Property: chunks of any size give the same entries and the same error as the whole; a binary
// record made of an entry's template data reads as the same entry.
#include <cstdlib>

#include "tests/support/bytes.h"
#include "tests/support/ima_entries.h"

namespace {

using attest::Bytes;
using attest::crypto::Hash;
using attest::ima::ListFormat;
using ima_test::Kept;
using ima_test::Outcome;
using ima_test::read_list;

void require(bool holds) {
  if (!holds) std::abort();
}

void write_field(Writer& w, std::string_view text) {
  w.le(static_cast<std::uint32_t>(text.size())).text(text);
}

void check_binary(Kept e, Hash bank) {
  Writer w;
  w.le(e.pcr).text(e.header_digest);
  write_field(w, e.template_name);
  if (e.template_name == "ima") {
    w.text(e.digest.value);
    write_field(w, e.name);
  } else {
    write_field(w, e.data);
  }
  const Outcome binary = read_list(w.out, ListFormat::kBinary, bank);
  e.index = 0;
  e.offset = 0;
  require(binary.error.empty() && binary.entries.size() == 1 && binary.entries[0] == e);
}

void check(Bytes list, std::optional<Hash> bank) {
  const Outcome whole = read_list(list, ListFormat::kAscii, bank);
  std::size_t next = 0;
  const auto size = [&] { return std::size_t{list[next++ % list.size()]} % 61; };
  require(read_list(list, size, ListFormat::kAscii, bank) == whole);
  for (const Kept& e : whole.entries) {
    require(e.known || e.data.empty());
    if (e.known) check_binary(e, *whole.bank);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes list(data, size);
  check(list, std::nullopt);
  check(list, Hash::kSha1);
  check(list, Hash::kSha256);
  return 0;
}
