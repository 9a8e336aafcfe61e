#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes tests/vectors/tpm2 anew with a software TPM: keys, certificates, quotes and credentials.
# Every run makes other keys; PCR values and the nonce stay the same.
set -eu

usage() {
  cat <<'EOF'
usage: make-tpm2-vectors.sh OUTDIR

Writes TPM 2.0 evidence of a fresh software TPM into OUTDIR, which must not exist.
Needs (Debian): swtpm swtpm-tools tpm2-tools libtss2-tcti-swtpm0 openssl
EOF
}

if [ $# -ne 1 ]; then
  usage >&2
  exit 2
fi
if [ "$1" = -h ] || [ "$1" = --help ]; then
  usage
  exit 0
fi
if [ -e "$1" ]; then
  echo "$1 exists" >&2
  exit 2
fi
for tool in swtpm swtpm_setup swtpm_localca tpm2_quote openssl; do
  command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 2; }
done

# shellcheck source=examples/quickstart/swtpm.sh
. "$(dirname "$0")/../../examples/quickstart/swtpm.sh"

mkdir -p "$1"
out=$(cd "$1" && pwd)
tmp=$(mktemp -d)
SWTPM_PID=
cleanup() {
  [ -z "$SWTPM_PID" ] || kill "$SWTPM_PID" 2>/dev/null || true
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# A TPM with an RSA and an ECC endorsement key, certified by a private two-level CA.
manufacture() {
  mkdir -p "$tmp/ca" "$tmp/state" "$out/ekcert"
  cat >"$tmp/localca.conf" <<EOF
statedir = $tmp/ca
signingkey = $tmp/ca/signkey.pem
issuercert = $tmp/ca/issuercert.pem
certserial = $tmp/ca/certserial
EOF
  cat >"$tmp/localca.options" <<EOF
--platform-manufacturer Libattest
--platform-version 1.0
--platform-model TestNode
EOF
  cat >"$tmp/setup.conf" <<EOF
create_certs_tool = $(command -v swtpm_localca)
create_certs_tool_config = $tmp/localca.conf
create_certs_tool_options = $tmp/localca.options
active_pcr_banks = sha1,sha256,sha384,sha512
EOF
  swtpm_setup --tpm2 --tpmstate "$tmp/state" --config "$tmp/setup.conf" --create-ek-cert \
    --create-platform-cert --lock-nvram --overwrite --pcr-banks sha1,sha256,sha384,sha512 \
    --vmid node-0 >"$tmp/setup.log" 2>&1 || { cat "$tmp/setup.log" >&2; exit 1; }
  cp "$tmp/ca/issuercert.pem" "$tmp/ca/swtpm-localca-rootca-cert.pem" "$out/ekcert/"
}

start() {
  swtpm_start "$tmp"
  export TPM2TOOLS_TCTI="swtpm:path=$tmp/tpm"
}

# There is no resource manager: what a tool leaves behind has to go before the next one.
flush() {
  tpm2_flushcontext -t
  tpm2_flushcontext -l
}

hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() {
  # shellcheck disable=SC2013,SC2059  # words are wanted; printf's format makes the bytes
  for byte in $(sed 's/../0x& /g'); do printf "$(printf '\\%03o' "$byte")"; done
}
digest_of() { printf '%s' "$2" | openssl dgst -"$1" -r | cut -d' ' -f1; }

extend_pcrs() {
  for pcr in 0 1 2 3 4 5 6 7 10 14 16; do
    event=event-$pcr
    values=$pcr:
    for bank in sha1 sha256 sha384 sha512; do
      values=$values$bank=$(digest_of "$bank" "$event"),
    done
    tpm2_pcrextend "${values%,}"
  done
}

# public NAME: what the loaded key $tmp/NAME.ctx is, in every form that people have.
public() {
  dir=ak_$1
  tpm2_readpublic -Q -c "$tmp/$1.ctx" -f tss -o "$dir/ak.tss" -n "$dir/ak.name" -q "$dir/ak.qname"
  flush
  tpm2_readpublic -Q -c "$tmp/$1.ctx" -f tpmt -o "$dir/ak.tpmt"
  flush
  tpm2_readpublic -Q -c "$tmp/$1.ctx" -f pem -o "$dir/ak.pem"
  flush
  tpm2_readpublic -Q -c "$tmp/$1.ctx" -f der -o "$dir/ak.der"
  flush
}

# ak NAME EK ALGORITHM HASH SCHEME
ak() {
  mkdir -p "ak_$1"
  tpm2_createak -Q -C "$tmp/ek_$2.ctx" -c "$tmp/$1.ctx" -G "$3" -g "$4" -s "$5"
  flush
  public "$1"
}

# created NAME KIND ATTRIBUTES: tpm2_createak can choose neither curve nor attributes.
created() {
  mkdir -p "ak_$1"
  if [ ! -f "$tmp/primary.ctx" ]; then
    tpm2_createprimary -Q -C e -G ecc -c "$tmp/primary.ctx"
    flush
  fi
  tpm2_create -Q -C "$tmp/primary.ctx" -G "$2" -g sha256 -a "$3" -u "$tmp/$1.pub" -r "$tmp/$1.priv"
  flush
  tpm2_load -Q -C "$tmp/primary.ctx" -u "$tmp/$1.pub" -r "$tmp/$1.priv" -c "$tmp/$1.ctx"
  flush
  public "$1"
}

# quote NAME HASH SELECTION FOLDER [SCHEME]: "tss" and "plain" forms. Only a key that is neither
# RSASSA nor ECDSA needs its scheme named.
quote() {
  dir=ak_$1/quote_$4
  scheme=${5:+--scheme=$5}
  mkdir -p "$dir"
  # shellcheck disable=SC2086  # an absent scheme is no argument
  tpm2_quote -Q -c "$tmp/$1.ctx" $scheme -l "$3" -q "$nonce" -g "$2" -f tss -F serialized \
    -m "$dir/quote.msg" -s "$dir/quote.sig" -o "$dir/quote.pcrs"
  flush
  # shellcheck disable=SC2086
  tpm2_quote -Q -c "$tmp/$1.ctx" $scheme -l "$3" -q "$nonce" -g "$2" -f plain -F values \
    -m "$dir/plain.msg" -s "$dir/plain.sig" -o "$dir/plain.pcrs"
  flush
  echo "$3" >"$dir/selection"
  echo "$2" >"$dir/hash"
}

# What a key that is not restricted can do: sign bytes that look like a quote over other PCRs. The
# selection's bit map, found by its bank and size (000b 03), is made to say PCR 0 to 7.
forge() {
  dir=ak_unrestricted/forged
  mkdir -p "$dir"
  hex <ak_unrestricted/quote_sha256/quote.msg | sed 's/000b03ff0700/000b03ff0000/' | unhex \
    >"$dir/quote.msg"
  openssl dgst -sha256 -binary "$dir/quote.msg" >"$tmp/forged.digest"
  tpm2_sign -Q -c "$tmp/unrestricted.ctx" -g sha256 -s rsassa -d -f tss -o "$dir/quote.sig" \
    "$tmp/forged.digest"
  flush
}

# credential EK KEY-CONTEXT KEY-NAME: made from the public area alone, opened by the TPM.
credential() {
  tpm2_makecredential -Q -T none -u "ek_$1.tss" -s cred/secret.bin -n "$(hex <"$3")" \
    -o "cred/blob_$1.bin"
  tpm2_startauthsession -Q --policy-session -S "$tmp/session.ctx"
  tpm2_policysecret -Q -S "$tmp/session.ctx" -c e
  tpm2_activatecredential -Q -c "$2" -C "$tmp/ek_$1.ctx" -i "cred/blob_$1.bin" \
    -o "$tmp/opened" -P "session:$tmp/session.ctx"
  tpm2_flushcontext "$tmp/session.ctx"
  flush
  cmp "$tmp/opened" cred/secret.bin
}

manufacture
start
cd "$out"
nonce=$(digest_of sha256 libattest-nonce-000000000000)
echo "$nonce" >nonce.hex
extend_pcrs
tpm2_nvread -Q 0x1c00002 -o ekcert/nv_01c00002_rsa2048.der
tpm2_nvread -Q 0x1c00016 -o ekcert/nv_01c00016_ecc384.der
for kind in rsa ecc; do
  tpm2_createek -Q -G "$kind" -c "$tmp/ek_$kind.ctx" -u "ek_$kind.tss"
  flush
  tpm2_readpublic -Q -c "$tmp/ek_$kind.ctx" -f pem -o "ek_$kind.pem"
  flush
done

ak rsassa_sha1 rsa rsa sha1 rsassa
ak rsassa_sha256 rsa rsa sha256 rsassa
ak rsassa_sha384 rsa rsa sha384 rsassa
ak rsassa_sha512 rsa rsa sha512 rsassa
ak rsapss_sha256 rsa rsa sha256 rsapss
ak ecdsa_p256_sha256 rsa ecc sha256 ecdsa
attributes='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
created ecdsa_p384_sha384 ecc384:ecdsa-sha384:null "$attributes|restricted"
created ecdsa_p521_sha512 ecc521:ecdsa-sha512:null "$attributes|restricted"
created unrestricted rsa2048:rsassa-sha256:null "$attributes"

pcrs=0,1,2,3,4,5,6,7,8,9,10
quote rsassa_sha1 sha1 "sha1:$pcrs" sha1
quote rsassa_sha256 sha256 "sha256:$pcrs" sha256
quote rsassa_sha256 sha256 "sha1:$pcrs" sha1
quote rsassa_sha256 sha256 "sha1:$pcrs+sha256:$pcrs" sha1_sha256
quote rsassa_sha256 sha256 "sha1:$pcrs+sha256:$pcrs+sha384:$pcrs" sha1_sha256_sha384
quote rsassa_sha256 sha256 "sha256:10,16,23" sparse
quote rsassa_sha384 sha384 "sha384:$pcrs" sha384
quote rsassa_sha512 sha512 "sha512:$pcrs" sha512
quote rsapss_sha256 sha256 "sha256:$pcrs" sha256 rsapss
quote ecdsa_p256_sha256 sha256 "sha1:$pcrs+sha256:$pcrs" sha1_sha256
quote ecdsa_p384_sha384 sha384 "sha256:$pcrs+sha384:$pcrs" sha256_sha384
quote ecdsa_p521_sha512 sha512 "sha512:$pcrs" sha512
quote unrestricted sha256 "sha256:$pcrs" sha256
forge

mkdir cred
printf '%s' "$nonce" | openssl dgst -sha256 -binary >cred/secret.bin
credential rsa "$tmp/rsassa_sha256.ctx" ak_rsassa_sha256/ak.name
tpm2_createak -Q -C "$tmp/ek_ecc.ctx" -c "$tmp/ak_ecc.ctx" -G ecc -g sha256 -s ecdsa \
  -u cred/ak_ecc.tss -n cred/ak_ecc.name
flush
credential ecc "$tmp/ak_ecc.ctx" cred/ak_ecc.name
tpm2_certify -Q -c "$tmp/ecdsa_p256_sha256.ctx" -C "$tmp/rsassa_sha256.ctx" -g sha256 \
  -o cred/certify.attest -s cred/certify.sig
flush
tpm2_certify -Q -c "$tmp/ecdsa_p256_sha256.ctx" -C "$tmp/unrestricted.ctx" -g sha256 \
  -o ak_unrestricted/certify.attest -s ak_unrestricted/certify.sig
flush
tpm2_shutdown -c
find . -type f -exec chmod 644 {} +
echo "$(find . -type f | wc -l) files in $out"
