#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The scripts of the diskimage-builder elements, without building an image: on a small tree and a
# software TPM.
# usage: scripts_test.sh ATTEST    (the attest command, which replays IMA lists)
set -eu
attest=$(realpath "${1:?usage: scripts_test.sh ATTEST}")
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../../.." && pwd)
agent=$source/examples/diskimage-builder/keylime-agent
emulator=$source/examples/diskimage-builder/tpm-emulator
instance=$source/examples/diskimage-builder/trusted-instance
libexec=static/usr/local/libexec
# shellcheck source=tests/support/software_tpm.sh
. "$source/tests/support/software_tpm.sh"
sha() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# The allowlist.
root=$work/root
mkdir -p "$root/usr/bin" "$root/proc" "$root/run" "$root/tmp" "$root/root" "$root/etc"
printf ls >"$root/usr/bin/ls"
printf cat >"$root/usr/bin/cat"
printf spaced >"$root/etc/a  file"
printf slash >"$root/etc/back\\slash"
printf dash >"$root/etc/-rf"
printf evil >"$root/etc/two
0000000000000000000000000000000000000000000000000000000000000000  lines"
printf bytes >"$root/etc/$(printf '\303\274\377')"
ln -s ls "$root/usr/bin/dir"
mkfifo "$root/etc/fifo"
for path in proc/cpuinfo run/x tmp/x root/allowlist.txt root/checksum.txt; do
  printf unlisted >"$root/$path"
done
bash "$agent/bin/keylime-allowlist" "$root" >"$work/allowlist" 2>"$work/left"
{
  echo "$(printf '%064d' 0) boot_aggregate"
  echo "$(sha dash)  /etc/-rf"
  echo "$(sha spaced)  /etc/a__file"
  printf '%s  /etc/back\\slash\n' "$(sha slash)"
  printf '%s  /etc/\303\274\377\n' "$(sha bytes)"
  echo "$(sha cat)  /usr/bin/cat"
  echo "$(sha ls)  /usr/bin/ls"
} >"$work/expected"
cmp "$work/expected" "$work/allowlist" || fail "the allowlist is: $(cat "$work/allowlist")"
grep -q 'left out: .*two' "$work/left" || fail 'a name of two lines was not reported'
mkdir "$work/hollow"
[ "$(bash "$agent/bin/keylime-allowlist" "$work/hollow")" = "$(head -n 1 "$work/expected")" ] ||
  fail 'the allowlist of nothing is not the boot aggregate alone'
bash "$agent/bin/keylime-allowlist" "$work/absent" 2>/dev/null && fail 'a list of no image'
passed 'an allowlist, sorted, that no file name can add lines to'

# The lists, into the image, beside it, and to Swift: the last argument is the file, the fourth its name there.
{
  echo '#!/bin/sh'
  # Of the script that is written.
  # shellcheck disable=SC2016
  echo "echo \"\$@\" >>'$work/swift.calls'; cp \"\$5\" '$work/uploaded.'\"\$4\""
} >"$work/swift"
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec "$@"\n' >"$work/sudo"
chmod +x "$work/swift" "$work/sudo"
lists() { # VARIABLE...
  env PATH="$work:$PATH" TARGET_ROOT="$root" IMAGE_NAME="$work/image" DIB_KEYLIME_EXCLUDELIST= \
    DIB_KEYLIME_SWIFT_CONTAINER= "$@" bash "$agent/cleanup.d/98-keylime-lists" 2>"$work/said"
}
lists
cmp "$work/expected" "$root/root/allowlist.txt" || fail 'the image holds another allowlist'
(cd "$root/root" && sha256sum --quiet -c checksum.txt) || fail 'the checksum is wrong'
for name in allowlist checksum; do
  cmp "$root/root/$name.txt" "$work/image-$name.txt" || fail "image-$name.txt is another file"
done
[ ! -e "$work/swift.calls" ] || fail 'lists were uploaded unasked'
echo '/var/cache/' >"$work/excludes"
lists DIB_KEYLIME_SWIFT_CONTAINER=keylime DIB_KEYLIME_EXCLUDELIST="$work/excludes"
for pair in allowlist=image-allowlist.txt allowlist_checksum=image-checksum.txt excludelist=excludes; do
  cmp "$work/uploaded.${pair%=*}" "$work/${pair#*=}" || fail "another ${pair%=*} was uploaded"
