#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Takes this machine's evidence with a fresh nonce and judges it by a policy, or only takes it, so that
# it is judged elsewhere. Run inside the instance, or given to it as user data: see --help and README.md.
set -eu
umask 077
LC_ALL=C
export LC_ALL

policy=/etc/trusted-instance/policy.json
state=/var/lib/trusted-instance
security=/sys/kernel/security
ak_handle=0x81010002
pcrs=0-10,14,17-19
collect_only=no
tpm=
nonce=
output=
eventlog=
launch_log=
ima=
tcti=
json=

usage() {
  cat <<END
Usage: trusted-instance [--policy FILE] [--json] [OPTION...]
       trusted-instance --collect-only --output DIR [OPTION...]

Takes the evidence of this machine: a quote of its TPM (2.0, or 1.2 through
TrouSerS) that answers a fresh nonce, and the logs that its kernel has. The first
form prints the verdict of attest verify. The second only makes a folder that
attest verify --evidence DIR judges on another machine.

A machine that judges itself proves nothing to others: who owns it owns its
verdict. What counts is the folder, judged elsewhere, with a nonce that was chosen
there and given here with --nonce.

  --policy FILE     what is expected; $policy
                    where no other is given
  --json            the report as one JSON object
  --collect-only    judge nothing
  --output DIR      keep the evidence there; it must not exist, or be empty
  --nonce HEX       16 to 64 bytes, of a TPM 1.2 exactly 20; else 20 random ones
  --pcrs LIST       numbers and ranges, of bank sha256 or a TPM 1.2's;
                    $pcrs where no others are given
  --tpm 1.2|2.0     which TPM it is, where the kernel does not say
  --ak-handle H     TPM 2.0: where the attestation key is kept, $ak_handle
                    where no other is given
  --tcti CONF       TPM 2.0: how it is reached
  --state DIR       TPM 1.2: where the attestation key is kept,
                    $state where no other is given
  --eventlog FILE, --launch-log FILE, --ima FILE
                    logs that are not the kernel's
  --help

Exit status: 0 trusted, or taken; 1 untrusted or unknown; 2 no verdict: wrong
usage, no TPM, a program or a file that is missing.
END
}

say() { echo "trusted-instance: $*" >&2; }
die() {
  say "$*"
  exit 2
}
need() { # PROGRAM WHOSE
  command -v "$1" >/dev/null 2>&1 || die "$1 is not installed: it is of $2"
}

while [ $# -gt 0 ]; do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --collect-only) collect_only=yes ;;
    --json) json=--json ;;
    --policy | --output | --nonce | --pcrs | --tpm | --ak-handle | --tcti | --state | --eventlog | --launch-log | --ima)
      [ $# -gt 1 ] || die "$1 wants a value"
      [ -n "$2" ] || die "$1 wants a value that is not empty"
      case $1 in
        --policy) policy=$2 ;;
        --output) output=$2 ;;
        --nonce) nonce=$2 ;;
        --pcrs) pcrs=$2 ;;
        --tpm) tpm=$2 ;;
        --ak-handle) ak_handle=$2 ;;
        --tcti) tcti=$2 ;;
        --state) state=$2 ;;
        --eventlog) eventlog=$2 ;;
        --launch-log) launch_log=$2 ;;
        --ima) ima=$2 ;;
      esac
      shift
      ;;
    *) die "unknown argument '$1': see --help" ;;
  esac
  shift
done

if [ $collect_only = yes ]; then
  [ -n "$output" ] || die '--collect-only needs --output'
  [ -z "$json" ] || die '--collect-only gives no report: --json contradicts it'
else
  need attest libattest
  [ -r "$policy" ] ||
    die "the policy $policy cannot be read: make one with attest policy create, or only take evidence with --collect-only"
fi
if [ -z "$nonce" ]; then
  nonce=$(od -An -v -N20 -tx1 /dev/urandom | tr -d ' \n')
fi
case $nonce in
  *[!0-9a-fA-F]*) die '--nonce is not hexadecimal' ;;
