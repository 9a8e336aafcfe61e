#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The attest command against tpm2_checkquote and tpm2_eventlog (tpm2-tools 5.4) and evmctl
# (ima-evm-utils 1.4): where both can judge a sample they agree. Where one of them can not, the case
# says which known limit of its own it is, and fails when that limit is gone.
#
# usage: peers_test.sh ATTEST VECTORS PYTHON
set -eu

attest=$1
vectors=$2
python=$3
boot=$vectors/boot
for tool in tpm2_checkquote tpm2_eventlog evmctl openssl; do
  command -v $tool >/dev/null || { echo "$tool is not installed"; exit 77; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
compared=0
limits=0
failed=0
list= # tpm2_checkquote wants it for bare values

fail() {
  echo "FAILED: $*"
  failed=1
}

# judge AK NONCE MESSAGE SIGNATURE PCRS: sets $ours and $theirs to good or bad.
judge() {
  ours=bad
  theirs=bad
  if "$attest" quote --ak "$1" --nonce "$2" --quote "$3" --signature "$4" --pcrs "$5" --allow-sha1 \
    >"$tmp/ours" 2>&1; then ours=good; fi
  if tpm2_checkquote -u "$1" -q "$2" -m "$3" -s "$4" -f "$5" -g "$hash" \
    ${list:+-l "$list"} >"$tmp/theirs" 2>&1; then
    theirs=good
  fi
}

agree() {
  what=$1
  expected=$2
  shift 2
  judge "$@"
  compared=$((compared + 1))
  [ "$ours $theirs" = "$expected $expected" ] || {
    fail "$what: attest says $ours, tpm2_checkquote $theirs, the test $expected"
    cat "$tmp/ours" "$tmp/theirs"
  }
}

limit() {
  what=$1
  expected=$2
  shift 2
  judge "$@"
  limits=$((limits + 1))
  [ "$ours" = "$expected" ] || { fail "$what: attest says $ours"; cat "$tmp/ours"; }
  [ "$theirs" != "$expected" ] || fail "$what: tpm2_checkquote can judge it now"
}

count() { # LIST: how many PCRs a selection names
  echo "$1" | sed 's/[a-z0-9]*://g; s/[,+]/ /g' | wc -w
}

flip() { # FILE OFFSET OUT: flips the lowest bit of one byte
  "$python" -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read()); data[int(sys.argv[2])] ^= 1
open(sys.argv[3], "wb").write(data)' "$@"
}

# --- Quotes of the booted guests: three a snapshot.
wrong=ffeeddccbbaa99887766554433221100
hash=sha256
for case in "$boot"/*/; do
  [ -e "$case/ak.tss" ] || continue
  nonce=$(cat "$case/nonce.hex")
  for message in "$case"*/quote_*.msg; do
    quote=${message%.msg}
    ak=$case/ak
    case $quote in *_ecc) ak=$case/akecc ;; esac
    for key in "$ak.tss" "$ak.pem"; do
      agree "${quote#"$boot"/}" good "$key" "$nonce" "$message" "$quote.sig" "$quote.pcrs"
    done
    agree "${quote#"$boot"/}, another nonce" bad "$key" "$wrong" "$message" "$quote.sig" "$quote.pcrs"
    agree "${quote#"$boot"/}, another key" bad "$case/ek.pem" "$nonce" "$message" "$quote.sig" "$quote.pcrs"
    # The signed clock, and the first byte of the first PCR value.
    flip "$message" 60 "$tmp/msg"
    agree "${quote#"$boot"/}, a changed quote" bad "$key" "$nonce" "$tmp/msg" "$quote.sig" "$quote.pcrs"
    flip "$quote.pcrs" 142 "$tmp/pcrs"
    agree "${quote#"$boot"/}, a changed value" bad "$key" "$nonce" "$message" "$quote.sig" "$tmp/pcrs"
  done
done

