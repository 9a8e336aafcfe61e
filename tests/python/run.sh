#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Tests the package of a build tree.
# usage: run.sh PYTHON BUILD_DIR [pytest|stubtest|mypy [OPTION...]]
# Without a suite: all. Exit 77: the tool is not installed.
set -eu
python=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
allow=$here/../../bindings/python/stubtest.allow
shift 2
[ $# -ne 0 ] || set -- all

export PYTHONPATH="$build/bindings/python" MYPYPATH="$build/bindings/python"
export PYTHONDONTWRITEBYTECODE=1
# Plug-ins that other packages brought along are none of ours, and their warnings would be errors.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
cd "$build/bindings/python"  # where mypy's cache may be

need() {
  "$python" -c "import $1" 2>/dev/null && return
  echo "skipped: $python has no $1"
  exit 77
}

# A sanitizer's runtime is for the interpreter only, not for this shell.
interpreter() {
  env ${ATTEST_PRELOAD:+LD_PRELOAD="$ATTEST_PRELOAD"} "$python" "$@"
}

run_pytest() {
  need pytest
  interpreter -W error -m pytest -q -p no:cacheprovider --rootdir "$here" "$@" "$here"
}

run_stubtest() {
  need mypy
  interpreter -m mypy.stubtest libattest --allowlist "$allow" "$@"
}

run_mypy() {
  need mypy
  "$python" -m mypy --strict "$@" -p libattest
  "$python" -m mypy --strict "$@" "$here/use.py"
}

suite=$1
shift
case $suite in
  all)
    run_pytest "$@"
    run_stubtest "$@"
    run_mypy "$@"
    ;;
  pytest | stubtest | mypy) "run_$suite" "$@" ;;
  *)
    echo "run.sh: no suite '$suite'" >&2
    exit 2
    ;;
esac
