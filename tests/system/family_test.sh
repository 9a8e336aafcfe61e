#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A TPM 2.0 signs what a TPM 1.2 would call a quote, with a restricted key, for whoever asks: why a quote of
# the one family is not taken with a key of the other.
# usage: family_test.sh ATTEST
set -eu
attest=$(realpath "${1:?usage: family_test.sh ATTEST}")
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

swtpm_make "$work"
swtpm_start "$work"
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm"
cd "$work"
tpm2_createek -Q -G rsa -c ek.ctx
tpm2_createak -Q -C ek.ctx -c ak.ctx -G rsa -g sha1 -s rsassa -u ak.tss -n ak.name
tpm2_flushcontext -Q -t
tpm2_readpublic -Q -c ak.ctx -f pem -o ak.pem

# TPM_QUOTE_INFO2 of PCR 0 with a value that nothing ever had.
nonce=000102030405060708090a0b0c0d0e0f10111213
bytes() { # HEX
  /usr/bin/python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}
bytes "000301000000000014$(printf '%040d' 7)" >quote.pcrs
digest=$(sha1sum quote.pcrs | cut -d ' ' -f 1)
bytes "003651555432${nonce}000301000001$digest" >quote.msg
tpm2_hash -Q -g sha1 -C e -t ticket -o digest quote.msg
tpm2_sign -Q -c ak.ctx -g sha1 -s rsassa -d -t ticket -f plain -o quote.sig digest
passed 'a restricted key of a TPM 2.0 signed a quote that no TPM made'

check() { # AK
  status=0
  "$attest" quote --ak "$1" --quote quote.msg --signature quote.sig --pcrs quote.pcrs --nonce $nonce \
    --allow-sha1 >said 2>&1 || status=$?
}
check ak.tss
{ [ $status -eq 1 ] && grep -q 'failure: quote-family: ' said; } || fail 'the forged quote was not refused'
passed 'it is refused with the key as a TPM 2.0 knows it'
# A PEM key hides its family: what README says of it.
check ak.pem
{ [ $status -eq 0 ] && grep -q 'warning: ak-attributes-unknown: ' said; } ||
  fail 'the test forged nothing, or PEM keys are not warned of'
passed 'a PEM key hides its family, and is warned of'
