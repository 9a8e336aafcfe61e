#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Starts two software TPMs for node_test.py.
# usage: node_test.sh COLLECT BUILD_DIR
set -eu
collect=${1:?usage: node_test.sh COLLECT BUILD_DIR}
build=$(realpath "${2:?usage: node_test.sh COLLECT BUILD_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=examples/quickstart/swtpm.sh
. "$here/../../examples/quickstart/swtpm.sh"

work=$(mktemp -d)
pids=
cleanup() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

for tpm in one other; do
  mkdir "$work/$tpm"
  swtpm_make "$work/$tpm"
  swtpm_start "$work/$tpm"
  pids="$pids $SWTPM_PID"
done
PYTHONPATH="$build/bindings/python" /usr/bin/python3 -B "$here/node_test.py" "$collect" "$work/one" "$work/other"
