#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Measures libattest against OpenSSL's bare calls in one process, and against evmctl,
# tpm2_checkquote and tpm2_eventlog as processes. Prints ratios; judges nothing.
# usage: sh tests/bench/compare.sh [REPETITIONS]
set -eu
cd "$(dirname "$0")/../.."
repetitions=${1:-9}
sh cmake/setup.sh build test
mkdir -p build
echo '-- building'
if ! cmake --preset bench -DATTEST_PYTHON=ON >build/bench.log 2>&1 ||
  ! cmake --build --preset bench --parallel 2 >>build/bench.log 2>&1; then
  tail -n 40 build/bench.log
  exit 1
fi
bin=build/bench/tests/bench
data=build/bench/data
[ -f "$data/1m/ima.bin" ] || {
  echo '-- making inputs'
  "$bin/make_inputs" "$data/300k" 300000 100000
  "$bin/make_inputs" "$data/1m" 1000000 100000
  "$bin/make_inputs" "$data/1" 1 1
}
echo "-- in one process, $repetitions repetitions in random order"
"$bin/attest_bench" --benchmark_repetitions="$repetitions" --benchmark_enable_random_interleaving=true \
  --benchmark_min_time=0.2 --benchmark_filter=-active_node --benchmark_format=json >"$data/bench.json" 2>/dev/null
/usr/bin/python3 tests/bench/ratios.py "$data/bench.json"
echo '-- active nodes: a quote and 50 new entries, state in memory'
"$bin/attest_bench" --benchmark_filter=active_node --benchmark_repetitions="$repetitions" \
  --benchmark_report_aggregates_only=true 2>/dev/null | grep median
[ -f "$data/active/ak.tss" ] || "$bin/make_active_node" "$data/active"
PYTHONPATH=build/bench/bindings/python /usr/bin/python3 tests/bench/node.py "$data/active"
echo '-- memory, 1,000,000 entries as a stream'
"$bin/ima_stream" "$data/1m"
echo '-- processes, user time'
/usr/bin/python3 tests/bench/peers.py build/bench "$data"
c++ --version | head -n 1
openssl version
