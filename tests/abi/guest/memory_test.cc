// SPDX-License-Identifier: Apache-2.0

// Memory runs out at each allocation of an appraisal in turn: every time the answer is a status,
// and nothing is left behind. malloc is this program's own; the dynamic linker gives it to all.
// Not libattest's: RE2 is not written for exceptions, and leaks when one passes through it.
// usage: memory_test first|later one|all
//   first: each time in a process that has not appraised before; later: in one that has
//   one: one allocation fails; all: so do those after it

#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/abi/guest/allocations.h"
#include "tests/abi/guest/appraisal.h"

namespace {

Failing failing = Failing::kOne;

// One appraisal in which `n` allocations succeed before one fails.
attest_status run(const GoodNode& node, long n, Appraisal& out) {
  fail_after(n, failing);
  const attest_status status = appraise_all(node, out);
  stop_failing();
  return status;
}

int complain(const char* what, long n, long number) {
  (void)std::printf("allocation %ld: %s (%ld): %s\n", n, what, number, attest_last_error());
  return 1;
}

// What one run leaves, OpenSSL may keep for the next error of the thread; what a second one leaves
// besides is lost. A run that leaves nothing was the only one that is needed.
long left_behind(const GoodNode& node, long n, long before_first) {
  long before = before_first;
  for (int times = 0; times < 2 && live_blocks() != before; ++times) {
    before = live_blocks();
    Appraisal a;
    (void)run(node, n, a);
  }
  return live_blocks() - before;
}

// In a process that has appraised before: nothing may be left, and the next appraisal is as ever.
int later(const GoodNode& node) {
  Appraisal good;
  for (int i = 0; i < 3; ++i) {
    if (appraise_all(node, good) != ATTEST_OK) return complain("without failure", -1, 0);
  }
  long n = 0;
  for (;; ++n) {
    const long before = live_blocks();
    Appraisal a;
    const attest_status status = run(node, n, a);
    if (!has_failed()) break;
    if (ERR_peek_error() != 0) return complain("in the host's OpenSSL error queue", n, 0);
    const bool did_without = status == ATTEST_OK && a.verdict == good.verdict;
    if (!did_without && status != ATTEST_E_NO_MEMORY) {
      return complain("not ATTEST_E_NO_MEMORY", n, status);
    }
    if (failed_inside("/libre2.so")) continue;
    const long left = left_behind(node, n, before);
    if (left != 0) return complain("memory was left behind", n, left);
  }
  Appraisal again;
  if (appraise_all(node, again) != ATTEST_OK || again.verdict != good.verdict) {
    return complain("the appraisal after them", n, again.verdict);
  }
  (void)std::printf("%ld allocations failed\n", n);
  return n > 1000 ? 0 : complain("hardly any allocation was made to fail", n, 0);
}

// Exit codes of a child.
enum Child { kRight = 0, kWrong = 1, kNothingFailed = 2 };

Child first_in_child(const GoodNode& node, long n) {
  Appraisal a;
  const attest_status status = run(node, n, a);
  if (!has_failed()) return kNothingFailed;
  if (status == ATTEST_OK ? a.verdict != ATTEST_VERDICT_TRUSTED
                          : status != ATTEST_E_NO_MEMORY && status != ATTEST_E_INTERNAL) {
    (void)complain("neither no memory nor an internal error", n, status);
    return kWrong;
  }
  // OpenSSL does not try again what it does once a process; libattest does. No verdict is wrong.
  const attest_status again = appraise_all(node, a);
  if (again == ATTEST_OK && a.verdict != ATTEST_VERDICT_TRUSTED) {
    (void)complain("the second appraisal's verdict", n, a.verdict);
    return kWrong;
  }
  return kRight;
}

// The first appraisal of a process: what is made once can fail, too, and must be made later then.
int first(const GoodNode& node) {
  constexpr long kStep = 29;  // a process for each takes its time
  long n = 0;
  for (bool more = true; more; n += kStep) {
    (void)std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      const Child result = first_in_child(node, n);
      (void)std::fflush(nullptr);
      _exit(result);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return complain("killed by a signal", n, WTERMSIG(status));
    if (WEXITSTATUS(status) == kWrong) return 1;
    more = WEXITSTATUS(status) == kRight;
  }
  (void)std::printf("the last of the first allocations was %ld\n", n);
  return n > 1000 ? 0 : complain("hardly any allocation was made to fail", n, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string mode = argv[1];
  if (argv[2] == std::string("all")) failing = Failing::kAllFromThere;
  const GoodNode node = load_good_node();
  if (mode == "first") return first(node);
  if (mode == "later") return later(node);
  return 2;
}
