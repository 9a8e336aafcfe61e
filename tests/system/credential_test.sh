#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Credential challenges against real software TPMs: each kind of EK that swtpm makes reads ours, and
# nobody else does; EK certificates of swtpm's own CA.
# usage: credential_test.sh CREDENTIAL_CHECK
set -eu
check=${1:?usage: credential_test.sh CREDENTIAL_CHECK}
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"
flush() { for kind in -t -l -s; do tpm2_flushcontext $kind; done; }

for node in one two; do
  mkdir "$work/$node"
  swtpm_make "$work/$node"
  swtpm_start "$work/$node"
  pids="$pids $SWTPM_PID"
done

# The EKs: by template L-1 and L-2, whose policy asks for the endorsement hierarchy, and by H-3 and
# H-6, which take the empty password, too. The policy of those is PolicyB of the EK profile.
policy_b=b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12
high='fixedtpm|fixedparent|sensitivedataorigin|userwithauth|adminwithpolicy|restricted|decrypt'
make_ek() { # KIND, in the folder of its TPM
  case $1 in
    rsa | ecc) tpm2_createek -Q -G "$1" -c "$1.ctx" -u "$1.pub" ;;
    *) tpm2_createprimary -Q -C e -g sha384 -G "$1:aes256cfb" -a "$high" -L $policy_b -c "$1.ctx" ;;
  esac
  tpm2_readpublic -Q -c "$1.ctx" -f tss -o "$1.pub" >"$work/out"
  flush
}

for node in one two; do
  cd "$work/$node"
  export TPM2TOOLS_TCTI="swtpm:path=$work/$node/tpm"
  for kind in rsa ecc ecc384 rsa3072; do make_ek $kind; done
  # A child of the EK, and two of the owner's.
  tpm2_createak -Q -C rsa.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.tss >"$work/out"
  flush
  tpm2_createprimary -Q -C o -c storage.ctx
  flush
  for ak in ak2 ak3; do
    tpm2_create -Q -C storage.ctx -G ecc256:ecdsa-sha256:null -u $ak.tss -r $ak.priv \
      -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -c $ak.ctx
    flush
  done
done

# What the node does: with which AK and EK, on which TPM.
cat >"$work/activate" <<'END'
set -eu
node=$1 kind=$2 ak=$3 work=$4
cd "$work/$node"
export TPM2TOOLS_TCTI="swtpm:path=$work/$node/tpm"
rm -f answer
case $kind in
  rsa | ecc)
    tpm2_startauthsession -Q --policy-session -S session.ctx
    tpm2_policysecret -Q -S session.ctx -c e
    auth=session:session.ctx
    ;;
  *) auth= ;;
esac
status=0
tpm2_activatecredential -Q -c "$ak.ctx" -C "$kind.ctx" -i "$work/credential" -o answer -P "$auth" || status=1
for handles in -t -l -s; do tpm2_flushcontext $handles; done
[ ! -e answer ] || cp answer "$work/answer"
exit $status
END

# ask EK_PUBLIC EK_CERTIFICATE AK NODE KIND AK_OF_NODE: the status of credential_check.
ask() {
  rm -f "$work/answer"
  status=0
  "$check" challenge "$1" "$2" "$3" "$work/credential" "$work/answer" \
    "sh '$work/activate' $4 $5 $6 '$work' >'$work/out' 2>&1${change:+; $change}" >"$work/said" || status=$?
}
one=$work/one
for kind in rsa ecc ecc384 rsa3072; do
  for ak in ak2 ak3; do
    ask "$one/$kind.pub" - "$one/$ak.tss" one $kind $ak
    [ $status -eq 0 ] || fail "$kind, $ak: the right answer ended with $status"
  done
  passed "$kind: its TPM answers"
  ask "$one/$kind.pub" - "$one/ak2.tss" one $kind ak3
  [ $status -eq 3 ] || fail "$kind: another AK answered ($status)"
  passed "$kind: another AK of the same TPM can not"
  ask "$one/$kind.pub" - "$one/ak2.tss" two $kind ak2
  [ $status -eq 3 ] || fail "$kind: another TPM answered ($status)"
  passed "$kind: another TPM can not"
  change="printf x >>'$work/answer'"
  ask "$one/$kind.pub" - "$one/ak2.tss" one $kind ak2
  change=
  [ $status -eq 1 ] || fail "$kind: a byte too many ended with $status"
  passed "$kind: a wrong answer is refused"
done
ask "$one/rsa.pub" - "$one/ak.tss" one rsa ak
[ $status -eq 0 ] || fail "the EK's own child ended with $status"
passed 'an AK under the EK'

