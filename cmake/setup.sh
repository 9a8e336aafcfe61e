#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing and nothing else; asks no questions.
# usage: sh cmake/setup.sh [--print] SET...
#   build       what libattest, its commands and the Python extension are built with
#   quickstart  the software TPM of examples/quickstart.sh
#   test        what tests/run.sh runs
#   openstack   the services that tests/openstack runs
#   boot        the emulator and boot loaders of the tests that boot a machine
#   image       what diskimage-builder needs of the machine
# --print only lists the packages of the sets.
set -eu

# python3 is named because another one may be first on PATH, and the binding is built for Debian's.
build='g++ gcc cmake ninja-build pkg-config libssl-dev libcurl4-openssl-dev libtss2-dev rapidjson-dev libre2-dev zlib1g-dev
  pybind11-dev python3-pybind11 python3-dev python3'
quickstart='swtpm swtpm-tools libtss2-tcti-swtpm0 python3'
test='catch2 clang llvm-14 libclang-rt-14-dev clang-tidy-14 clang-format-14 cppcheck shellcheck codespell gcovr
  mypy python3-gpg python3-pytest python3-venv tpm2-tools ima-evm-utils libtss2-tcti-device0 libtss2-tcti-swtpm0
  libtss2-tcti-cmd0 swtpm swtpm-tools trousers tpm-tools tpm-quote-tools valgrind strace man-db mandoc
  libbenchmark-dev openssl iproute2'
openstack='python3-ironic python3-swift python3-swiftclient python3-oslotest python3-testtools python3-fixtures
  python3-webtest python3-yaml python3-venv python3-ironicclient tpm2-tools swtpm swtpm-tools openssl
  python3-nova python3-placement python3-oslo.limit python3-testscenarios python3-wsgi-intercept python3-ddt
  python3-requests-mock python3-gabbi python3-stestr rabbitmq-server'
boot='qemu-system-x86 ovmf seabios ipxe-qemu pxelinux syslinux-common busybox-static kmod cpio mtools dosfstools fdisk e2fsprogs
  grub-efi-amd64-bin grub-common shim-signed grub-efi-amd64-signed libtss2-tcti-device0'
image='debootstrap sudo qemu-utils python3-venv'

print=no
if [ "${1-}" = --print ]; then
  print=yes
  shift
fi
[ $# -gt 0 ] || { echo 'usage: setup.sh [--print] build|quickstart|test|openstack|boot|image ...' >&2; exit 2; }

wanted=
for set in "$@"; do
  case $set in
    build) wanted="$wanted $build" ;;
    quickstart) wanted="$wanted $quickstart" ;;
    test) wanted="$wanted $test" ;;
    openstack) wanted="$wanted $openstack" ;;
    boot) wanted="$wanted $boot" ;;
    image) wanted="$wanted $image" ;;
    *) echo "setup.sh: no package set '$set'" >&2; exit 2 ;;
  esac
done

if [ "$print" = yes ]; then
  # Unquoted to split the list.
  # shellcheck disable=SC2086
  printf '%s\n' $wanted | sort -u
  exit 0
fi

missing=
for package in $wanted; do
  case " $missing " in *" $package "*) continue ;; esac
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: run it as root, or install these packages:$missing" >&2
    exit 1
  }
  as_root=sudo
fi

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Tests start their own rabbitmq-server: that of the package must not start when it is installed.
keep_stopped() {
  [ ! -e /usr/sbin/policy-rc.d ] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$log.policy"
  $as_root install -m 755 "$log.policy" /usr/sbin/policy-rc.d
  policy=/usr/sbin/policy-rc.d
}

clean_up() {
  rm -f "$log" "$log.policy"
  [ -z "$policy" ] || $as_root rm -f "$policy"
}

install() {
  # shellcheck disable=SC2086
  apt install -y --no-install-recommends $missing
}

# The lists of a fresh machine are empty, and those of an old one name packages that are gone.
log=$(mktemp)
policy=
trap clean_up EXIT
case $missing in *rabbitmq-server*) keep_stopped ;; esac
echo "setup.sh: installing$missing"
if ! install >"$log" 2>&1; then
  echo 'setup.sh: refreshing the package lists first'
  if ! { apt update && install; } >"$log" 2>&1; then
    cat "$log" >&2
    echo 'setup.sh: apt-get could not install the packages' >&2
    exit 1
  fi
fi
