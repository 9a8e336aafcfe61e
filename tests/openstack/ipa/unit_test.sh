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

# What other packages bring along for pytest is not asked for, and warns.
PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 "$python" -W error -m pytest -q -p no:cacheprovider --rootdir "$here" "$here/unit_test.py"
"$python" -m mypy --config-file "$package/pyproject.toml" --cache-dir "$cache" -p libattest_ipa
