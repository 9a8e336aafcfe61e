#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds a Debian image with diskimage-builder from PyPI and our elements, and looks at what is in it. The
# agent is a stand-in: Debian has no package of Keylime's.
# usage: image_test.sh WORK_DIR
# Exit 77: this machine lacks what the build needs (root, debootstrap, mounts, PyPI, Debian's mirror).
set -eu
mkdir -p "${1:?usage: image_test.sh WORK_DIR}"
cache=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
skip() {
  echo "skipped: $*"
  exit 77
}
fail() {
  echo "FAIL: $*" >&2
  exit 1
}
passed() { echo "ok: $*"; }

[ "$(id -u)" -eq 0 ] || skip 'only root can build an image'
for tool in debootstrap sudo qemu-img; do
  command -v $tool >/dev/null || skip "there is no $tool"
done
unshare -m true 2>/dev/null || skip 'this machine may not mount'
[ -x "$cache/venv/bin/python" ] || /usr/bin/python3 -m venv "$cache/venv"
if ! "$cache/venv/bin/pip" --disable-pip-version-check -q --timeout 5 --retries 0 install diskimage-builder \
  >"$work/pip.log" 2>&1 && [ ! -x "$cache/venv/bin/disk-image-create" ]; then
  skip 'PyPI can not be reached'
fi

printf '#!/bin/sh\nexec sleep infinity\n' >"$work/agent"
printf 'a certificate\n' >"$work/cacert.crt"
# In a namespace of its own, so that a build that is broken off leaves no mounts.
if ! env PATH="$cache/venv/bin:$PATH" ELEMENTS_PATH="$source/examples/diskimage-builder" DIB_RELEASE=bookworm \
  DIB_DEBIAN_SECURITY_MIRROR="${DIB_DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}" \
  DIB_KEYLIME_AGENT_REGISTRAR_IP=192.0.2.1 DIB_KEYLIME_AGENT_REGISTRAR_PORT=18890 DIB_KEYLIME_AGENT_PORT=19002 \
  DIB_KEYLIME_AGENT_BINARY="$work/agent" DIB_KEYLIME_AGENT_CA="$work/cacert.crt" TMP_DIR="$work" \
  unshare -m disk-image-create --no-tmpfs -t tar -o "$work/node" debian-minimal keylime-agent tpm-emulator \
  >"$cache/build.log" 2>&1; then
  grep -q 'Failed getting release\|Failed to fetch\|Could not resolve' "$cache/build.log" && skip "Debian's mirror can not be reached"
  tail -n 30 "$cache/build.log"
  fail 'diskimage-builder failed'
fi
passed "diskimage-builder $("$cache/venv/bin/pip" list 2>/dev/null | sed -n 's/^diskimage-builder *//p') made an image"

mkdir "$work/root"
tar -xf "$work/node.tar" -C "$work/root"
root=$work/root
cmp "$work/agent" "$root/usr/local/bin/keylime_agent" || fail 'the agent is another file'
cmp "$work/cacert.crt" "$root/var/lib/keylime/cv_ca/cacert.crt" || fail 'the CA is another file'
cat >"$work/conf" <<'CONF'
[agent]
port = 19002
contact_port = 19002
registrar_ip = "192.0.2.1"
registrar_port = 18890
enable_revocation_notifications = false
run_as = ""
CONF
cmp "$work/conf" "$root/etc/keylime/agent.conf.d/50-image.conf" || fail "the agent's configuration is another"
grep -q '^measure func=BPRM_CHECK' "$root/etc/ima/ima-policy" || fail 'there is no IMA policy'
for unit in keylime_agent keylime-agent-node tpm-emulator tpm-emulator-ima; do
  [ -L "$root/etc/systemd/system/multi-user.target.wants/$unit.service" ] || fail "$unit is not enabled"
done
chroot "$root" systemd-analyze verify --man=no keylime_agent.service tpm-emulator-ima.service >"$work/units" 2>&1 ||
  fail "systemd does not like the units: $(cat "$work/units")"
for program in usr/local/libexec/keylime-agent-node usr/local/libexec/tpm-emulator usr/local/libexec/tpm-emulator-ima \
  usr/bin/swtpm usr/bin/tpm2_createek; do
  [ -x "$root/$program" ] || fail "/$program cannot be run"
done
passed 'the image holds the agent, its configuration and the software TPM'

(cd "$root/root" && sha256sum --quiet -c checksum.txt) || fail 'the checksum is wrong'
for name in allowlist checksum; do
  cmp "$root/root/$name.txt" "$work/node-$name.txt" || fail "node-$name.txt is another file"
done
[ "$(head -n 1 "$root/root/allowlist.txt")" = "$(printf '%064d' 0) boot_aggregate" ] || fail 'no boot aggregate'
tail -n +2 "$root/root/allowlist.txt" >"$work/files"
LC_ALL=C sort -c -k 2 "$work/files" || fail 'the allowlist is not sorted'
# After the lists are made diskimage-builder empties logs and drops package lists: nothing that runs.
late='\./var/log/\|\./var/lib/apt/lists/\|\./etc/resolv\.conf'
(cd "$root" && sed 's,  /,  ./,' "$work/files" | grep -v "$late" | sha256sum --quiet -c -) ||
  fail 'the allowlist is of other files'
(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp \) -prune \
  -o -type f -print | sed 's/ /_/g' | grep -v "$late" | LC_ALL=C sort) >"$work/found"
{ sed 's,^[0-9a-f]*  /,./,' "$work/files"; printf './root/%s.txt\n' allowlist checksum; } | grep -v "$late" |
  LC_ALL=C sort | cmp - "$work/found" || fail 'the allowlist is not of all files'
passed "an allowlist of the $(wc -l <"$work/files") files of the image as it is"