# --- Quotes of a software TPM: other schemes, banks and selections.
nonce=$(cat "$vectors/tpm2/nonce.hex")
for message in "$vectors"/tpm2/ak_*/quote_*/quote.msg; do
  quote=${message%.msg}
  folder=${quote%/*}
  ak=${folder%/*}/ak.tss
  hash=$(cat "$folder/hash")
  name=${quote#"$vectors"/}
  set -- "$ak" "$nonce" "$message" "$quote.sig" "$quote.pcrs"
  case $name in
  tpm2/ak_unrestricted/*)
    limit "$name: tpm2_checkquote does not look at the key's attributes" bad "$@" ;;
  tpm2/ak_rsapss_*)
    limit "$name: tpm2_checkquote 5.4 can not verify RSAPSS" good "$@" ;;
  *)
    agree "$name" good "$@"
    # The bare signature, with the values in both forms.
    plain=$folder/plain
    [ -e "$plain.msg" ] || continue
    agree "$name, bare" good "$ak" "$nonce" "$plain.msg" "$plain.sig" "$quote.pcrs"
    list=$(cat "$folder/selection")
    set -- "$ak" "$nonce" "$plain.msg" "$plain.sig" "$plain.pcrs"
    if [ "$(count "$list")" -le 8 ]; then
      agree "$name, bare values" good "$@"
    else
      limit "$name: tpm2_checkquote 5.4 reads no more than 8 bare values" good "$@"
    fi
    list= ;;
  esac
done

# --- What no TPM signs, under a software key's good signature.
openssl genrsa -out "$tmp/key" 2048 2>/dev/null
openssl rsa -in "$tmp/key" -pubout -out "$tmp/key.pem" 2>/dev/null
forge() { # OFFSET: one bit of a real quote is changed, and the whole signed as a TPM2 RSASSA
  flip "$quote.msg" "$1" "$tmp/msg"
  printf '\000\024\000\013\001\000' >"$tmp/sig"
  openssl dgst -sha256 -sign "$tmp/key" "$tmp/msg" >>"$tmp/sig"
}
hash=sha256
quote=$boot/grub-ima-ng/1-clean/quote_sha256
nonce=$(cat "$boot/grub-ima-ng/nonce.hex")
set -- "$tmp/key.pem" "$nonce" "$tmp/msg" "$tmp/sig" "$quote.pcrs"
forge 60
agree "a software key's signature" good "$@"
forge 0
limit "another magic: tpm2_checkquote 5.4 does not look" bad "$@"
forge 5
agree "another type" bad "$@"

# --- Boot event logs: every PCR of every bank.
for log in "$boot"/*/binary_bios_measurements; do
  "$attest" eventlog "$log" --json >"$tmp/ours.json"
  tpm2_eventlog "$log" >"$tmp/theirs.yaml" 2>/dev/null
  "$python" - "$tmp/ours.json" "$tmp/theirs.yaml" <<'COMPARE' || fail "$log: other PCR values"
import json, re, sys
ours = json.load(open(sys.argv[1]))
ours_pcrs = {(bank, int(pcr)): value for bank, pcrs in ours["banks"].items() for pcr, value in pcrs.items()}
text = open(sys.argv[2], errors="replace").read()
theirs_pcrs, bank = {}, None
for line in text[text.rindex("\npcrs:\n"):].splitlines():
    if name := re.fullmatch(r"  (\w+):", line):
        bank = name[1]
    if value := re.fullmatch(r"    (\d+) *: 0x([0-9a-f]+)", line):
        theirs_pcrs[bank, int(value[1])] = value[2]
assert len(ours_pcrs) >= 8, ours_pcrs
assert ours_pcrs == theirs_pcrs, (ours_pcrs, theirs_pcrs)
theirs_types = re.findall(r"(?m)^  EventType: (\S+)", text)
assert [event["type"] for event in ours["events"]] == theirs_types, (theirs_types,)
COMPARE
  compared=$((compared + 1))
done

# --- IMA lists: evmctl replays the list and compares with PCR files that say what attest says.
pcr_file() { # JSON OUT: evmctl's form, 24 lines; all PCRs but the list's are zero
  "$python" - "$@" <<'WRITE'
import json, sys
pcrs = json.load(open(sys.argv[1]))["pcrs"]
size = len(pcrs["10"]) // 2
with open(sys.argv[2], "w") as out:
    for index in range(24):
        value = bytes.fromhex(pcrs.get(str(index), "00" * size))
        print(f"PCR-{index:02d}: {value.hex(' ').upper()}", file=out)
WRITE
}
for list in "$boot"/*/*/ima.bin; do
  for bank in sha1 sha256; do
    "$attest" ima "$list" --bank $bank --json >"$tmp/ours.json"
    pcr_file "$tmp/ours.json" "$tmp/pcrs"
    name="${list#"$boot"/}, $bank"
    compared=$((compared + 1))
    evmctl ima_measurement --ignore-violations --pcrs $bank,"$tmp/pcrs" "$list" >"$tmp/theirs" 2>&1 || {
      fail "$name: evmctl does not come to attest's value"
      cat "$tmp/theirs"
    }
    # It does compare: another value is refused.
    sed 's/^PCR-10: ../PCR-10: 5A/' "$tmp/pcrs" >"$tmp/other"
    if evmctl ima_measurement --ignore-violations --pcrs $bank,"$tmp/other" "$list" >/dev/null 2>&1; then
      fail "$name: evmctl accepts any value"
    fi
  done
done

echo "$compared comparisons, $limits known limits of the others"
exit $failed
