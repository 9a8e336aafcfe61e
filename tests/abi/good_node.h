// SPDX-License-Identifier: Apache-2.0

// A node that booted as its owner expects: its evidence, and a policy for it that uses all that
// policies have (reference values, an allowlist, an excludelist).
#ifndef LIBATTEST_TESTS_ABI_GOOD_NODE_H_
#define LIBATTEST_TESTS_ABI_GOOD_NODE_H_

#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "libattest/attest.h"
#include "tests/support/vectors.h"

struct GoodNode {
  std::vector<std::uint8_t> ak, attest, signature, pcrs, nonce, eventlog, ima;
  std::vector<std::uint8_t> ek, ek_ecc, ek_certificate, ca,
      issuer;                            // of another TPM: TPM2B, DER, PEM
  std::vector<std::uint8_t> launch_log;  // of another node
  std::string allowlist;                 // all but what excludelist excludes
  std::string excludelist;               // shared libraries
  std::string tpm_policy;                // PCRs 0 to 9
};

namespace good_node_detail {

inline std::vector<std::uint8_t> unhex(const std::string& text) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

inline std::string hex(const std::uint8_t* data, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    char digits[3];
    (void)std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(data[i]));
    out += digits;
  }
  return out;
}

// The files of a list, one a line: "sha256:DIGEST  PATH".
inline std::string allowlist_of(const std::string& ascii) {
  std::istringstream lines(ascii);
  std::string pcr, header, name, digest, path, out;
  while (lines >> pcr >> header >> name >> digest && std::getline(lines >> std::ws, path)) {
    if (path == "boot_aggregate" || path.find("/lib/x86_64-linux-gnu/") == 0) continue;
    out += digest.substr(digest.find(':') + 1) + "  " + path + "\n";
  }
  return out;
}

inline std::string tpm_policy_of(const std::vector<std::uint8_t>& serialized) {
  attest_pcrs* pcrs = nullptr;
  if (attest_pcrs_parse(&pcrs, serialized.data(), serialized.size()) != ATTEST_OK) {
    throw std::runtime_error(attest_last_error());
  }
  std::string out = R"({"mask": "0x3ff")";
  for (std::uint32_t pcr = 0; pcr < 10; ++pcr) {
    std::size_t size = 0;
    const std::uint8_t* value = attest_pcrs_find(pcrs, ATTEST_HASH_SHA256, pcr, &size);
    out += ", \"" + std::to_string(pcr) + "\": [\"" + hex(value, size) + "\"]";
  }
  attest_pcrs_free(pcrs);
  return out + "}";
}

}  // namespace good_node_detail

inline GoodNode load_good_node() {
  const std::string boot = "boot/grub-ima-ng/";
  GoodNode n;
  n.ak = read_vector(boot + "ak.tss");
  n.attest = read_vector(boot + "1-clean/quote_sha256.msg");
  n.signature = read_vector(boot + "1-clean/quote_sha256.sig");
  n.pcrs = read_vector(boot + "1-clean/quote_sha256.pcrs");
  n.nonce = good_node_detail::unhex(read_text_vector(boot + "nonce.hex"));
  n.eventlog = read_vector(boot + "binary_bios_measurements");
  n.ima = read_vector(boot + "1-clean/ima.bin");
  n.allowlist = good_node_detail::allowlist_of(read_text_vector(boot + "1-clean/ima.ascii"));
  n.excludelist = "/(usr/)?lib/x86_64-linux-gnu/.*\\.so(\\.[0-9]+)*$\n/tmp/.*\n";
  n.tpm_policy = good_node_detail::tpm_policy_of(n.pcrs);
  n.launch_log = read_vector("drtm/launchlog.legacy.bin");
  n.ek = read_vector("tpm2/ek_rsa.tss");
  n.ek_ecc = read_vector("tpm2/ek_ecc.tss");
  n.ek_certificate = read_vector("tpm2/ekcert/nv_01c00002_rsa2048.der");
  n.ca = read_vector("tpm2/ekcert/swtpm-localca-rootca-cert.pem");
  n.issuer = read_vector("tpm2/ekcert/issuercert.pem");
  return n;
}

#endif  // LIBATTEST_TESTS_ABI_GOOD_NODE_H_
