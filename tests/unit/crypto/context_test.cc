// SPDX-License-Identifier: Apache-2.0

#include "libattest/crypto/context.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "libattest/base/text.h"
#include "libattest/crypto/key.h"
#include "tests/support/vectors.h"

using attest::crypto::Context;
using attest::crypto::Hash;

TEST_CASE("libattest has an OpenSSL context of its own") {
  CHECK(Context::get().lib_ctx() != nullptr);
  CHECK(Context::get().lib_ctx() != OSSL_LIB_CTX_get0_global_default());
  CHECK(&Context::get() == &Context::get());
  CHECK(EVP_MD_is_a(Context::get().md(Hash::kSha384), "SHA2-384") == 1);
}

TEST_CASE("a digest algorithm that is none is a caller's error") {
  constexpr auto kNone = static_cast<Hash>(0x0010);
  CHECK_THROWS_WITH(Context::get().md(kNone), "this OpenSSL does not compute no digest algorithm");
  CHECK_THROWS_AS(attest::crypto::Hasher(kNone), std::invalid_argument);
  CHECK(attest::crypto::hash_size(kNone) == 0);
}

// Run by the next test in a process of its own, where OpenSSL reads the host's configuration anew.
TEST_CASE("verification works under the host's configuration", "[.host-configuration]") {
  const auto key = attest::crypto::PublicKey::from_spki(read_vector("keys/rsa2048.der"));
  const auto digest = attest::crypto::Hasher(Hash::kSha256)(read_vector("keys/message"));
  // The host's own context has been told to find nothing at all.
  CHECK(EVP_MD_fetch(nullptr, "SHA256", nullptr) == nullptr);
  CHECK(key.verify_digest(attest::crypto::Scheme::kRsassa, Hash::kSha256, digest.bytes(),
                          read_vector("keys/rsa2048_rsassa_sha256.sig")));
  std::array<std::uint8_t, 16> random{};
  CHECK_NOTHROW(attest::crypto::random_bytes(random));
}

TEST_CASE("the host's OpenSSL configuration does not decide what libattest computes") {
  const std::filesystem::path conf =
      std::filesystem::temp_directory_path() /
      ("libattest-test-" + std::to_string(static_cast<unsigned long>(getpid())) + ".cnf");
  std::ofstream(conf) << "openssl_conf = init\n[init]\nalg_section = algorithms\n"
                         "[algorithms]\ndefault_properties = provider=none\n";
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = "OPENSSL_CONF='" + conf.string() + "' '" + self +
                              "' -w NoTests '[.host-configuration]' >/dev/null 2>&1";
  CHECK(std::system(command.c_str()) == 0);
  std::filesystem::remove(conf);
}
