# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh

# A software TPM 2.0 for the quickstart and the tests: sourced, never run.

# swtpm_make DIR: manufactures a TPM in DIR/state, with an EK certificate of a private CA in DIR/ca.
# DIR must hold no comma: swtpm splits its options there.
swtpm_make() {
  mkdir -p "$1/state" "$1/ca"
  cat >"$1/localca.conf" <<END
statedir = $1/ca
signingkey = $1/ca/signkey.pem
issuercert = $1/ca/issuercert.pem
certserial = $1/ca/certserial
END
  cat >"$1/localca.options" <<END
--platform-manufacturer Example
--platform-version 1.0
--platform-model Node
END
  cat >"$1/setup.conf" <<END
create_certs_tool = $(command -v swtpm_localca)
create_certs_tool_config = $1/localca.conf
create_certs_tool_options = $1/localca.options
END
  swtpm_setup --tpm2 --tpmstate "$1/state" --config "$1/setup.conf" --create-ek-cert --overwrite \
    --pcr-banks sha1,sha256 >"$1/setup.log" 2>&1 || { cat "$1/setup.log" >&2; return 1; }
}

# swtpm_start DIR: powers the TPM of DIR on, its PCRs fresh; sets SWTPM_PID, and the TPM answers on the
# UNIX socket DIR/tpm.
swtpm_start() {
  rm -f "$1/tpm" "$1/tpm.ctrl"
  swtpm socket --tpm2 --tpmstate dir="$1/state" --server type=unixio,path="$1/tpm" \
    --ctrl type=unixio,path="$1/tpm.ctrl" --flags not-need-init,startup-clear \
    >"$1/swtpm.log" 2>&1 &
  SWTPM_PID=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if [ -S "$1/tpm" ] && [ -S "$1/tpm.ctrl" ]; then return 0; fi
    kill -0 "$SWTPM_PID" 2>/dev/null || break
    sleep 0.1
  done
  cat "$1/swtpm.log" >&2
  return 1
}
