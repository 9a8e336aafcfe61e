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
# shellcheck source=tests/openstack/services.sh
. "$(dirname "$0")/services.sh"
# Nova's own tests take what SQLAlchemy 2.1 calls deprecated in Nova for an error.
services_begin nova "${1:?debian or newest}" "${2:?the build folder}" \
  openstack-placement oslotest testtools fixtures testscenarios wsgi-intercept ddt requests-mock gabbi stestr 'sqlalchemy<2.1'
# As its services do without being told; its tests would have eventlet.
[ "$which" = debian ] || export OS_NOVA_DISABLE_EVENTLET_PATCHING=1
shift 2
[ $# -ne 0 ] || set -- unit backends faults functional stack mirror_unit mirror mirror_nova mirror_ironic

status=0
for part in "$@"; do
  echo "-- $part"
  case $part in bench) script=bench ;; *) script=${part}_test ;; esac
  (cd "$work" && "$python" -W ignore "$here/nova/$script.py") || status=1
done
exit "$status"
