#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds, and runs every test, quick things first.
# usage: sh tests/run.sh [STEP...]
#   style    format, spelling, shell scripts, layers
#   release  gcc, optimised: unit, bit flips, fuzz corpora, ABI, install, command, Python, real boots
#   asan     gcc with ASan and UBSan
#   clang    clang with ASan and UBSan, clang-tidy
#   tsan     eight threads under ThreadSanitizer
#   coverage line coverage of the parsers and of verify/, at least 95 %
#   image    a Debian image by diskimage-builder with our elements, booted, where PyPI is reached
#   wheel    the Python wheel in a virtual environment, where PyPI is reached
# Without a step: style, release and asan, in this order. Everything is kept under build/.
set -eu
cd "$(dirname "$0")/.."
. tests/support/steps.sh

steps=${*:-style release asan}

sh cmake/setup.sh build quickstart test boot

for step in $steps; do
  case $step in
    style | release | asan | clang | tsan | coverage | image | wheel) run_step "$step" ;;
    *)
      echo "tests/run.sh: no step '$step'" >&2
      exit 2
      ;;
  esac
done
finish
