#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A machine boots three times under QEMU: UEFI firmware, GRUB, a Debian kernel with IMA, a software TPM.
# What collect took inside it at the first boot gives policies; the second boot is judged by them, and a
# third one with another ramdisk.
# usage: boot_test.sh COLLECT ATTEST CACHE    (77: the machine lacks what a boot needs)
set -eu
collect=${1:?usage: boot_test.sh COLLECT ATTEST CACHE}
attest=${2:?usage: boot_test.sh COLLECT ATTEST CACHE}
mkdir -p "${3:?usage: boot_test.sh COLLECT ATTEST CACHE}"
cache=$(cd "$3" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/sbin:/usr/sbin

if [ "$(uname -m)" != x86_64 ]; then
  echo 'skipped: the guest is an x86-64 machine'
  exit 77
fi
for tool in qemu-system-x86_64 swtpm swtpm_setup mke2fs sfdisk mcopy modprobe cpio grub-mkimage \
  busybox tpm2_checkquote; do
  command -v $tool >/dev/null || {
    echo "skipped: there is no $tool (sh cmake/setup.sh boot installs it)"
    exit 77
  }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
fail() {
  echo "FAIL: $*" >&2
  cat "$work/verdict" >&2 2>/dev/null || true
  exit 1
}
passed() { echo "ok: $*"; }

# Without a network there is no kernel to fetch, unless an earlier run did.
if ! sh "$here/make-guest.sh" "$collect" "$cache"; then
  [ -e "$cache/kernel.ready" ] && fail 'the guest cannot be built'
  echo 'skipped: no kernel could be fetched'
  exit 77
fi
boot() { # NAME GUEST
  nonce=$(head -c 20 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  sh "$here/boot-guest.sh" "$2" "$work/tpm" "$work/$1" "$nonce" grub \
    ima_policy=tcb ima_template=ima-ng || fail 'the machine did not boot'
  for state in 1-clean 2-tampered; do
    dir=$work/$1/$state
    for file in ak.tss eventlog.bin ima.bin ek.crt.der; do
      [ -s "$dir/$file" ] || fail "collect wrote no $state/$file"
    done
    tpm2_checkquote -Q -u "$dir/ak.tss" -m "$dir/quote.msg" -s "$dir/quote.sig" \
      -f "$dir/quote.pcrs" -q "$nonce" || fail "tpm2_checkquote refuses the quote of $state"
  done
}
verify() { # EXPECTED-STATUS DIR [POLICY]
  status=0
  "$attest" verify --evidence "$2" --policy "$work/${3:-policy.json}" --nonce "$(cat "$2/nonce.hex")" >"$work/verdict" 2>&1 || status=$?
  [ $status -eq "$1" ] || fail "attest verify of $2 ended with $status, not $1"
}

boot first "$cache"
passed 'the machine boots, and collect takes its evidence'
"$attest" policy create --evidence "$work/first/1-clean" --output "$work/policy.json" ||
  fail 'attest makes no policy from the first boot'
verify 0 "$work/first/1-clean"
passed 'the evidence that a policy was made from is trusted'

boot second "$cache"
verify 0 "$work/second/1-clean"
passed 'the same boot again is trusted'
verify 1 "$work/second/2-tampered"
grep -q '/opt/evil/echo' "$work/verdict" || fail 'the verdict does not name /opt/evil/echo'
grep -q '/opt/good/echo' "$work/verdict" && fail 'the verdict blames /opt/good/echo'
passed 'a program that the policy does not list is named'

"$attest" policy create --evidence "$work/first/1-clean" --profile measured-boot --output "$work/boot.json" ||
  fail 'attest makes no policy of a measured boot'
verify 0 "$work/second/1-clean" boot.json
# Not its business: the program ran after the boot.
verify 0 "$work/second/2-tampered" boot.json
mkdir "$work/guest" "$work/changed"
cp "$cache/esp-grub.img" "$work/guest/"
ln -s "$cache/root.ext4" "$work/guest/root.ext4"
echo changed >"$work/changed/file"
(cd "$work/changed" && echo file | cpio -o -H newc --quiet | gzip -1n | cat "$cache/initrd.gz" - >initrd.gz)
mcopy -o -i "$work/guest/esp-grub.img@@1M" "$work/changed/initrd.gz" ::/initrd.gz
boot third "$work/guest"
verify 1 "$work/third/1-clean" boot.json
grep -q '^failure: event-unknown: event [0-9]* (EV_IPL, /initrd.gz) is the first in PCR 9 ' "$work/verdict" ||
  fail 'the verdict does not name the changed ramdisk'
[ "$(grep -c '^failure: ' "$work/verdict")" -eq 2 ] || fail 'the verdict blames more than the ramdisk'
passed 'a ramdisk that was changed is named'
if "$attest" policy create --evidence "$work/first/1-clean" --profile trusted-boot >"$work/verdict" 2>&1; then
  fail 'a policy of a launch is made of a boot without one'
fi
grep -q '^failure: no-measured-launch: ' "$work/verdict" || fail 'nothing says that there was no launch'
passed 'a boot without a launch gives no policy of one'

cp -r "$work/second/1-clean" "$work/mixed"
cp "$work/first/1-clean/nonce.hex" "$work/mixed/nonce.hex"
verify 1 "$work/mixed"
passed 'the quote of another nonce is not trusted'
cp "$work/second/1-clean/nonce.hex" "$work/mixed/nonce.hex"
head -c "$(($(wc -c <"$work/second/1-clean/eventlog.bin") - 1))" "$work/second/1-clean/eventlog.bin" \
  >"$work/mixed/eventlog.bin"
verify 2 "$work/mixed"
passed 'a log cut short is malformed'
