#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes tests/vectors/keys anew: public keys that are refused or odd, and signatures over one
# message that no TPM makes on demand. The private keys are thrown away.
set -eu

usage() {
  cat <<'EOF'
usage: make-key-vectors.sh OUTDIR

Writes keys and signatures made with OpenSSL into OUTDIR, which must not exist.
Needs (Debian): openssl
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

mkdir -p "$1"
cd "$1"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# key NAME OPTION...: a private key in $tmp, its public half here.
key() {
  name=$1
  shift
  openssl genpkey "$@" -out "$tmp/$name.key" 2>/dev/null
  openssl pkey -in "$tmp/$name.key" -pubout -outform DER -out "$name.der"
}

sign() { openssl dgst "-$2" -sign "$tmp/$1.key" -out "$3" message; }

printf 'what was signed' >message

key rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
openssl pkey -in "$tmp/rsa2048.key" -pubout -out rsa2048.pem
sign rsa2048 sha1 rsa2048_rsassa_sha1.sig
sign rsa2048 sha256 rsa2048_rsassa_sha256.sig
# 222 = 256 - 32 - 2 bytes is the longest salt of a 2048-bit key with SHA-256.
for salt in 0 20 32 221 222; do
  openssl dgst -sha256 -sign "$tmp/rsa2048.key" -sigopt rsa_padding_mode:pss \
    -sigopt "rsa_pss_saltlen:$salt" -out "rsa2048_rsapss_sha256_salt$salt.sig" message
done

key rsa512 -algorithm RSA -pkeyopt rsa_keygen_bits:512
key rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
key rsa_exponent3 -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3
key rsapss2048 -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
key ed25519 -algorithm ED25519
for curve in P-224 P-256 P-384 P-521 secp256k1; do
  key "ec_$curve" -algorithm EC -pkeyopt "ec_paramgen_curve:$curve"
done
key ec_explicit -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit
sign ec_P-256 sha256 ec_P-256_sha256.sig
sign ec_P-384 sha384 ec_P-384_sha384.sig
sign ec_P-521 sha512 ec_P-521_sha512.sig

openssl req -x509 -key "$tmp/ec_P-256.key" -subj /CN=libattest-test -days 36500 -outform DER \
  -addext subjectKeyIdentifier=hash -out certificate.der
openssl x509 -inform DER -in certificate.der -out certificate.pem
openssl req -x509 -key "$tmp/ec_P-256.key" -subj /CN=libattest-test -days 36500 -outform DER \
  -addext subjectKeyIdentifier=none -out certificate_without_key_id.der
