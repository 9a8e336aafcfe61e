#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# /sbin/init of the guest: takes evidence with collect at two moments, hands it out as a tar on
# /dev/vdc and powers off.
export PATH=/usr/bin:/bin LD_LIBRARY_PATH=/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu
mount -t securityfs securityfs /sys/kernel/security
mount -t tmpfs tmpfs /tmp
mkdir /tmp/out
cd /tmp/out || exit 1

# Not on the kernel's command line, which is measured: each boot has another nonce.
read -r nonce </dev/vdc

# The key stays in the TPM, so that a policy made after one boot can pin it for the next.
take() {
  collect --nonce "$nonce" --output "$1" --pcrs "sha256:0-15,17-22+sha1:0-10,14" \
    --ak-handle 0x81010002 --tcti device:/dev/tpmrm0
  echo "GUEST: $1: collect ended with $?"
}

/opt/good/echo 'GUEST: a known program ran'
take 1-clean
/opt/evil/echo 'GUEST: an unknown program ran'
take 2-tampered

cat /sys/kernel/security/ima/ascii_runtime_measurements >ima.ascii
cat /proc/cmdline >cmdline
tar -cf /dev/vdc .
sync
echo 'GUEST: done'
poweroff -f
