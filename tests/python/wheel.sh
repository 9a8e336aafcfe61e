#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wheel as a user does, installs it in a fresh environment, and runs the tests on that.
# usage: wheel.sh [PYTHON [WORK_DIR]]
# Exit 77: PyPI can not be reached.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
binding=$here/../../bindings/python
python=${1:-/usr/bin/python3}
work=${2:-$here/../../build/wheel}

mkdir -p "$work"
work=$(cd "$work" && pwd)
rm -rf "$work/venv" "$work/dist"
"$python" -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --disable-pip-version-check -q"
if ! $pip --timeout 5 --retries 0 download --no-deps -d "$work/dist" scikit-build-core \
  >"$work/pypi.log" 2>&1; then
  echo "skipped: PyPI can not be reached ($work/pypi.log)"
  exit 77
fi
rm -rf "$work/dist"

$pip wheel --no-deps -w "$work/dist" "$binding"
wheel=$(find "$work/dist" -name 'libattest-*.whl')
echo "$wheel:"
"$python" - "$wheel" <<'PYTHON'
import re, sys, zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
package = sorted(name for name in names if name.startswith("libattest/"))
print(*package, sep="\n")
patterns = [r"__init__\.py", r"_types\.py", r"_keylime\.py", r"_oat\.py", r"_libattest\.pyi", r"py\.typed",
            r"_libattest\.[\w.-]*so", r"libattest\.so\.0"]
wrong = [n for n in package if not any(re.fullmatch("libattest/" + p, n) for p in patterns)]
wrong += [n for n in names if not re.match(r"libattest(-[\w.]+\.dist-info)?/", n)]
if wrong or len(package) != len(patterns):
    sys.exit(f"not what a wheel should hold: {wrong or package}")
PYTHON

$pip install "$wheel" pytest
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH
"$work/venv/bin/python" -c "
import libattest
assert libattest.__file__.startswith('$work/venv/'), libattest.__file__
maps = {line.split()[-1] for line in open('/proc/self/maps') if 'libattest.so' in line}
assert all(name.startswith('$work/venv/') for name in maps) and len(maps) == 1, maps"
# What is in the wheel works; the rest is the same code as in the build's own tests.
"$work/venv/bin/python" -W error -m pytest -q -p no:cacheprovider \
  test_minimal.py test_types.py test_appraise.py test_logs.py test_policy.py test_boot.py
