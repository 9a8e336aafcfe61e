#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The Ironic plug-in: unit tests on Ironic's own bases, then whole flows on a real Ironic.
# usage: ironic.sh debian|newest BUILD_DIR [PART]...
#   PART     unit, steps_unit, pxe_unit, boot_config, flows, pxe, launch, swift, guide, moving, peers, ramdisk or keylime;
#            without one all
#   debian   Ironic of Debian's packages and its Python
#   newest   the newest Ironic of PyPI, in a virtual environment below BUILD_DIR
# BUILD_DIR has the Python package libattest. Exit 77: that Ironic is not to be had here.
set -eu
which=${1:?debian or newest}
build=$(cd "${2:?the build folder}" && pwd)
shift 2
[ $# -ne 0 ] || set -- unit steps_unit pxe_unit boot_config flows pxe launch swift guide moving peers ramdisk keylime
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

newest_ironic() {
  environment=$build/newest-ironic
  # The libattest that was built is of Debian's Python.
  [ -x "$environment/bin/python" ] || /usr/bin/python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --timeout 10 --retries 1 --upgrade \
    ironic python-swiftclient oslotest testtools fixtures webtest pyyaml >"$build/newest-ironic.log" 2>&1 || {
    echo 'skipped: PyPI is not reached, or has no Ironic for this Python'
    tail -n 3 "$build/newest-ironic.log"
    exit 77
  }
  python=$environment/bin/python
}

case $which in
  debian) python=/usr/bin/python3 ;;
  newest) newest_ironic ;;
  *)
    echo "ironic.sh: neither debian nor newest: $which" >&2
    exit 2
    ;;
esac
"$python" -c 'import ironic' 2>/dev/null || {
  echo "skipped: $python has no ironic"
  exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH="$work:$root/bindings/openstack:$root/tests/support:$here/ironic:$build/bindings/python"
export PYTHONDONTWRITEBYTECODE=1 LIBATTEST_TEST_BUILD="$build" LIBATTEST_TEST_WORK="$work"
"$python" -c "import pathlib, service; service.write_metadata(pathlib.Path('$work'))"
version=$("$python" -c 'import importlib.metadata as m; print(m.version("ironic"))')
echo "== Ironic $version ($which): $*"

status=0
for part in "$@"; do
  echo "-- $part"
  (cd "$work" && "$python" -W ignore "$here/ironic/${part}_test.py") || status=1
done
exit "$status"
