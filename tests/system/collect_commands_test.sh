#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# collect's sub-commands against real software TPMs; tpm2-tools, written by others, are the verifier.
# usage: collect_commands_test.sh COLLECT
set -eu
collect=${1:?usage: collect_commands_test.sh COLLECT}
here=$(cd "$(dirname "$0")" && pwd)
python=/usr/bin/python3
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

# run DIR ARGUMENT...: collect's sub-command, its members as files of bytes in DIR.
run() {
  dir=$1
  shift
  "$collect" "$@" --tcti "$tpm" >"$work/stdout" 2>"$work/stderr" || fail "collect $* ended with $?"
  mkdir -p "$work/$dir"
  $python -B "$here/json_members.py" "$work/stdout" "$work/$dir" || fail "collect $* wrote no such JSON"
}
# Runs collect with these arguments: it must end with 2, one line that holds WORDS, and no output.
refused() {
  words=$1
  shift
  status=0
  "$collect" "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
  [ $status -eq 2 ] || fail "collect $* ended with $status, not 2"
  [ ! -s "$work/stdout" ] || fail "collect $* wrote to standard output"
  [ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "collect $* did not say one line"
  grep -q "^collect: .*$words" "$work/stderr" || fail "collect $*: no '$words'"
}
name_of() { echo "000b$(tail -c +3 "$1" | sha256sum | cut -d ' ' -f 1)"; }
# challenge IDENTITY OUT [NAME]: OUT.credential and OUT.secret hide the bytes of OUT.
challenge() {
  head -c 32 /dev/urandom >"$work/$2"
  tpm2_makecredential -Q -T none -u "$work/$1/ek_public" -s "$work/$2" -o "$work/blob" \
    -n "${3:-$(name_of "$work/$1/ak_public")}"
  # Behind eight bytes of tpm2-tools' own are the two structures, one after the other.
  size=$((0x$(head -c 10 "$work/blob" | tail -c 2 | od -An -tx1 | tr -d ' ') + 2))
  tail -c +9 "$work/blob" | head -c $size >"$work/$2.credential"
  tail -c +$((9 + size)) "$work/blob" >"$work/$2.secret"
}
checked() { # DIR NONCE
  tpm2_checkquote -Q -u "$work/$1/ak_public" -m "$work/$1/quote" -s "$work/$1/signature" \
    -f "$work/$1/pcrs" -q "$2" >"$work/checkquote" 2>&1
}
nothing_left() {
  for kind in transient loaded-session saved-session; do
    [ -z "$(tpm2_getcap handles-$kind)" ] || fail "collect left handles-$kind in the TPM"
  done
}

mkdir "$work/one" "$work/two"
swtpm_make "$work/one"
swtpm_start "$work/one"
first_pid=$SWTPM_PID
pids=$first_pid
tpm="swtpm:path=$work/one/tpm"
export TPM2TOOLS_TCTI="$tpm"
nonce=000102030405060708090a0b0c0d0e0f10111213
state=$work/state

# Who is this TPM?
for ek in L-2 H-1 H-2 H-3 L-1; do
  run $ek identity --state "$state" --ek $ek
  [ "$(cat "$work/$ek/ek_template")" = $ek ] || fail "$ek: another template"
  challenge $ek challenge
  run $ek activate --state "$state" --credential "@$work/challenge.credential" \
    --secret "@$work/challenge.secret"
  cmp "$work/challenge" "$work/$ek/answer" || fail "$ek: a wrong answer"
  run $ek activate --state "$state" --credential "$(base64 -w0 "$work/challenge.credential")" \
    --secret "$(base64 -w0 "$work/challenge.secret")"
  cmp "$work/challenge" "$work/$ek/answer" || fail "$ek: a wrong answer to base64"
  run $ek quote --state "$state" --nonce $nonce --no-logs
  checked $ek $nonce || fail "$ek: tpm2_checkquote refuses the quote"
  checked $ek 00$nonce && fail "$ek: tpm2_checkquote takes another nonce"
done
passed 'keys of five templates answer challenges, and the AK under each quotes'
for ek in L-1 H-3; do # the certificates that the software TPM has
  openssl x509 -inform der -in "$work/$ek/ek_certificate" -noout -pubkey >"$work/certified.pem"
  tpm2_print -t TPM2B_PUBLIC -f pem "$work/$ek/ek_public" >"$work/ek.pem"
  cmp "$work/certified.pem" "$work/ek.pem" || fail "the certificate of $ek is of another key"
done
[ ! -e "$work/L-2/ek_certificate" ] || fail 'a certificate came from nowhere'
passed 'the certificates are of the keys'
run again identity --state "$state"
for member in ek_template ek_public ek_certificate ak_public; do
  cmp "$work/L-1/$member" "$work/again/$member" || fail "$member changed"
done
[ "$(stat -c %a "$state")" = 700 ] || fail 'others may read the state'
passed 'the same keys from call to call'
run ecc identity --state "$work/ecc-state" --ak ecc
run ecc quote --state "$work/ecc-state" --nonce $nonce --no-logs --pcrs sha1:0-23+sha256:0-23
checked ecc $nonce || fail 'tpm2_checkquote refuses the ECC quote'
passed 'an ECC AK'
nothing_left
passed 'nothing is left in the TPM'

# Each call waits for the other: all of them see one AK.
for i in 1 2 3 4; do
  "$collect" identity --state "$work/shared" --tcti "$tpm" >"$work/shared.$i" 2>"$work/stderr.$i" &
  eval "pid$i=$!"
done
for i in 1 2 3 4; do
  eval "wait \$pid$i" || fail "one of four at once failed: $(cat "$work/stderr.$i")"
  cmp "$work/shared.1" "$work/shared.$i" || fail 'four at once saw different keys'
done
passed 'four calls at once see the same keys'

# Logs.
$python -B "$here/json_members.py" --list 5 "$work/ima"
for i in 0 1 2 3 4 5; do
  run logs quote --state "$state" --nonce $nonce --ima "$work/ima" --eventlog "$work/blob" --ima-entry $i
  [ "$(cat "$work/logs/ima_entry")" = $i ] || fail "ima_entry is not $i"
  tail -c "$(stat -c %s "$work/logs/ima")" "$work/ima" | cmp - "$work/logs/ima" ||
    fail "the list from entry $i is no tail of the list"
  [ "$(grep -ac '/bin/' "$work/logs/ima" || true)" -eq 0 ] && [ $i -lt 5 ] && fail 'no entries came'
  [ "$(grep -ao '/bin/[0-9]' "$work/logs/ima" | head -n 1 || true)" = "$([ $i -eq 5 ] || echo /bin/$i)" ] ||
    fail "the list does not begin at entry $i"
done
cmp "$work/blob" "$work/logs/eventlog" || fail 'the event log changed'
size=$(wc -c <"$work/ima")
refused 'the list has 5 entries' quote --state "$state" --nonce $nonce --ima "$work/ima" --ima-entry 6 \
  --eventlog "$work/blob" --tcti "$tpm"
at=1
while [ $at -lt 90 ]; do
  head -c $((size - at)) "$work/ima" >"$work/cut"
  refused 'entr' quote --state "$state" --nonce $nonce --ima "$work/cut" --ima-entry 5 \
    --eventlog "$work/blob" --tcti "$tpm"
  at=$((at + 1))
done
passed 'a list from any entry on, and none that is cut short'
run folder-identity identity --state "$state"
"$collect" quote --state "$state" --nonce $nonce --output "$work/folder" --no-logs --tcti "$tpm" \
  >"$work/stdout" 2>"$work/stderr" || fail 'no folder was made'
[ ! -s "$work/stdout" ] || fail 'a folder and JSON'
tpm2_checkquote -Q -u "$work/folder/ak.tss" -m "$work/folder/quote.msg" -s "$work/folder/quote.sig" \
  -f "$work/folder/quote.pcrs" -q $nonce || fail 'tpm2_checkquote refuses the folder'
cmp "$work/folder/ak.tss" "$work/L-1/ak_public" || fail 'the folder is of another AK'
passed 'a folder instead of JSON'

# Challenges that are not for this TPM and this AK, or no challenges at all.
answer() { # WORDS CREDENTIAL SECRET
  refused "$1" activate --state "$state" --credential "@$2" --secret "@$3" --tcti "$tpm"
}
challenge L-1 challenge
challenge L-1 other "$(name_of "$work/ecc/ak_public")"
answer 'is it for this TPM' "$work/other.credential" "$work/other.secret"
answer 'is it for this TPM' "$work/challenge.credential" "$work/other.secret"
challenge H-1 other
answer 'is it for this TPM' "$work/other.credential" "$work/other.secret"
for file in credential secret; do
  size=$(wc -c <"$work/challenge.$file")
  at=0
  while [ $at -lt "$size" ]; do
    head -c $at "$work/challenge.$file" >"$work/cut.$file"
    case $file in
      credential) answer 'no TPM2B_ID_OBJECT' "$work/cut.credential" "$work/challenge.secret" ;;
      secret) answer 'no TPM2B_ENCRYPTED_SECRET' "$work/challenge.credential" "$work/cut.secret" ;;
    esac
    at=$((at + 7))
  done
  { cat "$work/challenge.$file"; echo; } >"$work/long.$file"
  # The last byte of the encrypted part: any change is one.
  { head -c $((size - 1)) "$work/challenge.$file"; tail -c 1 "$work/challenge.$file" | tr '\000-\377' '\001-\377\000'; } \
    >"$work/flipped.$file"