done
[ "$(grep -c '^upload keylime --object-name ' "$work/swift.calls")" -eq 3 ] ||
  fail "swift was called: $(cat "$work/swift.calls")"
vectors=$source/tests/vectors/boot/grub-ima-ng
status=0
"$attest" verify --ak "$vectors/ak.tss" --nonce "$(cat "$vectors/nonce.hex")" --ima "$vectors/1-clean/ima.bin" \
  --quote "$vectors/1-clean/quote_sha256.msg" --signature "$vectors/1-clean/quote_sha256.sig" \
  --pcrs "$vectors/1-clean/quote_sha256.pcrs" --allowlist "$work/image-allowlist.txt" \
  --allowlist-checksum "$work/image-checksum.txt" --excludelist "$work/image-excludelist.txt" >"$work/said" 2>&1 || status=$?
{ [ $status -eq 1 ] && grep -q ima-not-listed "$work/said"; } || fail "attest cannot judge by the lists: $(cat "$work/said")"
printf '#!/bin/sh\nexit 1\n' >"$work/swift"
lists DIB_KEYLIME_SWIFT_CONTAINER=keylime && fail 'an upload that failed was no error'
passed 'lists in the image, beside it, and uploaded where asked for'

# The variables.
prepare() { # WORDS VARIABLE...: refused with WORDS, or taken when there are none
  words=$1
  shift
  mkdir -p "$work/hooks"
  status=0
  # The inner shell's.
  # shellcheck disable=SC2016
  env DIB_KEYLIME_AGENT_REGISTRAR_IP=192.0.2.1 DIB_KEYLIME_AGENT_BINARY=/bin/true TMP_HOOKS_PATH="$work/hooks" "$@" \
    bash -c '. "$1" && bash "$2"' - "$agent/environment.d/16-keylime-agent.bash" \
    "$agent/extra-data.d/50-keylime-agent" >"$work/said" 2>&1 || status=$?
  if [ -z "$words" ]; then
    [ $status -eq 0 ] || fail "refused: $* $(cat "$work/said")"
  else
    [ $status -ne 0 ] || fail "not refused: $*"
    grep -q "^keylime-agent: .*$words" "$work/said" || fail "$*: $(cat "$work/said")"
  fi
}
prepare ''
cmp /bin/true "$work/hooks/keylime-agent-files/keylime_agent" || fail 'the binary is not handed on'
prepare '' DIB_KEYLIME_AGENT_REGISTRAR_IP=2001:db8::1 DIB_KEYLIME_AGENT_CA="$work/excludes"
cmp "$work/excludes" "$work/hooks/keylime-agent-files/cacert.crt" || fail 'the CA is not handed on'
prepare 'is not set' DIB_KEYLIME_AGENT_REGISTRAR_IP=
for address in registrar.example 192.0.2 '192.0.2.1" x = "' '0;id'; do
  prepare 'is no address' DIB_KEYLIME_AGENT_REGISTRAR_IP="$address"
done
for port in 0 65536 99999999999999999999 -1 '80 ' 8x; do
  prepare 'PORT is no port' DIB_KEYLIME_AGENT_PORT="$port"
  prepare 'PORT is no port' DIB_KEYLIME_AGENT_REGISTRAR_PORT="$port"
done
prepare 'cannot be read' DIB_KEYLIME_AGENT_BINARY="$work/absent"
prepare 'cannot be read' DIB_KEYLIME_EXCLUDELIST="$work/absent"
prepare 'has no package' DIB_KEYLIME_AGENT_BINARY= DISTRO_NAME=debian
prepare '' DIB_KEYLIME_AGENT_BINARY= DISTRO_NAME=centos
passed 'wrong variables stop the build at its start'