# The certificates of swtpm's CA. The one of P-384 is enough for a challenge: its template is H-3.
export TPM2TOOLS_TCTI="swtpm:path=$one/tpm"
cd "$one"
now=$(date +%s)
root=$one/ca/swtpm-localca-rootca-cert.pem
issuer=$one/ca/issuercert.pem
for index in 0x01c00002 0x01c00016; do
  tpm2_nvread -Q -C o $index -o $index.der 2>"$work/out"
  "$check" chain $index.der "$root" "$issuer" "$now" >"$work/out" || fail "the chain of $index"
  cat "$root" "$issuer" >both.pem
  "$check" chain $index.der both.pem - "$now" >"$work/out" || fail "a file with both certificates"
  "$check" chain $index.der "$issuer" - "$now" >"$work/out" || fail "the issuer alone is trusted"
  if "$check" chain $index.der "$root" - "$now" >"$work/out"; then fail 'a chain with a gap'; fi
  if "$check" chain $index.der "$work/two/ca/swtpm-localca-rootca-cert.pem" "$issuer" "$now" >"$work/out"; then
    fail "the other TPM's CA vouches for $index"
  fi
  if "$check" chain $index.der "$root" "$issuer" 1000000000 >"$work/out"; then
    fail "$index was good before it was made"
  fi
done
passed 'certificate chains'
ask - "$one/0x01c00002.der" "$one/ak2.tss" one rsa ak2
[ $status -eq 0 ] || fail "the RSA certificate alone ended with $status"
ask - "$one/0x01c00016.der" "$one/ak2.tss" one ecc384 ak2
[ $status -eq 0 ] || fail "the P-384 certificate alone ended with $status"
passed 'challenges from certificates alone'
ask "$one/rsa.pub" "$one/0x01c00002.der" "$one/ak2.tss" one rsa ak2
[ $status -eq 0 ] || fail "public area and certificate ended with $status"
ask "$one/ecc.pub" "$one/0x01c00002.der" "$one/ak2.tss" one ecc ak2
[ $status -eq 2 ] || fail "the certificate of another key ended with $status"
passed 'a certificate must be of the public area'

# The whole way: what the EK's TPM has answered for is what the quote is judged by.
cd "$one"
tpm2_pcrextend -Q "14:sha256=$(printf %064d 7)"
value=$(tpm2_pcrread sha256:14 | sed -n 's/.*: 0x//p' | tr 'A-F' 'a-f')
printf '{"version": 1, "bank": "sha256", "ak": {"attributes": "required", "binding": "required"}, "pcrs": {"14": ["%s"]}}' \
  "$value" >policy.json
head -c 20 /dev/urandom >nonce
nonce=$(od -An -v -tx1 nonce | tr -d ' \n')
for ak in ak2 ak3; do
  tpm2_quote -Q -c $ak.ctx -l sha256:14 -q "$nonce" -g sha256 -m $ak.msg -s $ak.sig -o $ak.pcrs >"$work/out"
  flush
done
head -c 20 /dev/urandom >other-nonce
sed "s/$value/$(printf %064d 8)/" policy.json >other.json

# appraise bound|claimed EK AK NODE AK_OF_NODE QUOTE NONCE POLICY: the status of credential_check.
appraise() {
  rm -f "$work/answer"
  status=0
  "$check" appraise "$1" "$2.pub" "$3.tss" "$work/credential" "$work/answer" \
    "sh '$work/activate' $4 $2 $5 '$work' >'$work/out' 2>&1" "$6.msg" "$6.sig" "$6.pcrs" "$7" "$8" \
    >"$work/said" || status=$?
}
expect() { # STATUS WORDS WHAT
  cp "$work/said" "$work/out"
  [ $status -eq "$1" ] || fail "$3 ended with $status"
  [ -z "$2" ] || grep -q -e "$2" "$work/said" || fail "$3: not said: $2"
  passed "$3"
}
for kind in rsa ecc384; do
  appraise bound $kind ak2 one ak2 ak2 nonce policy.json
  expect 0 '' "$kind: a quote of a key that its TPM answered for is trusted"
done
if grep -q ak-not-bound "$work/said"; then fail 'a bound key is reported as not bound'; fi
appraise claimed rsa ak2 one ak2 ak2 nonce policy.json
expect 1 ak-not-bound 'the same key, claimed'
appraise bound rsa ak2 one ak2 ak3 nonce policy.json
expect 1 signature 'a quote of the other key of the same TPM'
appraise bound rsa ak2 one ak2 ak2 other-nonce policy.json
expect 1 nonce 'an old quote'
appraise bound rsa ak2 one ak2 ak2 nonce other.json
expect 1 'PCR 14' 'another PCR value'
appraise bound rsa ak2 two ak2 ak2 nonce policy.json
[ $status -eq 3 ] || fail "another TPM answered ($status)"
passed 'another TPM gets no verdict'
