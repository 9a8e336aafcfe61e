// SPDX-License-Identifier: Apache-2.0

// Writes an active node's rounds for node.py: DIR/ak.tss, allowlist and
// DIR/ROUND.{first,msg,sig,pcrs,ima}. usage: make_active_node DIR

#include <filesystem>
#include <fstream>

#include "tests/bench/active_node.h"

namespace {

template <typename Content>
void write(const std::filesystem::path& path, const Content& content) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  if (!file) throw std::runtime_error("can not write " + path.string());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path dir = argv[1];
  std::filesystem::create_directories(dir);
  const bench::ActiveNode node(Signer::rsa());
  write(dir / "ak.tss", node.ak);
  write(dir / "nonce", node.nonce);
  write(dir / "allowlist", node.allowlist);
  for (std::size_t i = 0; i < node.rounds.size(); ++i) {
    const auto& r = node.rounds[i];
    const std::string stem = std::to_string(i);
    write(dir / (stem + ".first"), std::to_string(r.first_entry));
    write(dir / (stem + ".msg"), r.attest);
    write(dir / (stem + ".sig"), r.signature);
    write(dir / (stem + ".pcrs"), r.pcrs);
    write(dir / (stem + ".ima"), r.list);
  }
  return 0;
}
