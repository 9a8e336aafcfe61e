#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds, and runs every test, quick things first.
# usage: sh tests/run.sh [STEP...]
#   style    format, spelling, shell scripts, layers
#   release  gcc, optimised: unit, bit flips, fuzz corpora, ABI, install, command, Python, real boots, real Keylime,
#            the plug-ins on Debian's Ironic and Nova and, where PyPI is reached, on the newest
#   clang    clang with ASan and UBSan; line coverage of the parsers and of verify/, each at least 95 %; clang-tidy
#   tsan     eight threads under ThreadSanitizer
#   wheel    the Python wheel in a virtual environment, where PyPI is reached
#   asan     gcc with ASan and UBSan
#   analyze  clang's static analyzer
#   ironic   all of the Ironic plug-in's tests on the newest Ironic, where PyPI is reached
#   nova     all of the Nova plug-in's tests on the newest Nova, where PyPI is reached
#   image    a Debian image by diskimage-builder with our elements, where PyPI is reached
# Without a step: the first five, in this order. Everything is kept under build/.
set -eu
cd "$(dirname "$0")/.."
. tests/support/steps.sh

steps=${*:-style release clang tsan wheel}

sh cmake/setup.sh build quickstart test openstack boot

for step in $steps; do
  case $step in
    style | release | clang | tsan | wheel | asan | analyze | ironic | nova | image) run_step "$step" ;;
    *)
      echo "tests/run.sh: no step '$step'" >&2
      exit 2
      ;;
  esac
done
finish