esac
case $pcrs in
  *[!0-9,-]*) die "--pcrs wants numbers and ranges like 0-7,14, not '$pcrs'" ;;
esac

# The kernel has said so since 5.6; before that only a TPM 1.2 has a file of PCRs.
if [ -z "$tpm" ]; then
  node=/sys/class/tpm/tpm0
  [ -e $node ] || die 'the kernel shows no TPM: is it there, and enabled and active in the firmware?'
  case $(cat $node/tpm_version_major 2>/dev/null) in
    1) tpm=1.2 ;;
    2) tpm=2.0 ;;
    *) if [ -e $node/pcrs ] || [ -e $node/device/pcrs ]; then tpm=1.2; else tpm=2.0; fi ;;
  esac
fi

work=$(mktemp -d)
judged=no
# Whatever else fails, 1 is only what attest verify says.
# shellcheck disable=SC2317  # Run by the trap.
finish() {
  status=$?
  rm -rf "$work"
  [ "$judged" = yes ] || [ "$status" -eq 0 ] || exit 2
  exit "$status"
}
trap finish EXIT
trap 'exit 2' HUP INT TERM
if [ -n "$output" ] && [ -e "$output" ]; then
  { [ -d "$output" ] && [ -z "$(ls -A "$output")" ]; } || die "$output exists and is not an empty folder"
fi
evidence=$work/evidence

take_tpm2() {
  need collect libattest
  set -- --nonce "$nonce" --output "$evidence" --ak-handle "$ak_handle" --pcrs "sha256:$pcrs"
  [ -z "$tcti" ] || set -- "$@" --tcti "$tcti"
  [ -z "$eventlog" ] || set -- "$@" --eventlog "$eventlog"
  [ -z "$ima" ] || set -- "$@" --ima "$ima"
  collect "$@" >&2 || die 'collect could not take the evidence of the TPM 2.0'
}

# "0-2,7" as lines: 0 1 2 7
each_pcr() {
  for range in $(echo "$1" | tr , ' '); do
    case $range in
      *-*-* | -* | *-) die "--pcrs wants numbers and ranges like 0-7,14, not '$1'" ;;
    esac
    first=${range%-*}
    last=${range#*-}
    { [ "${#first}" -le 2 ] && [ "${#last}" -le 2 ] && [ "$first" -le "$last" ] && [ "$last" -le 23 ]; } ||
      die "--pcrs wants numbers up to 23, not '$range'"
    seq "$first" "$last"
  done
}

bytes_of() { # HEX
  for byte in $(echo "$1" | sed 's/../0x& /g'); do
    # The inner one makes the outer one's format: an octal escape.
    # shellcheck disable=SC2059
    printf "\\$(printf %03o "$byte")"
  done
}

tss() { # What the tools of TrouSerS say on failure is their own; the last line of it is shown.
  "$@" >"$work/said" 2>&1 || die "$1: $(tail -n 1 "$work/said")"
}

# A key of the well-known owner's secret. One that was made by hand, with another, is used as it is.
make_aik() {
  [ ! -e "$state/aik.blob" ] || return 0
  mkdir -p "$state" 2>/dev/null || die "$state cannot be made"
  tpm_mkaik -z "$work/aik.blob" "$work/aik.pub" >"$work/said" 2>&1 || {
    say 'is tcsd running, is the TPM owned, and is its owner secret the well-known one? With another, make the key by hand:'
    say "tpm_mkaik $state/aik.blob aik.pub; tpm_mkuuid $state/aik.uuid; tpm_loadkey $state/aik.blob $state/aik.uuid"
    die "tpm_mkaik: $(tail -n 1 "$work/said")"
  }
  tss tpm_mkuuid "$work/aik.uuid"
  tss tpm_loadkey "$work/aik.blob" "$work/aik.uuid"
  mv "$work/aik.uuid" "$state/aik.uuid"
  mv "$work/aik.blob" "$state/aik.blob"
}

