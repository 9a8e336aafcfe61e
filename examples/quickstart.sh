#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to a verdict: installs what is missing, builds, starts a software TPM, lets a
# simulated machine boot on it, takes its evidence, and judges it: first good, then after a program ran
# that nobody expects. Ends with 0 only if the verdicts are trusted, then untrusted, in C and in Python.
# usage: sh examples/quickstart.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$(dirname "$here")
build=$source/build/quickstart
# Debian's own: another python3 may be first on PATH, and the extension is built for this one.
python=/usr/bin/python3
# shellcheck source=examples/quickstart/swtpm.sh
. "$here/quickstart/swtpm.sh"

work=
SWTPM_PID=
cleanup() {
  [ -z "$SWTPM_PID" ] || kill "$SWTPM_PID" 2>/dev/null || true
  [ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf '\nquickstart: %s\n' "$*" >&2
  exit 1
}
quietly() { # LOG COMMAND...
  log=$1
  shift
  "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "failed: $*"
  }
}

say 'Installing what is missing (Debian packages)'
sh "$source/cmake/setup.sh" build quickstart

say 'Building libattest, its commands and its Python package (a few minutes the first time)'
mkdir -p "$build"
quietly "$build/configure.log" cmake -S "$source" -B "$build" -G Ninja \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DATTEST_PYTHON=ON \
  -DPython_EXECUTABLE=$python
cmake --build "$build" --parallel 2

work=$(mktemp -d)
say 'Starting a software TPM'
quietly "$work/start.log" swtpm_make "$work"
swtpm_start "$work"
node() { # boot | run FILE
  $python -B "$here/quickstart/simulated_node.py" "$@" --tpm "$work/tpm" --logs "$work/logs"
}
collect() { # EVIDENCE NONCE
  "$build/examples/collect/collect" --tcti "swtpm:path=$work/tpm" --ak-handle 0x81010002 \
    --eventlog "$work/logs/eventlog.bin" --ima "$work/logs/ima.bin" --output "$work/$1" --nonce "$2"
}
new_nonce() { head -c 20 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

say 'A machine boots on it and its evidence is taken: a quote, the boot event log, the IMA list'
node boot
collect good "$(new_nonce)"
ls "$work/good"

say 'A policy is made from this evidence, which is known to be good'
attest=$build/examples/attest/attest
"$attest" policy create --evidence "$work/good" --output "$work/policy.json"
head -c 300 "$work/policy.json"
echo ' ...'

# Asks all three verifiers: they must end with STATUS.
judge() { # STATUS EVIDENCE NONCE
  evidence=$work/$2
  for verifier in command C Python; do
    status=0
    case $verifier in
      command)
        echo "\$ attest verify --evidence $2 --policy policy.json --nonce $3"
        "$attest" verify --evidence "$evidence" --policy "$work/policy.json" --nonce "$3" \
          >"$work/verdict" || status=$?
        ;;
      C)
        echo "\$ verify $2 policy.json $3        (examples/verify.c)"
        "$build/examples/verify" "$evidence" "$work/policy.json" "$3" >"$work/verdict" || status=$?
        ;;
      Python)
        echo "\$ python3 verify.py $2 policy.json $3        (examples/verify.py)"
        PYTHONPATH=$build/bindings/python $python -B "$here/verify.py" \
          "$evidence" "$work/policy.json" "$3" >"$work/verdict" || status=$?
        ;;
    esac
    cat "$work/verdict"
    [ $status -eq "$1" ] || fail "the $verifier verifier ended with $status, not $1"
    [ "$1" -eq 0 ] || grep -q "$work/cryptominer" "$work/verdict" ||
      fail "the $verifier verifier does not name the program"
    echo
  done
}

say 'Later, with a new nonce: is the machine still what it was?'
nonce=$(new_nonce)
collect later "$nonce"
judge 0 later "$nonce"

say 'A program runs that the policy does not list. And now?'
echo 'a program nobody expects' >"$work/cryptominer"
node run "$work/cryptominer"
nonce=$(new_nonce)
collect tampered "$nonce"
judge 1 tampered "$nonce"

say 'Done: trusted while the machine was as expected, untrusted with a reason when it was not.'
echo "attest is in $build/examples/attest; cmake --install $build --prefix DIR installs everything."
