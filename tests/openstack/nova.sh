#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The Nova plug-in: unit tests on Nova's own objects, faults of an attestation service, whole flows on
# Nova's own in-process base, and real scheduler processes.
# usage: nova.sh debian|newest BUILD_DIR [PART]...
#   PART     unit, backends, faults, functional, stack, mirror_unit, mirror, mirror_nova or mirror_ironic;
#            without one all. bench prints figures and judges none
#   debian   Nova of Debian's packages and its Python
#   newest   the newest Nova of PyPI, in a virtual environment below BUILD_DIR
# BUILD_DIR has the Python package libattest. Exit 77: that Nova is not to be had here.
set -eu
which=${1:?debian or newest}
build=$(cd "${2:?the build folder}" && pwd)
shift 2
[ $# -ne 0 ] || set -- unit backends faults functional stack mirror_unit mirror mirror_nova mirror_ironic
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

newest_nova() {
  environment=$build/newest-nova
  # The libattest that was built is of Debian's Python.
  [ -x "$environment/bin/python" ] || /usr/bin/python3 -m venv "$environment"
  # Nova's own tests take what SQLAlchemy 2.1 calls deprecated in Nova for an error.
  "$environment/bin/pip" install --quiet --timeout 10 --retries 1 --upgrade \
    nova openstack-placement oslotest testtools fixtures testscenarios wsgi-intercept ddt requests-mock gabbi stestr 'sqlalchemy<2.1' \
    >"$build/newest-nova.log" 2>&1 || {
    echo 'skipped: PyPI is not reached, or has no Nova for this Python'
    tail -n 3 "$build/newest-nova.log"
    exit 77
  }
  python=$environment/bin/python
  # As its services do without being told; its tests would have eventlet.
  export OS_NOVA_DISABLE_EVENTLET_PATCHING=1
}

case $which in
  debian) python=/usr/bin/python3 ;;
  newest) newest_nova ;;
  *)
    echo "nova.sh: neither debian nor newest: $which" >&2
    exit 2
    ;;
esac
"$python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("nova"))' || {
  echo "skipped: $python has no nova"
  exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
export PYTHONPATH="$work:$root/bindings/openstack:$root/tests/support:$here/nova:$here/ironic:$build/bindings/python"
export PYTHONDONTWRITEBYTECODE=1 LIBATTEST_TEST_BUILD="$build" LIBATTEST_TEST_WORK="$work"
"$python" -c "import pathlib, service; service.write_metadata(pathlib.Path('$work'))"
version=$("$python" -c 'import importlib.metadata as m; print(m.version("nova"))')
echo "== Nova $version ($which): $*"

status=0
for part in "$@"; do
  echo "-- $part"
  case $part in bench) script=bench ;; *) script=${part}_test ;; esac
  (cd "$work" && "$python" -W ignore "$here/nova/$script.py") || status=1
done
exit "$status"