# What tpm_getquote had signed is not among its outputs. tpm_getpcrhash shows the same structure with
# another nonce; taken before and after the quote it also shows that no PCR changed in between.
quote12() { # PCR...
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    tss tpm_getpcrhash "$state/aik.uuid" "$work/before" "$work/before.pcrs" "$@"
    tss tpm_getquote -p "$work/quote.pcrs" "$state/aik.uuid" "$work/nonce" "$work/quote.sig" "$@"
    tss tpm_getpcrhash "$state/aik.uuid" "$work/after" "$work/after.pcrs" "$@"
    { [ "$(head -c 6 "$work/after" | tail -c 4)" = QUT2 ] && [ "$(wc -c <"$work/after")" -eq 52 ]; } ||
      die 'the TPM or its TrouSerS has no TPM_Quote2'
    tail -c 26 "$work/before" >"$work/before.info"
    tail -c 26 "$work/after" >"$work/after.info"
    if cmp -s "$work/before.info" "$work/after.info" && cmp -s "$work/quote.pcrs" "$work/after.pcrs"; then
      { head -c 6 "$work/after" && cat "$work/nonce" "$work/after.info"; } >"$work/quote.msg"
      return 0
    fi
  done
  die 'the PCRs changed 10 times while they were quoted'
}

copy_log() { # NAME KERNEL'S GIVEN
  if [ -z "$3" ] && [ ! -e "$2" ]; then
    say "$2 is not there: no $1"
    return 0
  fi
  cat "${3:-$2}" >"$evidence/$1" || die "${3:-$2} cannot be read"
  # A kernel whose firmware left no log has an empty one.
  [ -s "$evidence/$1" ] || rm "$evidence/$1"
}

take_tpm12() {
  [ ${#nonce} -eq 40 ] || die 'a TPM 1.2 wants a nonce of exactly 20 bytes'
  for program in tpm_mkaik tpm_mkuuid tpm_loadkey tpm_getpcrhash tpm_getquote; do
    need $program "TrouSerS' tools (Debian's package tpm-quote-tools, beside trousers)"
  done
  numbers=$(each_pcr "$pcrs") || exit 2
  [ -n "$numbers" ] || die '--pcrs names no PCR'
  numbers=$(echo "$numbers" | sort -nu)
  bytes_of "$nonce" >"$work/nonce"
  make_aik
  # Words: unquoted to split them.
  # shellcheck disable=SC2086
  quote12 $numbers
  mkdir "$evidence"
  cp "$state/aik.blob" "$evidence/ak.tss"
  mv "$work/quote.msg" "$work/quote.sig" "$work/quote.pcrs" "$evidence"
  echo "$nonce" >"$evidence/nonce.hex"
  # After the quote: a log may be longer than what it signs, never shorter.
  copy_log eventlog.bin $security/tpm0/binary_bios_measurements "$eventlog"
  copy_log ima.bin $security/ima/binary_runtime_measurements "$ima"
}

case $tpm in
  2.0) take_tpm2 ;;
  1.2) take_tpm12 ;;
  *) die "--tpm wants 1.2 or 2.0, not '$tpm'" ;;
esac
# Of a dynamic launch. Few kernels show one: a machine without says nothing of it.
if [ -n "$launch_log" ] || [ -e $security/slaunch/eventlog ]; then
  copy_log launchlog.bin $security/slaunch/eventlog "$launch_log"
fi

if [ -n "$output" ]; then
  { mkdir -p "$output" && cp "$evidence"/* "$output"/; } || die "$output cannot be written"
  say "the evidence is in $output, its nonce is $nonce"
fi
[ $collect_only = no ] || exit 0

status=0
# One word or none.
# shellcheck disable=SC2086
attest verify --evidence "$evidence" --nonce "$nonce" --policy "$policy" $json || status=$?
say 'this machine judged itself, which proves nothing to others: judge its evidence elsewhere (--collect-only)'
judged=yes
exit $status
