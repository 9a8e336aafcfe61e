# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# What a test with software TPMs begins with: sourced, with the project's folder in $source. Gives $work, a
# folder of the test's own, and the functions of examples/quickstart/swtpm.sh. When the test ends, the last
# TPM and what else is in $pids are stopped, and the folder is removed.

# shellcheck source=examples/quickstart/swtpm.sh
. "${source:?}/examples/quickstart/swtpm.sh"

work=$(mktemp -d)
SWTPM_PID=
pids=
cleanup() {
  for pid in $pids $SWTPM_PID; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# fail WORDS: ends the test, with what its last program said.
fail() {
  echo "FAIL: $*" >&2
  for said in stdout stderr out said; do [ ! -s "$work/$said" ] || cat "$work/$said" >&2; done
  exit 1
}
passed() { echo "ok: $*"; }
