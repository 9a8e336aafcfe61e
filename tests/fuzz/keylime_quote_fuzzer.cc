// SPDX-License-Identifier: Apache-2.0

// Target: attest::tpm::parse_keylime_quote. Property: an uncompressed quote string that we accept
// is exactly what writing its parts gives; a compressed one has parts of at most 4 KiB, which
// compress to a string that is read the same.
#include <zlib.h>

#include <cstdlib>
#include <string>

#include "libattest/base/base64.h"
#include "libattest/base/error.h"
#include "libattest/base/text.h"
#include "libattest/tpm/keylime_quote.h"

namespace {

using attest::tpm::KeylimeQuote;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string deflated(attest::Bytes in) {
  uLongf size = compressBound(static_cast<uLong>(in.size()));
  std::vector<std::uint8_t> out(size);
  require(compress(out.data(), &size, in.data(), static_cast<uLong>(in.size())) == Z_OK);
  return attest::to_base64(attest::Bytes(out).first(size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = attest::as_text({data, size});
  KeylimeQuote q;
  try {
    q = attest::tpm::parse_keylime_quote(text);
  } catch (const attest::ParseError&) {
    return 0;
  }
  if (!q.compressed) {
    require("r" + attest::to_base64(q.attest) + ":" + attest::to_base64(q.signature) + ":" +
                attest::to_base64(q.pcrs) ==
            text);
    return 0;
  }
  require(q.attest.size() <= 4096 && q.signature.size() <= 4096 && q.pcrs.size() <= 4096);
  const KeylimeQuote again = attest::tpm::parse_keylime_quote(
      "r" + deflated(q.attest) + ":" + deflated(q.signature) + ":" + deflated(q.pcrs));
  require(again.compressed && again.attest == q.attest && again.signature == q.signature &&
          again.pcrs == q.pcrs);
  return 0;
}
