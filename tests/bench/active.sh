#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Measures what attesting active nodes costs a real Ironic, in its own process and with agents on
# loopback, and how that grows with their number. Prints figures; judges nothing.
# usage: sh tests/bench/active.sh [debian|newest] [active.py's options]
set -eu
cd "$(dirname "$0")/../.."
which=debian
case ${1-} in debian | newest)
  which=$1
  shift
  ;;
esac
sh cmake/setup.sh build test openstack
mkdir -p build
echo '-- building'
if ! cmake --preset bench -DATTEST_PYTHON=ON -DPython_EXECUTABLE=/usr/bin/python3 >build/bench.log 2>&1 ||
  ! cmake --build --preset bench --parallel 2 --target _libattest >>build/bench.log 2>&1; then
  tail -n 40 build/bench.log
  exit 1
fi
python=/usr/bin/python3
if [ "$which" = newest ]; then
  # The environment that tests/openstack/ironic.sh makes.
  python=build/release/newest-ironic/bin/python
  [ -x "$python" ] || {
    echo "$python is not there: run sh tests/openstack/ironic.sh newest build/release unit"
    exit 1
  }
fi
export PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(printf '%s:' "$PWD/bindings/openstack" "$PWD/tests/support" "$PWD/tests/openstack/ironic" \
  "$PWD/tests/bench" "$PWD/build/bench/bindings/python")
export PYTHONPATH
"$python" -c 'import importlib.metadata as m, platform; print("Ironic", m.version("ironic"), "Python", platform.python_version())'
grep -m 1 'model name' /proc/cpuinfo || true
exec "$python" -W ignore tests/bench/active.py "$@"