done
answer 'no TPM2B_ID_OBJECT' "$work/long.credential" "$work/challenge.secret"
answer 'no TPM2B_ENCRYPTED_SECRET' "$work/challenge.credential" "$work/long.secret"
answer 'is it for this TPM' "$work/flipped.credential" "$work/challenge.secret"
answer 'is it for this TPM' "$work/challenge.credential" "$work/flipped.secret"
head -c 100000 /dev/zero >"$work/huge"
answer 'too large' "$work/huge" "$work/challenge.secret"
answer 'No such file' "$work/absent" "$work/challenge.secret"
for text in '' A AAA 'AA A' 'AAA=AAAA' AAB= 'A===' '====' 'AA-_'; do
  refused 'wants base64' activate --state "$state" --credential "$text" --secret AAAA --tcti "$tpm"
done
nothing_left
passed 'challenges for others, cut short, changed or no challenges are refused'

# The state is for its user alone, and ends with the boot.
refused 'there is no key of this boot' quote --state "$(mkdir -m 700 "$work/hollow" && echo "$work/hollow")" \
  --nonce $nonce --no-logs --tcti "$tpm"
refused 'No such file' quote --state "$work/absent" --nonce $nonce --no-logs --tcti "$tpm"
mkdir -m 755 "$work/public"
for sub in identity "quote --nonce $nonce"; do
  # Words of a command line.
  # shellcheck disable=SC2086
  refused 'must belong to its user alone' $sub --state "$work/public" --tcti "$tpm"
