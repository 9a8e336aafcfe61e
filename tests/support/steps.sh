# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# The steps of tests/run.sh. A step that fails does not keep the others from running; finish() fails
# if one did.

passed=0
failed=0
skipped=0
failures=
skips=
jobs=2
export CTEST_OUTPUT_ON_FAILURE=1 CTEST_PARALLEL_LEVEL=$jobs
python=/usr/bin/python3

run_step() {
  start=$(date +%s)
  echo "== $1"
  if ("step_$1"); then
    passed=$((passed + 1))
    outcome=passed
  else
    status=$?
    if [ "$status" = 77 ]; then
      skipped=$((skipped + 1))
      skips="$skips $1"
      outcome=skipped
    else
      failed=$((failed + 1))
      failures="$failures $1"
      outcome=FAILED
    fi
  fi
  echo "== $1: $outcome after $(($(date +%s) - start)) s"
}

finish() {
  [ -z "$skips" ] || echo "skipped:$skips"
  [ -z "$failures" ] || echo "failed:$failures"
  echo "steps: $passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}

# Configures and builds a preset, saying only what matters. $2 are targets, or nothing for all;
# further words are cmake's.
build() {
  preset=$1
  targets=${2-}
  shift $(($# < 2 ? $# : 2))
  echo "-- building preset $preset"
  # The targets are words: unquoted to split them.
  # shellcheck disable=SC2086
  if ! cmake --preset "$preset" "$@" >"build/$preset.log" 2>&1 ||
    ! cmake --build --preset "$preset" --parallel "$jobs" ${targets:+--target $targets} >>"build/$preset.log" 2>&1; then
    tail -n 60 "build/$preset.log"
    return 1
  fi
}

# With `set -e` off inside run_step's `if`, every command of a step must be joined to the next.
step_style() {
  files=$(git ls-files '*.cc' '*.h' '*.hpp' '*.c' 2>/dev/null || true)
  [ -n "$files" ] || files=$(find include libattest bindings examples tests -name '*.cc' -o -name '*.h' -o -name '*.hpp' -o -name '*.c')
  # shellcheck disable=SC2086
  clang-format-14 --dry-run -Werror $files &&
    find . -path ./build -prune -o -name '*.sh' -print0 | xargs -0 shellcheck -x .ci/run &&
    grep -rlZE '^#!/bin/(ba)?sh' examples/diskimage-builder | xargs -0 shellcheck -x &&
    codespell --quiet-level=2 --skip='./build,./.git,./tests/vectors,./tests/fuzz/corpus,./LICENSE' \
      --ignore-words=tests/support/codespell.txt . &&
    sh tests/layers.sh . &&
    cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability \
      --inline-suppr --suppress=missingIncludeSystem --error-exitcode=1 -I. -Iinclude libattest
}

step_release() {
  # The longest of them mostly wait, for Ironic's intervals and for software TPMs: more at once than there are processors.
  build release '' -DATTEST_PYTHON=ON "-DPython_EXECUTABLE=$python" &&
    CTEST_PARALLEL_LEVEL=$((2 * jobs)) ctest --preset release
}

step_asan() {
  build asan && ctest --preset asan -LE 'system|install'
}

# Coverage is that of the unit tests and of the C ABI's: counted before the other tests add theirs.
step_clang() {
  find build/coverage -name '*.gcda' -delete 2>/dev/null
  build coverage &&
    ctest --preset coverage -R '^(unit[.]|abi[.]api$)' && count_lines &&
    covered 'base|cache|tpm|eventlog|ima|json|policy|boot' && covered verify &&
    ctest --preset coverage -E '^(unit[.]|abi[.]api$)' -LE 'system|install' && tidy '-clang-analyzer-*'
}

# $1: checks beside those of .clang-tidy.
tidy() {
  echo '-- clang-tidy'
  find libattest examples/attest examples/collect \( -name '*.cc' -o -name '*.c' \) -print0 |
    xargs -0 -P "$jobs" -n 4 clang-tidy-14 --quiet --checks="$1" -p build/coverage >build/clang-tidy.log 2>&1 && return
  grep -E 'warning:|error:' build/clang-tidy.log
  return 1
}

step_tsan() {
  build tsan abi_threads && ctest --preset tsan -L threads
}

count_lines() {
  echo '-- coverage'
  gcovr --root . --gcov-executable 'llvm-cov-14 gcov' --exclude-throw-branches -j "$jobs" \
    --filter libattest/ --json build/coverage.json build/coverage/libattest
}

# At least 95 % of the lines of these folders.
covered() {
  gcovr --root . --add-tracefile build/coverage.json --print-summary --fail-under-line 95 --filter "libattest/($1)/"
}

step_image() {
  sh cmake/setup.sh image && build release 'collect attest_command' &&
    sh tests/openstack/dib/image_test.sh build/release build/dib
}

step_wheel() {
  sh tests/python/wheel.sh
}

step_ironic() {
  build release _libattest -DATTEST_PYTHON=ON "-DPython_EXECUTABLE=$python" &&
    sh tests/openstack/ironic.sh newest build/release
}

step_nova() {
  build release _libattest -DATTEST_PYTHON=ON "-DPython_EXECUTABLE=$python" &&
    sh tests/openstack/nova.sh newest build/release
}

# The part of clang-tidy that executes every path: as long as all the rest of it.
step_analyze() {
  build coverage && tidy '-*,clang-analyzer-*'
}

mkdir -p build
