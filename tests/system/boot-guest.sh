#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Boots the guest of make-guest.sh once, with a software TPM, and unpacks the evidence it took.
# usage: boot-guest.sh GUEST TPM OUT NONCE [grub|shim] [KERNEL-ARGUMENT]...
#   GUEST  the folder that make-guest.sh filled
#   TPM    the folder of the machine's TPM: made when it is not there, and kept between boots
#   OUT    gets serial.log, qemu.log and the evidence folders 1-clean and 2-tampered
#   shim   boots with Secure Boot, by Debian's signed shim, GRUB and kernel
set -eu
[ $# -ge 4 ] || { echo 'usage: boot-guest.sh GUEST TPM OUT NONCE [grub|shim] [ARGUMENT]...' >&2; exit 2; }
guest=$(cd "$1" && pwd)
mkdir -p "$2" "$3"
tpm=$(cd "$2" && pwd)
out=$(cd "$3" && pwd)
nonce=$4
mode=${5:-grub}
if [ $# -ge 5 ]; then shift 5; else shift 4; fi
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"

firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
variables=/usr/share/OVMF/OVMF_VARS_4M.fd
machine=q35
case $mode in
  grub) ;;
  shim)
    firmware=/usr/share/OVMF/OVMF_CODE_4M.ms.fd
    variables=/usr/share/OVMF/OVMF_VARS_4M.ms.fd
    machine=q35,smm=on
    ;;
  *) echo "boot-guest.sh: no mode '$mode'" >&2; exit 2 ;;
esac

[ -d "$tpm/state" ] || swtpm_make "$tpm"
swtpm socket --tpm2 --tpmstate dir="$tpm/state" --ctrl type=unixio,path="$work/tpm" --terminate \
  --pid file="$work/tpm.pid" >"$out/swtpm.log" 2>&1 &
SWTPM_PID=$!

cp "$variables" "$work/variables.fd"
cp "$guest/esp-$mode.img" "$work/esp.img"
cp "$guest/root.ext4" "$work/root.ext4"
echo "$nonce" >"$work/out.img"
truncate -s 32M "$work/out.img"
printf "set arguments='root=/dev/vdb %s'\n" "$*" >"$work/cmdline.cfg"
mcopy -o -i "$work/esp.img@@1M" "$work/cmdline.cfg" ::/cmdline.cfg
swtpm_wait "$SWTPM_PID" "$work/tpm.pid" || { cat "$out/swtpm.log" >&2; exit 1; }

# Emulated, not KVM: in many virtual machines /dev/kvm opens and then fails in the firmware.
disk() { echo "if=none,id=$1,format=raw,cache=unsafe,file=$work/$2"; }
status=0
timeout 300 qemu-system-x86_64 -machine "$machine,accel=tcg" -cpu max -m 512 -nodefaults -display none \
  -no-reboot -global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 \
  -drive "if=pflash,format=raw,unit=0,readonly=on,file=$firmware" \
  -drive "if=pflash,format=raw,unit=1,file=$work/variables.fd" \
  -chardev "socket,id=tpm,path=$work/tpm" -tpmdev emulator,id=tpm0,chardev=tpm \
  -device tpm-crb,tpmdev=tpm0 \
  -drive "$(disk vda esp.img)" -device virtio-blk-pci,drive=vda,bootindex=1 \
  -drive "$(disk vdb root.ext4)" -device virtio-blk-pci,drive=vdb \
  -drive "$(disk vdc out.img)" -device virtio-blk-pci,drive=vdc \
  -device virtio-rng-pci -serial "file:$out/serial.log" >"$out/qemu.log" 2>&1 || status=$?

rm -rf "$out/1-clean" "$out/2-tampered"
tar -xf "$work/out.img" -C "$out" 2>/dev/null || true
if [ ! -d "$out/1-clean" ] || [ ! -d "$out/2-tampered" ]; then
  echo "boot-guest.sh: no evidence came back (qemu ended with $status)" >&2
  tail -n 20 "$out/serial.log" "$out/qemu.log" >&2
  exit 1
fi
