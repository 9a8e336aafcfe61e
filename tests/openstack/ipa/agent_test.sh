#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs agent_test.py: ironic-python-agent from PyPI with our extension, and a software TPM.
# usage: agent_test.sh COLLECT WORK_DIR
# Exit 77: PyPI can not be reached.
set -eu
collect=$(realpath "${1:?usage: agent_test.sh COLLECT WORK_DIR}")
mkdir -p "${2:?usage: agent_test.sh COLLECT WORK_DIR}"
venv=$(realpath "$2")/venv
here=$(cd "$(dirname "$0")" && pwd)
source=$here/../../..
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

[ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check -q"
# Without the index an earlier run's packages will do.
if ! $pip --timeout 5 --retries 0 install ironic-python-agent setuptools wheel >"$work/pip.log" 2>&1 &&
  ! "$venv/bin/python" -c 'import ironic_python_agent, setuptools, wheel' 2>/dev/null; then
  echo 'skipped: PyPI can not be reached'
  exit 77
fi
# From a copy: setuptools builds inside the source.
cp -r "$source/bindings/openstack/ipa" "$work/ipa"
$pip install --no-deps --no-build-isolation --force-reinstall "$work/ipa"
"$venv/bin/python" -c 'import importlib.metadata as m; print("ironic-python-agent", m.version("ironic-python-agent"))'

swtpm_make "$work"
swtpm_start "$work"
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm" LIBATTEST_TCTI="swtpm:path=$work/tpm" LIBATTEST_COLLECT="$collect"
cd "$work"
"$venv/bin/python" -B "$here/agent_test.py"