# A node's part of the configuration.
swtpm_make "$work"
swtpm_start "$work"
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm"
conf=$work/keylime/agent.conf.d
mkdir -p "$conf"
printf '[agent]\nregistrar_ip = "127.0.0.1"\n' >"$conf/50-image.conf"
for _ in 1 2; do
  sh "$agent/$libexec/keylime-agent-node" "$work/keylime"
  tpm2_createek -Q -G rsa -c "$work/ek.ctx" -f pem -u "$work/ek.pem"
  tpm2_flushcontext -Q -t
  uuid=$(sha256sum "$work/ek.pem" | cut -d ' ' -f 1)
  printf '[agent]\nuuid = "%s"\nip = "127.0.0.1"\ncontact_ip = "127.0.0.1"\n' "$uuid" |
    cmp - "$conf/60-node.conf" || fail "the node's configuration is: $(cat "$conf/60-node.conf")"
done
[ "$(stat -c %a "$conf/60-node.conf")" = 400 ] || fail 'others may read the configuration'
[ -z "$(tpm2_getcap handles-transient)" ] || fail 'a key was left in the TPM'
printf '[agent]\nregistrar_ip = "no address"\n' >"$conf/50-image.conf"
sh "$agent/$libexec/keylime-agent-node" "$work/keylime" 2>/dev/null && fail 'no route, and no error'
passed "a node's uuid is the hash of its EK"

# libattest and the tenant's script, from where cmake --install put them.
prefix=$work/prefix
mkdir -p "$prefix/bin" "$prefix/lib/triplet"
ln -s "$attest" "$prefix/bin/attest"
printf '#!/bin/sh\necho collect 1\n' >"$prefix/bin/collect"
chmod +x "$prefix/bin/collect"
cp "$source/examples/trusted-instance/trusted-instance.sh" "$prefix/bin/trusted-instance"
chmod +x "$prefix/bin/trusted-instance"
echo library >"$prefix/lib/triplet/libattest.so.1.2.3"
ln -s libattest.so.1.2.3 "$prefix/lib/triplet/libattest.so.1"
echo '{"version": 1}' >"$work/policy.json"
bring() { # WORDS VARIABLE...: refused with WORDS, or taken when there are none
  words=$1
  shift
  rm -rf "$work/hooks"
  mkdir -p "$work/hooks"
  status=0
  # The inner shell's.
  # shellcheck disable=SC2016
  env DIB_TRUSTED_INSTANCE_LIBATTEST="$prefix" TMP_HOOKS_PATH="$work/hooks" "$@" \
    bash -c '. "$1" && bash "$2"' - "$instance/environment.d/16-trusted-instance.bash" \
    "$instance/extra-data.d/50-trusted-instance" >"$work/said" 2>&1 || status=$?
  if [ -z "$words" ]; then
    [ $status -eq 0 ] || fail "refused: $* $(cat "$work/said")"
  else
    [ $status -ne 0 ] || fail "not refused: $*"
    grep -q "^trusted-instance: .*$words" "$work/said" || fail "$*: $(cat "$work/said")"
  fi
}
bring 'is not set' DIB_TRUSTED_INSTANCE_LIBATTEST=
bring 'has no bin/attest' DIB_TRUSTED_INSTANCE_LIBATTEST="$work/hollow"
for flag in TPM12 UNIT; do
  bring 'neither 0 nor 1' "DIB_TRUSTED_INSTANCE_$flag=yes"
  bring 'neither 0 nor 1' "DIB_TRUSTED_INSTANCE_$flag=01"
done
bring 'cannot be read' DIB_TRUSTED_INSTANCE_POLICY="$work/absent"
bring 'is no policy: ' DIB_TRUSTED_INSTANCE_POLICY="$work/expected"
mv "$prefix/bin/collect" "$prefix/bin/absent"
bring 'has no bin/collect'
mv "$prefix/bin/absent" "$prefix/bin/collect"
cp "$prefix/lib/triplet/libattest.so.1.2.3" "$prefix/lib/triplet/libattest.so.1.2.4"
bring 'not exactly one libattest.so'
rm "$prefix/lib/triplet/libattest.so.1.2.4"
mv "$prefix/lib/triplet/libattest.so.1.2.3" "$prefix/library"
bring 'not exactly one libattest.so'
mv "$prefix/library" "$prefix/lib/triplet/libattest.so.1.2.3"
passed 'a libattest or a policy that is none stops the build at its start'

