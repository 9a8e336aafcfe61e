#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# collect against a real software TPM; tpm2-tools, written by others, say whether the evidence is good.
# usage: collect_test.sh COLLECT
set -eu
collect=${1:?usage: collect_test.sh COLLECT}
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

nonce=000102030405060708090a0b0c0d0e0f10111213
take() { # DIR OPTION...
  dir=$1
  shift
  "$collect" --nonce $nonce --output "$work/$dir" --tcti "swtpm:path=$work/tpm" "$@" \
    >"$work/stdout" 2>"$work/stderr" || fail "collect $* ended with $?"
  [ ! -s "$work/stdout" ] || fail "collect wrote to standard output"
}
# Runs collect with these arguments alone: it must end with 2, one line that holds WORDS, and no DIR.
refused() { # WORDS ARGUMENT...
  words=$1
  shift
  status=0
  "$collect" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  [ $status -eq 2 ] || fail "collect $* ended with $status, not 2"
  [ ! -s "$work/stdout" ] || fail "collect $* wrote to standard output"
  [ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "collect $* did not say one line"
  grep -q "^collect: .*$words" "$work/stderr" || fail "collect $*: no '$words'"
  [ ! -e "$work/refused" ] || fail "collect $* left its output"
  ls -d "$work"/*.collect-* 2>/dev/null && fail "collect $* left temporary files"
  return 0
}
check() { # DIR NONCE
  tpm2_checkquote -u "$work/$1/ak.tss" -m "$work/$1/quote.msg" -s "$work/$1/quote.sig" \
    -f "$work/$1/quote.pcrs" -q "$2" >"$work/checkquote" 2>&1
}

swtpm_make "$work"
swtpm_start "$work"
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm"
tpm="swtpm:path=$work/tpm"
echo 'an event log' >"$work/eventlog"
echo 'a measurement list' >"$work/ima"
: >"$work/empty"

# The evidence is good.
take rsa --no-logs
check rsa $nonce || fail 'tpm2_checkquote refuses the RSA quote'
[ "$(cat "$work/rsa/nonce.hex")" = $nonce ] || fail 'nonce.hex is not the nonce'
[ "$(ls "$work/rsa")" = "$(printf '%s\n' ak.tss ek.crt.der nonce.hex quote.msg quote.pcrs quote.sig)" ] ||
  fail 'the folder does not hold what it should'
passed 'an RSA quote'
take ecc --no-logs --ak ecc --pcrs sha1:0-23+sha256:0-23
check ecc $nonce || fail 'tpm2_checkquote refuses the ECC quote'
passed 'an ECC quote of 48 PCRs'
take last --no-logs --pcrs sha256:23
check last $nonce || fail 'tpm2_checkquote refuses the quote of one PCR'
passed 'a quote of one PCR'
check rsa 00$nonce && fail 'tpm2_checkquote takes another nonce'
passed 'another nonce is refused'
openssl x509 -inform der -in "$work/rsa/ek.crt.der" -noout -pubkey >"$work/certified.pem"
tpm2_createek -Q -G rsa -c "$work/ek.ctx" -f pem -u "$work/ek.pem"
tpm2_flushcontext -Q -t
cmp "$work/certified.pem" "$work/ek.pem" || fail 'ek.crt.der is of another key'
passed 'the EK certificate is of the EK'

# It is the file that tpm2_quote itself would write.
take tools --no-logs --ak-handle 0x81010002 --pcrs sha1:1,3,10+sha256:0-7,23
tpm2_quote -Q -c 0x81010002 -l sha1:1,3,10+sha256:0,1,2,3,4,5,6,7,23 -q $nonce -m "$work/tools.msg" \
  -s "$work/tools.sig" -o "$work/tools.pcrs" -F serialized
cmp "$work/tools/quote.pcrs" "$work/tools.pcrs" || fail 'quote.pcrs differs from that of tpm2_quote'
tpm2_readpublic -Q -c 0x81010002 -f tss -o "$work/tools.tss"
cmp "$work/tools/ak.tss" "$work/tools.tss" || fail 'ak.tss differs from that of tpm2_readpublic'
passed 'the files are those of tpm2-tools'

# A kept key stays the same; other keys are new each time.
take again --no-logs --ak-handle 0x81010002
cmp "$work/tools/ak.tss" "$work/again/ak.tss" || fail 'the kept key changed'
check again $nonce || fail 'tpm2_checkquote refuses the quote of the kept key'
take other --no-logs
cmp -s "$work/rsa/ak.tss" "$work/other/ak.tss" && fail 'a transient key came twice'
passed 'keys are kept where asked for'
for kind in transient loaded-session saved-session; do
  [ -z "$(tpm2_getcap handles-$kind)" ] || fail "collect left handles-$kind in the TPM"
done
passed 'nothing is left in the TPM'

# Logs are copied as they are.
take logs --eventlog "$work/eventlog" --ima "$work/ima"
cmp "$work/eventlog" "$work/logs/eventlog.bin" || fail 'the event log changed'
cmp "$work/ima" "$work/logs/ima.bin" || fail 'the measurement list changed'
mkdir "$work/hollow"
take hollow/ --no-logs
passed 'logs are copied, an empty folder is filled'

# A measurement between reading and quoting.
relay="cmd:/usr/bin/python3 $here/measuring_relay.py $work/tpm"
"$collect" --nonce $nonce --output "$work/raced" --no-logs --tcti "$relay 2" 2>"$work/stderr" ||
  fail 'collect gave up after two measurements'
check raced $nonce || fail 'the values are not those that were quoted'
passed 'PCRs that change once or twice are read again'
refused 'the PCRs changed 10 times' --nonce $nonce --output "$work/refused" --no-logs --tcti "$relay 99"
passed 'PCRs that never rest are given up'

# What cannot be done ends with 2 and leaves nothing.
out=$work/refused
refused 'nonce is missing' --output "$out" --tcti "$tpm"
refused 'output is missing' --nonce $nonce --tcti "$tpm"
refused 'unknown option --frob' --nonce $nonce --output "$out" --frob
refused "unexpected argument 'x'" --nonce $nonce --output "$out" x
refused 'wants a value' --nonce $nonce --output
refused '16 to 64 bytes' --nonce 0011 --output "$out"
refused '16 to 64 bytes' --nonce ${nonce}0 --output "$out"
refused '16 to 64 bytes' --nonce $nonce$nonce$nonce$nonce --output "$out"
refused 'not a hex digit at position 3' --nonce "000g$nonce" --output "$out"
for pcrs in '' sha256 sha256: sha256:24 'sha256:0,' sha256:5-3 sha256:0+ sha256:0+sha256:1 md5:0 \
  'sha256:0 ' sha256:0-x sha256:99999999999; do
  refused 'pcrs: cannot read' --nonce $nonce --output "$out" --pcrs "$pcrs"
done
refused 'ak wants rsa or ecc' --nonce $nonce --output "$out" --ak dsa
for handle in '' 0 0x80ffffff 0x81800000 0x8101000g 99999999999999999999; do
  refused 'ak-handle wants' --nonce $nonce --output "$out" --ak-handle "$handle"
done
refused 'no-logs contradicts' --nonce $nonce --output "$out" --no-logs --ima "$work/ima"
passed 'wrong usage is refused'
refused 'No such file' --nonce $nonce --output "$out" --tcti "$tpm" --eventlog "$work/absent" \
  --ima "$work/ima"
refused 'No such file' --nonce $nonce --output "$out" --tcti "$tpm" --eventlog "$work/eventlog" \
  --ima "$work/absent"
refused 'is empty' --nonce $nonce --output "$out" --tcti "$tpm" --eventlog "$work/empty" \
  --ima "$work/ima"
refused 'Is a directory' --nonce $nonce --output "$out" --tcti "$tpm" --eventlog "$work" \
  --ima "$work/ima"
passed 'a named log must be there'
refused 'exists and is not empty' --nonce $nonce --output "$work/rsa" --no-logs --tcti "$tpm"
check rsa $nonce || fail 'the old evidence was touched'
refused 'Not a directory' --nonce $nonce --output "$work/ima" --no-logs --tcti "$tpm"
refused 'No such file' --nonce $nonce --output "$work/absent/refused" --no-logs --tcti "$tpm"
passed 'an output that is in the way is left alone'
refused 'cannot reach the TPM' --nonce $nonce --output "$out" --no-logs --tcti "swtpm:path=$work/absent"
refused 'cannot reach the TPM' --nonce $nonce --output "$out" --no-logs --tcti nonsense
refused 'no such PCR or bank' --nonce $nonce --output "$out" --no-logs --tcti "$tpm" --pcrs sha384:0
refused 'not of the type' --nonce $nonce --output "$out" --no-logs --tcti "$tpm" --ak ecc \
  --ak-handle 0x81010002
refused 'not a restricted signing key' --nonce $nonce --output "$out" --no-logs --tcti "$tpm" \
  --ak-handle 0x81010001
tpm2_changeauth -Q -c endorsement secret
refused 'endorsement hierarchy' --nonce $nonce --output "$out" --no-logs --tcti "$tpm"
tpm2_changeauth -Q -c endorsement -p secret
tpm2_changeauth -Q -c owner secret
refused 'owner hierarchy' --nonce $nonce --output "$out" --no-logs --tcti "$tpm" \
  --ak-handle 0x81010003
tpm2_changeauth -Q -c owner -p secret
[ -z "$(tpm2_getcap handles-transient)" ] || fail 'a failure left a key in the TPM'
passed 'a TPM that does not do its part is an error'

if [ "$(id -u)" -eq 0 ]; then
  chmod 755 "$work"
  chmod 777 "$work/tpm" "$work/tpm.ctrl"
  chmod 600 "$work/ima"
  mkdir "$work/public"
  chmod 777 "$work/public"
  copy=$work/collect
  cp "$collect" "$copy"
  collect() { setpriv --reuid nobody --regid nogroup --clear-groups "$copy" "$@"; }
  collect --nonce $nonce --output "$work/public/user" --tcti "$tpm" --no-logs 2>"$work/stderr" ||
    fail 'an ordinary user cannot collect from a TPM that is theirs'
  check public/user $nonce || fail 'tpm2_checkquote refuses the quote of an ordinary user'
  status=0
  collect --nonce $nonce --output "$work/public/refused" --tcti "$tpm" --ima "$work/ima" \
    --eventlog "$work/eventlog" 2>"$work/stderr" || status=$?
  { [ $status -eq 2 ] && grep -q 'ima: Permission denied' "$work/stderr"; } ||
    fail 'a log that may not be read was not an error'
  status=0
  collect --nonce $nonce --output "$work/refused" --tcti "$tpm" --no-logs 2>"$work/stderr" || status=$?
  { [ $status -eq 2 ] && grep -q 'Permission denied' "$work/stderr"; } ||
    fail 'an output that may not be written was not an error'
  [ "$(ls "$work/public")" = user ] || fail 'a failure left something behind'
  passed 'an ordinary user can do it where the TPM is theirs'
fi

"$collect" --version | grep -qx 'collect [0-9.]*' || fail '--version'
"$collect" --help | grep -q '^Usage: collect' || fail '--help'
"$collect" --help >/dev/full 2>/dev/null && fail '--help does not notice that nobody could read it'
passed 'help and version'
