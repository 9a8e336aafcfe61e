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
# shellcheck source=tests/openstack/services.sh
. "$(dirname "$0")/services.sh"
services_begin ironic "${1:?debian or newest}" "${2:?the build folder}" \
  python-swiftclient oslotest testtools fixtures webtest pyyaml
shift 2
[ $# -ne 0 ] || set -- unit steps_unit pxe_unit boot_config flows pxe launch swift guide moving peers ramdisk keylime

status=0
for part in "$@"; do
  echo "-- $part"
  (cd "$work" && "$python" -W ignore "$here/ironic/${part}_test.py") || status=1
done
exit "$status"
