#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Starts two software TPMs for node_test.py.
# usage: node_test.sh COLLECT BUILD_DIR
set -eu
collect=${1:?usage: node_test.sh COLLECT BUILD_DIR}
build=$(realpath "${2:?usage: node_test.sh COLLECT BUILD_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

for tpm in one other; do
  mkdir "$work/$tpm"
  swtpm_make "$work/$tpm"
  swtpm_start "$work/$tpm"
  pids="$pids $SWTPM_PID"
done
PYTHONPATH="$build/bindings/python" /usr/bin/python3 -B "$here/node_test.py" "$collect" "$work/one" "$work/other"
