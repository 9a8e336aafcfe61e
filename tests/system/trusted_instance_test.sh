#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The tenant's script against a software TPM of either family, behind it a machine that boots as expected
# and then runs a program that nobody expects.
# usage: trusted_instance_test.sh 1.2|2.0 COLLECT ATTEST
# Exit 77: this machine lacks what a TPM 1.2 needs (root, TrouSerS and its tools).
set -eu
usage='usage: trusted_instance_test.sh 1.2|2.0 COLLECT ATTEST'
tpm=${1:?$usage}
collect=$(realpath "${2:?$usage}")
attest=$(realpath "${3:?$usage}")
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
script=$source/examples/trusted-instance/trusted-instance.sh
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"
# shellcheck source=tests/support/tpm12.sh
. "$source/tests/support/tpm12.sh"
PATH=$PATH:/usr/sbin:/sbin
if [ "$tpm" = 1.2 ]; then
  for program in tcsd tpm_takeownership tpm_getquote; do
    command -v $program >/dev/null || { echo "skipped: there is no $program"; exit 77; }
  done
  [ "$(id -u)" -eq 0 ] || { echo 'skipped: only root can start tcsd'; exit 77; }
fi

# The programs as the element installs them.
mkdir "$work/bin"
ln -s "$collect" "$work/bin/collect"
ln -s "$attest" "$work/bin/attest"
PATH=$work/bin:$PATH
# Runs the script with the logs of the simulated machine: it must end with STATUS.
instance() { # STATUS OPTION...
  expected=$1
  shift
  set -- --tpm "$tpm" --eventlog "$work/logs/eventlog.bin" --ima "$work/logs/ima.bin" "$@"
  if [ "$tpm" = 1.2 ]; then
    set -- --state "$work/keys" "$@"
  else
    set -- --tcti "swtpm:path=$work/tpm" "$@"
  fi
  status=0
  sh "$script" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  [ $status -eq "$expected" ] || fail "trusted-instance $* ended with $status, not $expected"
}
refused() { # WORDS OPTION...
  words=$1
  shift
  instance 2 "$@"
  [ ! -s "$work/stdout" ] || fail "trusted-instance $* wrote to standard output"
  grep -q "^trusted-instance: .*$words" "$work/stderr" || fail "trusted-instance $*: no '$words'"
}
said() { grep -q "$1" "$work/stdout" || fail "the verdict does not say: $1"; }

if [ "$tpm" = 1.2 ]; then
  tpm12_make "$work"
  tpm12_start "$work"
  node() { # boot | run FILE
    action=$1
    shift
    tcsd_stop
    /usr/bin/python3 -B "$here/simulated_node12.py" "$action" "$TPM12_PORT" "$work/logs" "$@"
    tcsd_start "$work"
  }
  node boot
  tpm_takeownership -y -z 2>"$work/stderr" || fail 'the TPM takes no owner'
  allow=--allow-sha1
  key=keys
else
  swtpm_make "$work"
  swtpm_start "$work"
  node() {
    /usr/bin/python3 -B "$source/examples/quickstart/simulated_node.py" "$@" --tpm "$work/tpm" --logs "$work/logs"
  }
  node boot
  allow=
  key=names
fi

# The folder, for whoever judges it elsewhere.
nonce=000102030405060708090a0b0c0d0e0f10111213
instance 0 --collect-only --output "$work/good" --nonce $nonce
[ ! -s "$work/stdout" ] || fail 'taking evidence wrote to standard output'
files=$(cd "$work/good" && for file in *; do [ "$file" = ek.crt.der ] || printf '%s ' "$file"; done)
[ "$files" = 'ak.tss eventlog.bin ima.bin nonce.hex quote.msg quote.pcrs quote.sig ' ] ||
  fail "the folder holds $files"
