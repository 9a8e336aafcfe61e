#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Fetches a package whose installation would change how this machine boots, and only unpacks it, once.
# usage: unpack-package.sh DIR kernel|tboot    -> DIR/NAME, and DIR/NAME.ready when it is whole
set -eu
[ $# -eq 2 ] || { echo 'usage: unpack-package.sh DIR kernel|tboot' >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
name=$2
PATH=$PATH:/sbin:/usr/sbin

# Tests that run side by side want the same package.
exec 9>"$dir/$name.lock"
flock 9
[ ! -e "$dir/$name.ready" ] || exit 0

case $name in
  kernel) package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }') ;;
  tboot) package=tboot ;;
  *) echo "unpack-package.sh: no package '$name'" >&2; exit 2 ;;
esac
rm -rf "${dir:?}/$name" "$dir/$name.download"
mkdir "$dir/$name.download"
if ! (cd "$dir/$name.download" && apt-get -q download "$package") >"$dir/$name.log" 2>&1; then
  cat "$dir/$name.log" >&2
  exit 1
fi
dpkg -x "$dir/$name.download"/*.deb "$dir/$name"
[ "$name" != kernel ] || depmod -b "$dir/kernel" "$(ls "$dir/kernel/lib/modules")"
rm -rf "$dir/$name.download"
touch "$dir/$name.ready"
