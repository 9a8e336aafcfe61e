#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the disks of a machine that boots by UEFI firmware, GRUB and a Debian kernel with IMA, and whose
# init is guest-init.sh. Nothing is mounted, so that it needs no root.
# usage: make-guest.sh COLLECT DIR    -> DIR/{esp-grub.img,esp-shim.img,root.ext4}
# The kernel is fetched once into DIR. Packages: cmake/setup.sh boot
set -eu
collect=${1:?usage: make-guest.sh COLLECT DIR}
mkdir -p "${2:?usage: make-guest.sh COLLECT DIR}"
dir=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/sbin:/usr/sbin

# Busybox and the few modules that reach the root disk.
make_initramfs() {
  root=$dir/initramfs
  rm -rf "$root"
  mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/modules" "$root/newroot"
  cp /bin/busybox "$root/bin/"
  # ext4 asks for its checksum by name: no dependency says so.
  for module in crc32c_generic virtio_pci virtio_blk ext4; do
    modprobe -d "$dir/kernel" -S "$version" --show-depends "$module"
  done | awk '/^insmod/ && !seen[$2]++ { print $2 }' | while read -r file; do
    cp "$file" "$root/modules/"
    basename "$file" >>"$root/modules/order"
  done
  cat >"$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/order
tries=0
while [ ! -b /dev/vdb ] && [ $tries -lt 50 ]; do /bin/busybox sleep 0.1; tries=$((tries + 1)); done
/bin/busybox mount -t ext4 /dev/vdb /newroot
for mount in proc sys dev; do /bin/busybox mount --move /$mount /newroot/$mount; done
exec /bin/busybox switch_root /newroot /sbin/init
END
  chmod 755 "$root/init"
  # Sorted and without dates, so that the same input gives the same measurements.
  find "$root" -exec touch -h -d @0 {} +
  (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --reproducible --quiet) |
    gzip -1n >"$dir/initrd.gz"
}

copy_with_libraries() { # FILE TARGET
  mkdir -p "$(dirname "$2")"
  cp -L "$1" "$2"
  ldd "$1" | awk '/=> \// { print $3 } /ld-linux/ { print $1 }' | while read -r library; do
    mkdir -p "$rootfs$(dirname "$library")"
    cp -L "$library" "$rootfs$library"
  done
}

make_root() {
  rootfs=$dir/rootfs
  rm -rf "$rootfs"
  for folder in bin sbin dev proc sys tmp opt/good opt/evil; do mkdir -p "$rootfs/$folder"; done
  cp /bin/busybox "$rootfs/bin/"
  for applet in sh cat mount mkdir tar sync poweroff; do
    ln -s busybox "$rootfs/bin/$applet"
  done
  copy_with_libraries "$collect" "$rootfs/usr/bin/collect"
  tcti=/usr/lib/x86_64-linux-gnu/libtss2-tcti-device.so.0
  copy_with_libraries "$tcti" "$rootfs$tcti"
  # Programs that still run, with digests of their own.
  (cat /bin/busybox && echo good) >"$rootfs/opt/good/echo"
  (cat /bin/busybox && echo evil) >"$rootfs/opt/evil/echo"
  cp "$here/guest-init.sh" "$rootfs/sbin/init"
  chmod 755 "$rootfs/opt/good/echo" "$rootfs/opt/evil/echo" "$rootfs/sbin/init"
  rm -f "$dir/root.ext4"
  truncate -s 128M "$dir/root.ext4"
  mke2fs -q -t ext4 -d "$rootfs" "$dir/root.ext4"
}

make_boot_loader() {
  cat >"$dir/early.cfg" <<'END'
search --no-floppy --file --set=root /vmlinuz
set prefix=($root)/grub
configfile ($root)/grub/grub.cfg
END
  # linuxefi enters the kernel through its EFI stub, which hands on the event log: "linux" does not.
  cat >"$dir/grub.cfg" <<'END'
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set timeout=0
search --no-floppy --file --set=root /vmlinuz
source /cmdline.cfg
menuentry "guest" {
  linuxefi /vmlinuz console=ttyS0 panic=5 quiet $arguments
  initrdefi /initrd.gz
}
END
  grub-mkimage -O x86_64-efi -o "$dir/BOOTX64.EFI" -p /grub -c "$dir/early.cfg" \
    tpm part_gpt fat normal linux linuxefi search search_fs_file configfile serial terminal echo gzio
}

make_esp() { # IMAGE, then pairs HOSTFILE PATH
  image=$1
  shift
  rm -f "$image"
  truncate -s 128M "$image"
  printf '%s\n' 'label: gpt' 'label-id: 00000000-0000-0000-0000-000000000001' \
    'start=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=00000000-0000-0000-0000-000000000002' |
    sfdisk -q "$image"
  mformat -i "$image@@1M" -T $(((128 - 2) * 2048)) -F -h 255 -s 63 -N 12345678 ::
  mmd -i "$image@@1M" ::/EFI ::/EFI/BOOT ::/EFI/debian ::/grub
  mcopy -i "$image@@1M" "$dir/kernel/boot/vmlinuz-$version" ::/vmlinuz
  mcopy -i "$image@@1M" "$dir/initrd.gz" ::/initrd.gz
  while [ $# -gt 0 ]; do
    mcopy -i "$image@@1M" "$1" "::$2"
    shift 2
  done
}

sh "$here/unpack-package.sh" "$dir" kernel
version=$(ls "$dir/kernel/lib/modules")
make_initramfs
make_root
make_boot_loader
make_esp "$dir/esp-grub.img" "$dir/BOOTX64.EFI" /EFI/BOOT/BOOTX64.EFI "$dir/grub.cfg" /grub/grub.cfg
make_esp "$dir/esp-shim.img" \
  /usr/lib/shim/shimx64.efi.signed /EFI/BOOT/BOOTX64.EFI \
  /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed /EFI/BOOT/grubx64.efi \
  "$dir/grub.cfg" /EFI/debian/grub.cfg
