# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh

# A software TPM 1.2 with TrouSerS before it, for tests: sourced, never run. Only root can start tcsd.

TCSD_PID=

# tpm12_make DIR: manufactures a TPM in DIR/state. DIR must hold no comma.
tpm12_make() {
  mkdir -p "$1/state"
  swtpm_setup --tpmstate "$1/state" --createek --overwrite >"$1/setup.log" 2>&1 ||
    { cat "$1/setup.log" >&2; return 1; }
}

free_ports() { # two of them
  /usr/bin/python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))'
}

# Waits until COMMAND succeeds, at most 60 s, and only while PID runs.
until_done() { # PID COMMAND...
  pid=$1
  shift
  for _ in $(seq 600); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

listens() { # PORT
  /usr/bin/python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()' "$1"
}

# tpm12_start DIR: powers the TPM of DIR on, its PCRs fresh; sets SWTPM_PID and TPM12_PORT. A port may be
# taken by another between its choice and its use: other ports are tried then.
tpm12_start() {
  for _ in 1 2 3 4 5; do
    read -r TPM12_PORT TSS_TCSD_PORT <<END
$(free_ports)
END
    swtpm socket --tpmstate dir="$1/state" --server "type=tcp,port=$TPM12_PORT,bindaddr=127.0.0.1" \
      --ctrl type=unixio,path="$1/tpm.ctrl" --flags not-need-init,startup-clear >"$1/swtpm.log" 2>&1 &
    SWTPM_PID=$!
    if until_done "$SWTPM_PID" listens "$TPM12_PORT"; then return 0; fi
    kill "$SWTPM_PID" 2>/dev/null || true
  done
  cat "$1/swtpm.log" >&2
  return 1
}

# tcsd_start DIR: TrouSerS before the running TPM; sets TCSD_PID and what its tools look for. Its keys are
# kept in DIR/tss.
tcsd_start() {
  mkdir -p "$1/tss"
  printf 'port = %s\nsystem_ps_file = %s/tss/system.data\n' "$TSS_TCSD_PORT" "$1" >"$1/tss/tcsd.conf"
  [ -e "$1/tss/system.data" ] || : >"$1/tss/system.data"
  # The user that it becomes reads both; it takes no configuration that others may change.
  chown tss: "$1/tss" "$1/tss/system.data"
  chown root:tss "$1/tss/tcsd.conf"
  chmod 755 "$1" "$1/tss"
  chmod 600 "$1/tss/system.data"
  chmod 640 "$1/tss/tcsd.conf"
  TSS_TCSD_HOSTNAME=127.0.0.1
  export TSS_TCSD_HOSTNAME TSS_TCSD_PORT
  TCSD_USE_TCP_DEVICE=1 TCSD_TCP_DEVICE_HOSTNAME=127.0.0.1 TCSD_TCP_DEVICE_PORT=$TPM12_PORT \
    tcsd -f -e -c "$1/tss/tcsd.conf" >"$1/tcsd.log" 2>&1 &
  TCSD_PID=$!
  pids=$TCSD_PID # software_tpm.sh stops it at the end
  until_done "$TCSD_PID" tpm_version || { cat "$1/tcsd.log" >&2; return 1; }
}

# tcsd_stop: the TPM is free for another who speaks with it.
tcsd_stop() {
  kill "$TCSD_PID" 2>/dev/null || true
  wait "$TCSD_PID" 2>/dev/null || true
  TCSD_PID=
  # shellcheck disable=SC2034  # software_tpm.sh's.
  pids=
}
