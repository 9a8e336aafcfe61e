#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Puts what a node needs to boot tboot over the network into DIR: Ironic's tftp_root, or http_root.
# tboot is fetched and only unpacked: its package would change how this machine itself boots.
# usage: boot-files.sh DIR [TBOOT.GZ]    packages: pxelinux syslinux-common
set -eu
[ $# -eq 1 ] || [ $# -eq 2 ] || { echo 'usage: boot-files.sh DIR [TBOOT.GZ]' >&2; exit 2; }
[ -d "$1" ] || { echo "boot-files.sh: no folder $1" >&2; exit 2; }
tboot=${2-}
modules=/usr/lib/syslinux/modules/bios
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for file in /usr/lib/PXELINUX/pxelinux.0 $modules/mboot.c32; do
  [ -e "$file" ] || { echo "boot-files.sh: no $file: install pxelinux and syslinux-common" >&2; exit 1; }
done
if [ -z "$tboot" ]; then
  if ! (cd "$work" && apt-get -q download tboot) >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
  fi
  dpkg -x "$work"/tboot_*.deb "$work/tboot"
  tboot=$work/tboot/boot/tboot.gz
fi

# Syslinux 5 and newer need the first two for the third.
install -m 644 /usr/lib/PXELINUX/pxelinux.0 $modules/ldlinux.c32 $modules/libcom32.c32 \
  $modules/mboot.c32 "$1"
install -m 644 "$tboot" "$1/tboot.gz"
# iPXE does not unpack it.
gzip -dc "$tboot" >"$work/unpacked"
install -m 644 "$work/unpacked" "$1/tboot"