done
ln -s "$state" "$work/link"
refused 'Not a directory\|symbolic links' identity --state "$work/link" --tcti "$tpm"
refused 'Not a directory' identity --state "$work/ima" --tcti "$tpm"
refused 'No such file' identity --state "$work/absent/state" --tcti "$tpm"
if [ "$(id -u)" -eq 0 ]; then
  mkdir -m 700 "$work/theirs"
  chown nobody "$work/theirs"
  refused 'must belong to its user alone' identity --state "$work/theirs" --tcti "$tpm"
fi
passed "another's state is refused"
cp -r "$state" "$work/broken"
for content in '' garbage "$(head -c 9000 /dev/zero | tr '\0' x)"; do
  printf %s "$content" >"$work/broken/ak.ctx"
  "$collect" quote --state "$work/broken" --nonce $nonce --no-logs --tcti "$tpm" >/dev/null 2>"$work/stderr" &&
    fail 'a broken key quoted'
done
cp "$state/ek.ctx" "$work/broken/ak.ctx"
refused 'not a restricted signing key' quote --state "$work/broken" --nonce $nonce --no-logs --tcti "$tpm"
printf garbage >"$work/broken/ak.ctx"
run mended identity --state "$work/broken"
run mended quote --state "$work/broken" --nonce $nonce --no-logs
checked mended $nonce || fail 'a broken state was not made anew'
nothing_left
passed 'a broken state is no key, and is made anew'