[ "$(cat "$work/good/nonce.hex")" = $nonce ] || fail 'the folder has another nonce'
[ "$(stat -c %a "$work/good/ima.bin")" = 600 ] || fail 'others may read what the machine runs'
# shellcheck disable=SC2086
attest quote --evidence "$work/good" --nonce $nonce $allow >"$work/stdout" 2>"$work/stderr" ||
  fail 'the quote does not verify'
# shellcheck disable=SC2086
attest policy create --evidence "$work/good" --nonce $nonce $allow --output "$work/policy.json" 2>"$work/stderr" ||
  fail 'no policy can be made of it'
grep -q "\"$key\"" "$work/policy.json" || fail 'the policy pins no key'
passed 'evidence for a nonce of somebody else, and a policy of it'

# The machine's own verdict.
instance 0 --policy "$work/policy.json"
said '^verdict: trusted$'
grep -q 'proves nothing to others' "$work/stderr" || fail 'the script does not say what its verdict is worth'
instance 0 --policy "$work/policy.json" --json --output "$work/kept"
/usr/bin/python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["verdict"] != "trusted")' <"$work/stdout" ||
  fail 'the report is another'
first=$(cat "$work/kept/nonce.hex")
instance 0 --policy "$work/policy.json" --output "$work/kept-again"
[ "$(cat "$work/kept-again/nonce.hex")" != "$first" ] || fail 'a nonce came twice'
cmp -s "$work/good/ak.tss" "$work/kept/ak.tss" || fail 'the key is another than it was'
passed 'trusted, each time by a fresh nonce and the same key'

echo 'a launch log' >"$work/launch"
instance 0 --collect-only --output "$work/launched" --launch-log "$work/launch"
cmp "$work/launch" "$work/launched/launchlog.bin" || fail 'the launch log is another'
passed "a launch's log is taken where it is given"

# Elsewhere, an old folder is no answer to a new nonce.
status=0
attest verify --evidence "$work/kept" --nonce $nonce --policy "$work/policy.json" >"$work/stdout" 2>&1 || status=$?
{ [ $status -eq 1 ] && grep -q nonce-mismatch "$work/stdout"; } || fail 'an old quote was taken'
passed 'an old folder does not answer a new nonce'

echo 'a program nobody expects' >"$work/cryptominer"
node run "$work/cryptominer"
instance 1 --policy "$work/policy.json"
said '^verdict: untrusted$'
said "ima-not-listed: .*$work/cryptominer"
instance 0 --collect-only --output "$work/tampered" --nonce $nonce
attest verify --evidence "$work/tampered" --nonce $nonce --policy "$work/policy.json" >"$work/stdout" 2>&1 &&
  fail 'the folder is trusted'
said "ima-not-listed: .*$work/cryptominer"
passed 'untrusted, by the name of the program that ran'
# The machine lies: it leaves the last entry out of its list.
cp "$work/logs/ima.bin" "$work/ima.whole"
head -c -60 "$work/ima.whole" >"$work/logs/ima.bin"
instance 2 --policy "$work/policy.json"
size=$(wc -c <"$work/good/ima.bin")
head -c "$size" "$work/ima.whole" >"$work/logs/ima.bin"
instance 1 --policy "$work/policy.json"
said 'ima-replay'
cp "$work/ima.whole" "$work/logs/ima.bin"
passed 'a list that was cut does not help it'

