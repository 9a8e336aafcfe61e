// SPDX-License-Identifier: Apache-2.0

// What libattest promises the process it is loaded into.

#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <clocale>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "tests/abi/guest/appraisal.h"

namespace {

void appraise_and_stumble(const GoodNode& node) {
  Appraisal a;
  CHECK(appraise_all(node, a) == ATTEST_OK);
  CHECK(a.verdict == ATTEST_VERDICT_TRUSTED);
  CHECK(feed_rubbish(node) == 0);
}

// Runs `body` in a child process and returns its exit code, or 255 when it died.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

struct Handler {
  struct sigaction action;
  bool known;
};

std::array<Handler, 65> signal_handlers() {
  std::array<Handler, 65> out{};
  for (int signal = 1; signal < 65; ++signal) {
    auto& handler = out[static_cast<std::size_t>(signal)];
    handler.known = sigaction(signal, nullptr, &handler.action) == 0;
  }
  return out;
}

std::map<std::string, std::string> open_files() {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own descriptor
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone && target.string().find("/proc/") != 0) out[entry.path().filename()] = target;
  }
  return out;
}

}  // namespace

TEST_CASE("signal handlers and the signal mask stay as the host has them") {
  const GoodNode node = load_good_node();
  const auto before = signal_handlers();
  sigset_t mask_before;
  REQUIRE(pthread_sigmask(SIG_BLOCK, nullptr, &mask_before) == 0);
  appraise_and_stumble(node);
  const auto after = signal_handlers();
  for (std::size_t i = 1; i < before.size(); ++i) {
    INFO("signal " << i);
    CHECK(before[i].known == after[i].known);
    CHECK(before[i].action.sa_handler == after[i].action.sa_handler);
    CHECK(before[i].action.sa_flags == after[i].action.sa_flags);
  }
  sigset_t mask_after;
  REQUIRE(pthread_sigmask(SIG_BLOCK, nullptr, &mask_after) == 0);
  for (int signal = 1; signal < 65; ++signal) {
    CHECK(sigismember(&mask_before, signal) == sigismember(&mask_after, signal));
  }
}

TEST_CASE("the locale stays as the host has it, and decides nothing") {
  const GoodNode node = load_good_node();
  Appraisal plain, other;
  REQUIRE(appraise_all(node, plain) == ATTEST_OK);
  // Every locale of the machine: one with a decimal comma or Turkish letters, where it has one.
  int tried = 0;
  for (const char* name : {"C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "fa_IR"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    ++tried;
    REQUIRE(appraise_all(node, other) == ATTEST_OK);
    CHECK(std::string(std::setlocale(LC_ALL, nullptr)) == name);
    CHECK(other.text_size == plain.text_size);
    CHECK(feed_rubbish(node) == 0);
  }
  (void)std::setlocale(LC_ALL, "C");
  CHECK(tried > 0);
}

TEST_CASE("errors that the host has queued in OpenSSL stay, and none of ours joins them") {
  const GoodNode node = load_good_node();
  ERR_clear_error();
  appraise_and_stumble(node);
  CHECK(ERR_peek_error() == 0);

  ERR_raise(ERR_LIB_USER, 101);
  ERR_raise(ERR_LIB_USER, 102);
  appraise_and_stumble(node);
  CHECK(ERR_GET_REASON(ERR_get_error()) == 101);
  CHECK(ERR_GET_REASON(ERR_get_error()) == 102);
  CHECK(ERR_get_error() == 0);
}

TEST_CASE("no file descriptor is left open") {
  const GoodNode node = load_good_node();
  const auto before = open_files();
  for (int round = 0; round < 10; ++round) appraise_and_stumble(node);
  CHECK(open_files() == before);
}

TEST_CASE("nothing is printed, whatever the input and whatever TSS2_LOG says") {
  const GoodNode node = load_good_node();
  REQUIRE(setenv("TSS2_LOG", "all+TRACE", 1) == 0);
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    Appraisal a;
    const bool good = appraise_all(node, a) == ATTEST_OK && feed_rubbish(node) == 0;
    (void)std::fflush(nullptr);
    _exit(good ? 0 : 1);
  }
  (void)close(ends[1]);
  std::string printed;
  char piece[512];
  for (ssize_t n = 0; (n = read(ends[0], piece, sizeof piece)) > 0;) {
    printed.append(piece, static_cast<std::size_t>(n));
  }
  (void)close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(printed.empty());
}

TEST_CASE("a child of fork appraises, and its nonces are not its parent's") {
  const GoodNode node = load_good_node();
  Appraisal a;
  REQUIRE(appraise_all(node, a) == ATTEST_OK);  // all that is made once was made before the fork

  using Nonce = std::array<std::uint8_t, 32>;
  auto* shared = static_cast<Nonce*>(
      mmap(nullptr, sizeof(Nonce), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  REQUIRE(shared != MAP_FAILED);
  CHECK(in_child([&] {
          Appraisal mine;
          if (appraise_all(node, mine) != ATTEST_OK) return 1;
          if (mine.verdict != ATTEST_VERDICT_TRUSTED) return 2;
          return attest_nonce_make(shared->data(), shared->size()) == ATTEST_OK ? 0 : 3;
        }) == 0);
  Nonce own{};
  REQUIRE(attest_nonce_make(own.data(), own.size()) == ATTEST_OK);
  CHECK(own != *shared);
  CHECK(own != Nonce{});
  (void)munmap(shared, sizeof(Nonce));
}

TEST_CASE("a child of fork that comes first appraises") {
  const GoodNode node = load_good_node();
  CHECK(in_child([&] {
          Appraisal mine;
          return appraise_all(node, mine) == ATTEST_OK && mine.verdict == ATTEST_VERDICT_TRUSTED
                     ? 0
                     : 1;
        }) == 0);
}

#ifndef ATTEST_SANITIZED  // sanitizers' own frames need more

TEST_CASE("a thread with 128 KiB of stack appraises, and gets through hostile input") {
  constexpr std::size_t kStack = 128 * 1024;
  constexpr std::uint8_t kPaint = 0xa5;
  const GoodNode node = load_good_node();
  const long page = sysconf(_SC_PAGESIZE);
  REQUIRE(page > 0);
  const auto guard = static_cast<std::size_t>(page);
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, guard + kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(memory != MAP_FAILED);
  REQUIRE(mprotect(memory, guard, PROT_NONE) == 0);
  std::memset(memory + guard, kPaint, kStack);

  struct Work {
    const GoodNode& node;
    Appraisal appraisal;
    attest_status status;
    std::size_t strange;
  } work{node, {}, ATTEST_E_INTERNAL, 1};
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstack(&attributes, memory + guard, kStack) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(
              &thread, &attributes,
              [](void* argument) -> void* {
                auto& w = *static_cast<Work*>(argument);
                w.status = appraise_all(w.node, w.appraisal);
                w.strange = feed_rubbish(w.node);
                return nullptr;
              },
              &work) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  (void)pthread_attr_destroy(&attributes);
  CHECK(work.status == ATTEST_OK);
  CHECK(work.appraisal.verdict == ATTEST_VERDICT_TRUSTED);
  CHECK(work.strange == 0);

  std::size_t untouched = 0;
  while (untouched < kStack && memory[guard + untouched] == kPaint) ++untouched;
  INFO(kStack - untouched << " bytes of stack were used");
  // The host's own frames need some of it.
  CHECK(untouched >= 32 * 1024);
  (void)munmap(memory, guard + kStack);
}

#endif
