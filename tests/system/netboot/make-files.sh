#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a network boot loads: boot loaders, tboot, a Debian kernel, and ramdisks whose init says which of
# them it is and with which command line the kernel was started.
# usage: make-files.sh CACHE FILES    -> FILES; what is fetched is kept in CACHE
# Packages: cmake/setup.sh boot
set -eu
[ $# -eq 2 ] || { echo 'usage: make-files.sh CACHE FILES' >&2; exit 2; }
mkdir -p "$1" "$2"
cache=$(cd "$1" && pwd)
files=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

sh "$here/../unpack-package.sh" "$cache" kernel
sh "$here/../unpack-package.sh" "$cache" tboot

cp "$cache"/kernel/boot/vmlinuz-* "$files/kernel"
sh "$here/../../../examples/trusted-boot/boot-files.sh" "$files" "$cache/tboot/boot/tboot.gz"

cat >"$work/early.cfg" <<'END'
set root=(tftp,10.0.2.2)
configfile (tftp,10.0.2.2)/grub.cfg
END
grub-mkimage -O x86_64-efi -o "$files/grubx64.efi" -p / -c "$work/early.cfg" \
  normal configfile linux linuxefi multiboot2 gzio efinet tftp serial terminal

mkdir "$work/bin" "$work/dev" "$work/proc"
cp /bin/busybox "$work/bin/"
cat >"$work/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs devtmpfs /dev
exec >/dev/ttyS0 2>&1
read -r name </name
read -r command_line </proc/cmdline
echo "GUEST: init of the $name runs"
echo "GUEST: command line <$command_line>"
/bin/busybox poweroff -f
END
chmod 755 "$work/init"
for name in ramdisk deploy_ramdisk; do
  echo "$name" >"$work/name"
  (cd "$work" && find bin dev proc init name | LC_ALL=C sort |
    cpio -o -H newc --reproducible --quiet) | gzip -1n >"$files/$name"
done