swtpm_make "$work/two"
swtpm_start "$work/two"
second="swtpm:path=$work/two/tpm"
refused 'there is no key of this boot' quote --state "$state" --nonce $nonce --no-logs --tcti "$second"
refused 'there is no key of this boot' activate --state "$state" --credential "@$work/challenge.credential" \
  --secret "@$work/challenge.secret" --tcti "$second"
passed 'the state of one TPM is nothing to another'
tpm2_shutdown -Q --clear
kill "$first_pid"
wait "$first_pid" 2>/dev/null || true
pids=$SWTPM_PID # the second's
swtpm_start "$work/one"
refused 'there is no key of this boot' quote --state "$state" --nonce $nonce --no-logs --tcti "$tpm"
run rebooted identity --state "$state"
cmp "$work/L-1/ek_public" "$work/rebooted/ek_public" || fail 'the EK changed with the boot'
cmp -s "$work/L-1/ak_public" "$work/rebooted/ak_public" && fail 'the AK outlived the boot'
run rebooted quote --state "$state" --nonce $nonce --no-logs
checked rebooted $nonce || fail 'tpm2_checkquote refuses the quote of the next boot'
passed 'another boot, another AK'

# Wrong usage.
refused 'state is missing' identity
refused 'state is missing' activate --credential AAAA --secret AAAA
refused 'state is missing' quote --nonce $nonce
refused 'nonce is missing' quote --state "$state"
refused 'credential is missing' activate --state "$state" --secret AAAA
refused 'secret is missing' activate --state "$state" --credential AAAA
refused 'identity takes no --nonce' identity --state "$state" --nonce $nonce
refused 'identity takes no --output' identity --state "$state" --output "$work/refused"
refused 'quote takes no --ak-handle' quote --state "$state" --nonce $nonce --ak-handle 0x81010002
refused 'quote takes no --ek' quote --state "$state" --nonce $nonce --ek L-1
refused 'activate takes no --pcrs' activate --state "$state" --pcrs sha256:0
refused 'without a sub-command takes no --state' --nonce $nonce --output "$work/refused" --state "$state"
refused 'without a sub-command takes no --ima-entry' --nonce $nonce --output "$work/refused" --ima-entry 1
refused 'ek wants' identity --state "$state" --ek L-9
for entry in '' -1 +1 0x1 1x 4294967296 99999999999999999999; do
  refused 'ima-entry wants a number' quote --state "$state" --nonce $nonce --ima-entry "$entry"
done
refused 'contradicts' quote --state "$state" --nonce $nonce --ima-entry 1 --no-logs
refused 'contradicts' quote --state "$state" --nonce $nonce --ima-entry 1 --output "$work/refused"
refused "unexpected argument 'activate'" identity activate --state "$state"
refused "unknown sub-command 'frob'" frob --state "$state"
[ ! -e "$work/refused" ] || fail 'a refusal left its output'
"$collect" identity --state "$state" --tcti "$tpm" >/dev/full 2>"$work/stderr" && fail 'nobody could read it'
passed 'wrong usage is refused'

tpm2_changeauth -Q -c endorsement secret
refused 'endorsement hierarchy' identity --state "$state" --ek L-2 --tcti "$tpm"
tpm2_changeauth -Q -c endorsement -p secret
nothing_left
passed 'an endorsement hierarchy with a password is an error'
