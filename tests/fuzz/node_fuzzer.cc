// SPDX-License-Identifier: Apache-2.0

// Target: attest::verify::parse_node. The input is what stands before the seal, which is added
// here: otherwise nothing would get past it. Property: a state that is read is written and read
// again as the same, and fits; as it stands, without a seal, nothing is read.
#include <cstdlib>

#include "libattest/base/error.h"
#include "libattest/base/hex.h"
#include "libattest/base/text.h"
#include "libattest/verify/node.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const attest::Bytes in(data, size);
  const std::string front(attest::as_text(in));
  const auto seal = attest::crypto::Hasher(attest::crypto::Hash::kSha256)(in);
  const std::string text = front + ",\"sha256\":\"" + attest::to_hex(seal.bytes()) + "\"}";
  try {
    const auto node = attest::verify::parse_node(text);
    const std::string written = attest::verify::to_json(node);
    require(written.size() <= attest::verify::kMaxNodeState);
    require(attest::verify::to_json(attest::verify::parse_node(written)) == written);
    require(!node.ima || (node.seen && node.ima->entries > 0 && !node.ima->banks.empty()));
  } catch (const attest::ParseError& e) {
    require(e.offset() <= text.size());
  }
  return 0;
}