image=$work/image
# The image's scripts, with a folder as the image's root.
in_image() { # SCRIPT VARIABLE...
  script=$1
  shift
  mkdir -p "$work/hooks/${script%%/*}"
  sed "s,/usr/local/,$image/usr/local/,g; s,/etc/trusted,$image/etc/trusted,g" "$instance/$script" >"$work/hooks/$script"
  env PATH="$work:$PATH" "$@" bash "$work/hooks/$script" >"$work/said" 2>&1
}
printf '#!/bin/sh\necho "$@" >>%s\n' "$work/systemctl.calls" >"$work/systemctl"
chmod +x "$work/systemctl"
for policy in '' "$work/policy.json"; do
  rm -rf "$image"
  mkdir -p "$image/usr/local" "$image/etc"
  bring '' DIB_TRUSTED_INSTANCE_POLICY="$policy"
  in_image install.d/80-trusted-instance || fail "install.d: $(cat "$work/said")"
  cmp "$prefix/bin/trusted-instance" "$image/usr/local/bin/trusted-instance" || fail 'another script is in the image'
  for program in attest collect trusted-instance; do
    [ -x "$image/usr/local/bin/$program" ] || fail "$program cannot be run in the image"
  done
  [ "$(cat "$image/usr/local/lib/triplet/libattest.so.1")" = library ] || fail 'the library is not in the image'
  [ -L "$image/usr/local/lib/triplet/libattest.so.1" ] || fail 'the soname is no link'
  [ -d "$image/etc/trusted-instance" ] || fail "the policy's folder is not in the image"
  if [ -n "$policy" ]; then
    cmp "$policy" "$image/etc/trusted-instance/policy.json" || fail 'another policy is in the image'
  else
    [ ! -e "$image/etc/trusted-instance/policy.json" ] || fail 'a policy of nobody is in the image'
  fi
done
in_image post-install.d/90-trusted-instance DIB_TRUSTED_INSTANCE_UNIT=0 || fail "post-install.d: $(cat "$work/said")"
[ ! -e "$work/systemctl.calls" ] || fail 'the unit was enabled unasked'
in_image post-install.d/90-trusted-instance DIB_TRUSTED_INSTANCE_UNIT=1 || fail "post-install.d: $(cat "$work/said")"
[ "$(cat "$work/systemctl.calls")" = 'enable trusted-instance.service' ] || fail 'the unit is not enabled'
in_image post-install.d/90-trusted-instance DIB_TRUSTED_INSTANCE_UNIT=1 DIB_INIT_SYSTEM=upstart &&
  fail 'a unit without systemd, and no error'
printf '#!/bin/sh\nexit 127\n' >"$image/usr/local/bin/collect"
in_image post-install.d/90-trusted-instance DIB_TRUSTED_INSTANCE_UNIT=0 && fail 'a program that does not start, and no error'
grep -q 'trusted-instance: collect does not run in this image' "$work/said" || fail "post-install.d: $(cat "$work/said")"
passed 'libattest, the script, the policy and, where asked for, the unit are in the image'

# The software TPM's PCR after the emulator read a real kernel's list is what the list replays to. PCR 16
# stands for 10, because it can be reset.
sed 's/yield number(data, at), /yield 16, /' "$emulator/$libexec/tpm-emulator-ima" >"$work/emulate"
cmp -s "$work/emulate" "$emulator/$libexec/tpm-emulator-ima" && fail 'the emulator extends another PCR'
for list in "$source"/tests/vectors/boot/grub-ima-ng/*/ima.bin "$source"/tests/vectors/boot/shim-sb-ima-sig/*/ima.bin; do
  tpm2_pcrreset -Q 16
  /usr/bin/python3 -B "$work/emulate" "$list" --once
  for bank in sha1 sha256; do
    tpm2_pcrread -Q -o "$work/pcr" $bank:16
    "$attest" ima "$list" --bank $bank --json |
      /usr/bin/python3 -c 'import json, sys; print(end=json.load(sys.stdin)["pcrs"]["10"])' >"$work/replayed"
    od -An -v -tx1 "$work/pcr" | tr -d ' \n' | cmp - "$work/replayed" || fail "$list: another PCR in $bank"
  done
done
passed 'the emulated IMA extends as the kernel does'
