// SPDX-License-Identifier: Apache-2.0

// Loaded with RTLD_LOCAL, used, unloaded, and again: the library goes, and what it had goes with
// it. usage: dlopen_test PLUGIN LIBATTEST

#include <dlfcn.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "tests/abi/guest/allocations.h"

namespace {

bool is_mapped(const std::string& name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(name) != std::string::npos) return true;
  }
  return false;
}

int complain(int round, const char* what) {
  (void)std::printf("round %d: %s\n", round, what);
  return 1;
}

int use(const char* plugin, int round) {
  void* handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return complain(round, dlerror());
  const auto appraise = reinterpret_cast<int (*)()>(dlsym(handle, "plugin_appraise"));
  if (appraise == nullptr) return complain(round, dlerror());
  if (dlsym(RTLD_DEFAULT, "attest_appraise") != nullptr) return complain(round, "not local");
  if (appraise() != 1) return complain(round, "the verdict is not trusted");
  int in_thread = 0;
  std::thread([&] { in_thread = appraise(); }).join();
  if (in_thread != 1) return complain(round, "the verdict in a thread is not trusted");
  if (!is_mapped("/libattest.so")) return complain(round, "the test can not see libattest");
  if (dlclose(handle) != 0) return complain(round, dlerror());
  if (is_mapped("/libattest.so")) return complain(round, "libattest is still mapped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  constexpr int kRounds = 20;
  constexpr int kSettled = 5;
  constexpr long kRe2 = 3;  // what RE2 makes once and never frees goes with each unloading of it
  long before = 0;
  for (int round = 0; round < kRounds; ++round) {
    if (round == kSettled) before = live_blocks();
    if (use(argv[1], round) != 0) return 1;
    if (dlopen(argv[2], RTLD_NOW | RTLD_NOLOAD) != nullptr) return complain(round, "still loaded");
  }
  const long grown = live_blocks() - before;
  (void)std::printf("%ld blocks more after %d rounds\n", grown, kRounds - kSettled);
  return grown > kRe2 * (kRounds - kSettled) ? complain(kRounds, "memory grows") : 0;
}
