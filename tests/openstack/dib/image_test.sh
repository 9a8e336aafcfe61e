#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds a Debian image with diskimage-builder from PyPI and our elements, looks at what is in it, boots it
# under QEMU, and judges what it ran by the list that was made of it. The agent is a stand-in: Debian has no
# package of Keylime's.
# usage: image_test.sh BUILD_DIR WORK_DIR
# Exit 77: this machine lacks what the build needs (root, debootstrap, mounts, PyPI, Debian's mirror).
set -eu
usage='usage: image_test.sh BUILD_DIR WORK_DIR'
build=$(realpath "${1:?$usage}")
attest=$build/examples/attest/attest
mkdir -p "${2:?$usage}"
cache=$(realpath "$2")
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
for tool in debootstrap sudo qemu-img qemu-system-x86_64 mke2fs; do
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
for component in runtime Unspecified; do
  cmake --install "$build" --prefix "$work/libattest" --component $component >/dev/null
done
# What is at PCR 0 of a software TPM that no firmware has seen.
printf '{"version": 1, "pcrs": {"0": ["%064d"]}}\n' 0 >"$work/policy.json"
# In a namespace of its own, so that a build that is broken off leaves no mounts.
if ! env PATH="$cache/venv/bin:$PATH" ELEMENTS_PATH="$source/examples/diskimage-builder" DIB_RELEASE=bookworm \
  DIB_DEBIAN_SECURITY_MIRROR="${DIB_DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}" \
  DIB_KEYLIME_AGENT_REGISTRAR_IP=192.0.2.1 DIB_KEYLIME_AGENT_REGISTRAR_PORT=18890 DIB_KEYLIME_AGENT_PORT=19002 \
  DIB_KEYLIME_AGENT_BINARY="$work/agent" DIB_KEYLIME_AGENT_CA="$work/cacert.crt" TMP_DIR="$work" \
  DIB_TRUSTED_INSTANCE_LIBATTEST="$work/libattest" DIB_TRUSTED_INSTANCE_POLICY="$work/policy.json" \
  DIB_TRUSTED_INSTANCE_UNIT=1 DIB_TRUSTED_INSTANCE_TPM12=1 \
  unshare -m disk-image-create --no-tmpfs -t tar -o "$work/node" debian-minimal keylime-agent tpm-emulator \
  trusted-instance \
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
  usr/bin/swtpm usr/bin/tpm2_createek usr/local/bin/attest usr/local/bin/collect usr/local/bin/trusted-instance \
  usr/bin/tpm_getquote usr/sbin/tcsd; do
  [ -x "$root/$program" ] || fail "/$program cannot be run"
done
cmp "$work/policy.json" "$root/etc/trusted-instance/policy.json" || fail 'the policy is another file'
passed "the image holds the agent, its configuration, the software TPM, libattest and the tenant's script"

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

# The machine, with what the test needs: a program that came after the list was made.
nonce=000102030405060708090a0b0c0d0e0f
{
  echo '#!/bin/sh'
  echo 'collect identity --state /run/libattest >/dev/null'
  # As long as the emulator of IMA may take.
  echo 'sleep 10'
  echo "collect quote --state /run/libattest --nonce $nonce --pcrs sha256:10 --output /run/evidence"
  echo 'cp /etc/keylime/agent.conf.d/60-node.conf /run/evidence/'
  echo 'tpm2_createek -Q -G rsa -c /run/ek.ctx -f pem -u /run/evidence/ek.pem'
  echo 'systemctl show -p Result --value trusted-instance >/run/evidence/verdict'
  echo 'cp -r /run/trusted-instance/evidence /run/evidence/own'
  echo 'systemctl is-active keylime_agent tpm-emulator tpm-emulator-ima >/run/evidence/units'
  echo 'tar -C /run -cf /dev/vdb evidence'
  echo 'systemctl poweroff -f'
} >"$root/usr/local/bin/report"
chmod +x "$root/usr/local/bin/report"
units=$root/etc/systemd/system
cat >"$units/report.service" <<'UNIT'
[Unit]
After=keylime_agent.service tpm-emulator-ima.service trusted-instance.service
[Service]
ExecStart=/usr/local/bin/report
UNIT
cat >"$units/network.service" <<'UNIT'
[Unit]
Before=network-online.target
[Service]
Type=oneshot
ExecStart=ip link add lan type dummy
ExecStart=ip address add 192.0.2.2/24 dev lan
ExecStart=ip link set lan up
UNIT
mkdir -p "$units/trusted-instance.service.d"
printf '[Unit]\nAfter=tpm-emulator-ima.service\n' >"$units/trusted-instance.service.d/emulator.conf"
for unit in report network; do ln -s "../$unit.service" "$units/multi-user.target.wants/"; done
ln -s /dev/null "$units/systemd-networkd-wait-online.service"
truncate -s 32M "$work/out.img"
mke2fs -q -t ext4 -d "$root" "$work/disk.img" 3000M
timeout 600 qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1024 -nodefaults -display none -no-reboot \
  -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* -append 'root=/dev/vda rw console=ttyS0' \
  -drive "if=none,id=vda,format=raw,cache=unsafe,file=$work/disk.img" -device virtio-blk-pci,drive=vda \
  -drive "if=none,id=vdb,format=raw,cache=unsafe,file=$work/out.img" -device virtio-blk-pci,drive=vdb \
  -device virtio-rng-pci -serial "file:$cache/serial.log" || fail "the machine did not end (see $cache/serial.log)"
tar -xf "$work/out.img" -C "$work" 2>/dev/null || fail "no evidence came back (see $cache/serial.log)"

evidence=$work/evidence
[ "$(sort -u "$evidence/units")" = active ] || fail 'a unit does not run'
printf '[agent]\nuuid = "%s"\nip = "192.0.2.2"\ncontact_ip = "192.0.2.2"\n' \
  "$(sha256sum "$evidence/ek.pem" | cut -d ' ' -f 1)" | cmp - "$evidence/60-node.conf" ||
  fail "the node's configuration is another"
passed 'the image boots, its software TPM is at /dev/tpmrm0, and the agent has its uuid and address'
# The emulator began after the kernel's IMA, as no machine's TPM does: a true verdict says that, and nothing else.
[ "$(cat "$evidence/verdict")" = exit-code ] || fail "trusted-instance.service ended with $(cat "$evidence/verdict")"
status=0
"$attest" verify --evidence "$evidence/own" --policy "$work/policy.json" >"$work/verdict" || status=$?
[ $status -eq 1 ] || fail "attest ended with $status for the instance's own evidence"
grep '^failure' "$work/verdict" >"$work/failures" || :
[ "$(wc -l <"$work/failures")" -eq 1 ] || fail "the instance's own evidence: $(cat "$work/verdict")"
grep -q 'ima-boot-aggregate: IMA entry 0: boot_aggregate is zero' "$work/failures" || fail "the instance's own evidence: $(cat "$work/failures")"
passed 'the instance judged itself at its boot, and its evidence says the same here'
status=0
"$attest" verify --evidence "$evidence" --nonce $nonce --allowlist "$work/node-allowlist.txt" \
  --allowlist-checksum "$work/node-checksum.txt" --excludelist "$work/node-excludelist.txt" >"$work/verdict" || status=$?
[ $status -eq 1 ] || fail "attest ended with $status"
grep '^failure' "$work/verdict" | sed 's/.*: \(\/[^ ]*\) has digest.*/\1/' | sort >"$work/blamed"
echo /usr/local/bin/report | cmp - "$work/blamed" || fail "attest says: $(cat "$work/verdict")"
passed "of all that ran, attest blames the program that came after the list"
