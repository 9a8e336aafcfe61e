#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The extension's modules that need no ironic-python-agent: their tests and their types.
# usage: unit_test.sh [PYTHON]
set -eu
python=${1:-/usr/bin/python3}
here=$(cd "$(dirname "$0")" && pwd)
package=$(cd "$here/../../../bindings/openstack/ipa" && pwd)
export PYTHONPATH="$package" MYPYPATH="$package" PYTHONDONTWRITEBYTECODE=1
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT

"$python" -W error -m pytest -q -p no:cacheprovider --rootdir "$here" "$here/unit_test.py"
# ironic-python-agent has no types, and need not be here.
"$python" -m mypy --strict --cache-dir "$cache" --ignore-missing-imports --no-warn-unused-ignores -p libattest_ipa
