#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Measures what the filter costs Nova's scheduler, beside Nova's own AllHostsFilter in the same run, and
# how long others are held while the attestation service hangs. Prints figures; judges nothing.
# usage: sh tests/bench/nova.sh [debian|newest]
set -eu
cd "$(dirname "$0")/../.."
sh cmake/setup.sh build test openstack
mkdir -p build
echo '-- building'
if ! cmake --preset bench -DATTEST_PYTHON=ON -DPython_EXECUTABLE=/usr/bin/python3 >build/bench.log 2>&1 ||
  ! cmake --build --preset bench --parallel 2 --target _libattest >>build/bench.log 2>&1; then
  tail -n 40 build/bench.log
  exit 1
fi
grep -m 1 'model name' /proc/cpuinfo || true
exec sh tests/openstack/nova.sh "${1:-debian}" build/bench bench
