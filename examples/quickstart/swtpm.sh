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
  rm -f "$1/tpm" "$1/tpm.ctrl" "$1/tpm.pid"
  swtpm socket --tpm2 --tpmstate dir="$1/state" --server type=unixio,path="$1/tpm" \
    --ctrl type=unixio,path="$1/tpm.ctrl" --flags not-need-init,startup-clear \
    --pid file="$1/tpm.pid" >"$1/swtpm.log" 2>&1 &
  SWTPM_PID=$!
  swtpm_wait "$SWTPM_PID" "$1/tpm.pid" || { cat "$1/swtpm.log" >&2; return 1; }
}

# swtpm_wait PID FILE: until the swtpm that is PID and writes --pid file=FILE takes connections, 10 seconds
# at most. It writes that file when it listens; its sockets are there before, and refuse.
swtpm_wait() {
  tries=100
  until [ -e "$2" ]; do
    kill -0 "$1" 2>/dev/null && [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.1
  done
}
