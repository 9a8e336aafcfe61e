# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# What the tests on real services begin with: sourced by ironic.sh and nova.sh.

# services_begin SERVICE debian|newest BUILD_DIR PYPI-PACKAGE...: sets $python, which has the service;
# $root and $here; $work, a folder that goes in the end; and where Python finds what the tests import.
#   debian   of Debian's packages and its Python
#   newest   the newest of PyPI, in a virtual environment below BUILD_DIR
# Ends with 77 where that service is not to be had.
services_begin() {
  service=$1 which=$2
  build=$(cd "$3" && pwd)
  shift 3
  here=$(cd "$(dirname "$0")" && pwd)
  root=$(cd "$here/../.." && pwd)
  case $which in
    debian) python=/usr/bin/python3 ;;
    newest) services_newest "$@" ;;
    *)
      echo "${0##*/}: neither debian nor newest: $which" >&2
      exit 2
      ;;
  esac
  "$python" -c "import importlib.util as u, sys; sys.exit(not u.find_spec('$service'))" || {
    echo "skipped: $python has no $service"
    exit 77
  }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  PYTHONPATH=$work:$root/bindings/openstack:$root/tests/support:$here/$service:$here/ironic:$build/bindings/python
  export PYTHONPATH PYTHONDONTWRITEBYTECODE=1 LIBATTEST_TEST_BUILD="$build" LIBATTEST_TEST_WORK="$work"
  "$python" -c "import pathlib, service; service.write_metadata(pathlib.Path('$work'))"
  "$python" -c "import importlib.metadata as m; print('== $service', m.version('$service'), '($which)')"
}

services_newest() {
  environment=$build/newest-$service
  # The libattest that was built is of Debian's Python.
  [ -x "$environment/bin/python" ] || /usr/bin/python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --timeout 10 --retries 1 --upgrade "$service" "$@" \
    >"$build/newest-$service.log" 2>&1 || {
    echo "skipped: PyPI is not reached, or has no $service for this Python"
    tail -n 3 "$build/newest-$service.log"
    exit 77
  }
  python=$environment/bin/python
}
