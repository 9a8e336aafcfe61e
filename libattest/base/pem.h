// SPDX-License-Identifier: Apache-2.0

// PEM armour (RFC 7468), strictly.

#ifndef LIBATTEST_BASE_PEM_H_
#define LIBATTEST_BASE_PEM_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attest {

struct PemBlock {
  std::string label;  // "PUBLIC KEY"
  std::vector<std::uint8_t> data;
};

// Whether `text` claims to be PEM: it begins with "-----BEGIN ".
bool looks_like_pem(std::string_view text) noexcept;

// The only block of `text`, at most 64 KiB of it. Lines of base64 may be of any length and end in
// LF or CR LF; white space may stand at the end of a line and after the block. Text before the
// block, header lines (as encrypted keys have) and further blocks are malformed.
PemBlock parse_pem(std::string_view text);

// All blocks of `text`, each as parse_pem reads it; what stands around them is left out (RFC 7468,
// 5.2: explanatory text). Throws ParseError when there is none.
std::vector<PemBlock> parse_pem_blocks(std::string_view text);

}  // namespace attest

#endif  // LIBATTEST_BASE_PEM_H_
