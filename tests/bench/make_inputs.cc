// SPDX-License-Identifier: Apache-2.0

// Writes an evidence folder with a synthetic IMA list, its allowlist, and the files that evmctl
// wants. usage: make_inputs DIR ENTRIES FILES

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "libattest/base/hex.h"
#include "tests/bench/generate.h"
#include "tests/support/signer.h"

namespace {

void write(const std::filesystem::path& path, attest::Bytes bytes) {
  std::ofstream file(path, std::ios::binary);
  file << attest::as_text(bytes);
  if (!file.flush()) throw std::runtime_error("can not write " + path.string());
}

// What evmctl's --pcrs reads: "PCR-10: 0A 0B …", one line a PCR.
std::string evmctl_pcrs(const attest::crypto::Digest& ten) {
  std::string out;
  for (int pcr = 0; pcr < 24; ++pcr) {
    char label[16];
    std::snprintf(label, sizeof label, "PCR-%02d:", pcr);
    out += label;
    for (std::size_t i = 0; i < ten.size(); ++i) {
      char byte[8];
      std::snprintf(byte, sizeof byte, " %02X", pcr == 10 ? ten.bytes()[i] : 7);
      out += byte;
    }
    out += '\n';
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: make_inputs DIR ENTRIES FILES\n", stderr);
    return 2;
  }
  const std::filesystem::path dir = argv[1];
  std::filesystem::create_directories(dir);
  attest::crypto::Hasher sha256(attest::crypto::Hash::kSha256);
  const bench::ImaInput input =
      bench::make_ima(std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10),
                      sha256(bench::Octets(320, 7)));
  PcrValues values{{0x000b, {}}};
  for (std::uint32_t pcr = 0; pcr < 10; ++pcr) values[0].second[pcr] = bench::Octets(32, 7);
  values[0].second[10].assign(input.sha256.bytes().begin(), input.sha256.bytes().end());
  const Signer signer = Signer::rsa();
  const QuoteFields fields = quote_of(values);
  const bench::Octets quote = make_attest(fields);
  write(dir / "ak.tss", signer.tpm2b_public());
  write(dir / "quote.msg", quote);
  write(dir / "quote.sig", signer.sign(quote));
  write(dir / "quote.pcrs", make_pcrs(values));
  write(dir / "nonce.hex", attest::as_bytes(attest::to_hex(fields.nonce) + "\n"));
  write(dir / "ima.bin", input.list);
  write(dir / "allowlist.txt", attest::as_bytes(input.allowlist));
  write(dir / "pcrs.evmctl", attest::as_bytes(evmctl_pcrs(input.sha256)));
  return 0;
}
