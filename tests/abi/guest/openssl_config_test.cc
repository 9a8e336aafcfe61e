// SPDX-License-Identifier: Apache-2.0

// OpenSSL's default library context and its configuration are the host's.
//
// OpenSSL's key functions read the configuration file when nothing has yet, as any first use of
// OpenSSL does. That is all: what stands in it changes nothing for libattest, libattest changes
// nothing of what it means to the host, and a host that wants none read gets none read.
// usage: openssl_config_test DIRECTORY

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/abi/guest/appraisal.h"

namespace {

// What may stand in a host's configuration.
struct Config {
  const char* name;
  const char* text;
};
constexpr Config kConfigs[] = {
    {"plain.cnf", "openssl_conf = init\n[init]\n"},
    {"no-algorithms.cnf",
     "openssl_conf = init\n[init]\nproviders = providers\n[providers]\nnull = section\n"
     "[section]\nactivate = 1\n"},
    {"impossible.cnf",
     "openssl_conf = init\n[init]\nalg_section = algorithms\n[algorithms]\n"
     "default_properties = fips=yes,provider=nobody\n"},
    {"broken.cnf", "openssl_conf = init\n[init\n = = $(\n"},
};

bool appraises(const GoodNode& node) {
  Appraisal a;
  return appraise_all(node, a) == ATTEST_OK && a.verdict == ATTEST_VERDICT_TRUSTED &&
         feed_rubbish(node) == 0;
}

// What of the default context a host can see: its algorithms and its providers.
std::string host_sees() {
  std::string out;
  EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  out += md == nullptr ? "-sha256" : "+sha256";
  EVP_MD_free(md);
  for (const char* provider : {"default", "base", "null", "legacy"}) {
    out += OSSL_PROVIDER_available(nullptr, provider) == 1 ? " +" : " -";
    out += provider;
  }
  ERR_clear_error();
  return out;
}

template <typename Work>
std::string in_child(Work work) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = work();
    _exit(write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  (void)close(ends[1]);
  char said[256];
  const ssize_t n = read(ends[0], said, sizeof said);
  (void)close(ends[0]);
  int status = 0;
  (void)waitpid(child, &status, 0);
  return status == 0 && n > 0 ? std::string(said, static_cast<std::size_t>(n)) : "died";
}

bool differs(const char* what, const char* config, const std::string& without,
             const std::string& with) {
  if (without == with && without != "died") return false;
  (void)std::printf("%s, %s: %s without libattest, %s after it\n", config, what, without.c_str(),
                    with.c_str());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string dir = argv[1];
  const GoodNode node = load_good_node();  // needs no OpenSSL
  bool bad = false;
  std::string first;
  bool configs_matter = false;
  for (const Config& config : kConfigs) {
    const std::string path = dir + "/" + config.name;
    std::ofstream(path) << config.text;
    (void)setenv("OPENSSL_CONF", path.c_str(), 1);
    const std::string alone = in_child(host_sees);
    bad |= differs("the host sees", config.name, alone,
                   in_child([&] { return appraises(node) ? host_sees() : "no appraisal"; }));
    // A host that was there first, and one that has refused the configuration.
    bad |= differs("the host saw and sees", config.name, alone, in_child([&] {
                     const std::string before = host_sees();
                     return appraises(node) && host_sees() == before ? before : "no appraisal";
                   }));
    const auto refuse = [] { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); };
    bad |= differs("the refusing host sees", config.name, in_child([&] {
                     refuse();
                     return host_sees();
                   }),
                   in_child([&] {
                     refuse();
                     return appraises(node) ? host_sees() : "no appraisal";
                   }));
    if (first.empty()) first = alone;
    configs_matter |= first != alone;
  }
  if (!configs_matter) {
    (void)std::printf("the test can not tell one configuration from another\n");
    return 1;
  }
  return bad ? 1 : 0;
}