# What ends without a verdict.
refused 'cannot be read: make one' --policy "$work/absent"
instance 2 --policy "$work/logs/ima.bin"
[ ! -s "$work/stdout" ] || fail 'what is no policy gave a verdict'
refused 'needs --output' --collect-only
refused 'contradicts' --collect-only --output "$work/refused" --json
refused "unknown argument '--frob'" --frob
refused 'cannot be read' --collect-only --output "$work/refused" --launch-log "$work/absent"
refused 'wants a value' --policy "$work/policy.json" --nonce
refused 'not empty' --policy "$work/policy.json" --nonce ''
refused 'not hexadecimal' --policy "$work/policy.json" --nonce 'xyz; id'
refused 'not an empty folder' --policy "$work/policy.json" --output "$work/good"
refused "wants 1.2 or 2.0" --policy "$work/policy.json" --tpm 3
refused 'numbers and ranges' --policy "$work/policy.json" --pcrs '0;id'
if [ "$tpm" = 1.2 ]; then
  for pcrs in 7-0 24 0-24 1-2-3 -3 3- 0,100; do
    refused 'pcrs wants numbers' --collect-only --output "$work/refused" --pcrs "$pcrs"
  done
  refused 'names no PCR' --collect-only --output "$work/refused" --pcrs ,
  refused 'exactly 20 bytes' --collect-only --output "$work/refused" --nonce 00$nonce
  refused 'No such file\|cannot be read' --collect-only --output "$work/refused" --ima "$work/absent"
  instance 0 --collect-only --output "$work/few" --pcrs 10,0-3,2 --nonce $nonce
  [ "$(cut -d = -f 1 "$work/few/quote.pcrs" | tr '\n' ' ')" = '0 1 2 3 10 ' ] || fail 'other PCRs were quoted'
  attest quote --evidence "$work/few" --nonce $nonce --allow-sha1 >"$work/stdout" 2>&1 || fail 'it does not verify'
  refused 'cannot be made' --collect-only --output "$work/refused" --state /proc/no-such-folder/keys
  # PCRs that change while they are quoted, as often as the file says.
  mkdir "$work/restless"
  cat >"$work/restless/tpm_getpcrhash" <<END
#!/bin/sh
$(command -v tpm_getpcrhash) "\$@" || exit
left=\$(cat "$work/left")
[ \$left -eq 0 ] || echo \$left | dd of="\$2" bs=1 seek=40 conv=notrunc 2>/dev/null
[ \$left -eq 0 ] || echo \$((left - 1)) >"$work/left"
END
  chmod +x "$work/restless/tpm_getpcrhash"
  echo 3 >"$work/left"
  path=$PATH
  PATH=$work/restless:$PATH
  instance 0 --collect-only --output "$work/rested" --nonce $nonce
  [ "$(cat "$work/left")" -eq 0 ] || fail 'the PCRs did not change'
  attest quote --evidence "$work/rested" --nonce $nonce --allow-sha1 >"$work/stdout" 2>&1 || fail 'it does not verify'
  echo 99 >"$work/left"
  refused 'changed 10 times' --collect-only --output "$work/refused"
  PATH=$path
  tcsd_stop
  refused 'tpm_getpcrhash: ' --collect-only --output "$work/refused"
  refused 'tpm_mkaik: ' --collect-only --output "$work/refused" --state "$work/no-key"
  (PATH=/usr/bin:/bin && refused 'attest is not installed' --policy "$work/policy.json")
else
  refused 'could not take the evidence' --policy "$work/policy.json" --nonce 0011
  refused 'could not take the evidence' --policy "$work/policy.json" --tcti "swtpm:path=$work/absent"
  (PATH=/usr/bin:/bin && refused 'attest is not installed' --policy "$work/policy.json")
  (PATH=/usr/bin:/bin && refused 'collect is not installed' --collect-only --output "$work/refused")
fi
[ ! -e "$work/refused" ] || fail 'something was left behind'
passed 'everything else ends without a verdict and says why'

if [ ! -e /sys/class/tpm/tpm0 ]; then
  status=0
  sh "$script" --policy "$work/policy.json" >"$work/stdout" 2>"$work/stderr" || status=$?
  { [ $status -eq 2 ] && grep -q 'the kernel shows no TPM' "$work/stderr"; } || fail 'no TPM, and no error'
  passed 'a machine without a TPM says so'
fi
sh "$script" --help | grep -q '^Usage: trusted-instance' || fail '--help'
passed 'help'
