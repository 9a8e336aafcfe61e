#!/bin/sh -eu
# Installs the library, moves the installed tree, and builds programs against it: with CMake's
# find_package, and with pkg-config.
# usage: install_test.sh SOURCE_DIR BUILD_DIR LIBDIR CMAKE CC CXX
source=$1 build=$2 libdir=$3 cmake=$4 CC=$5 CXX=$6
export CC CXX
here=$build/tests/install
rm -rf "$here/staged" "$here/prefix" "$here/consumer"
for component in runtime development; do
  "$cmake" --install "$build" --prefix "$here/staged" --component $component >/dev/null
done
mv "$here/staged" "$here/prefix"
prefix=$here/prefix

echo "-- the shared library has its soname, and nothing of the build tree in it"
[ -L "$prefix/$libdir/libattest.so" ]
[ -L "$prefix/$libdir/libattest.so.0" ]
if readelf -d "$prefix/$libdir/libattest.so" | grep -E 'R(UN)?PATH'; then exit 1; fi

echo "-- find_package"
"$cmake" -S "$source/tests/install/find_package" -B "$here/consumer" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
"$cmake" --build "$here/consumer" >/dev/null
"$here/consumer/consumer_c"
"$here/consumer/consumer_cc"
echo "-- pkg-config"
PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
LD_LIBRARY_PATH=$prefix/$libdir
export PKG_CONFIG_PATH LD_LIBRARY_PATH
[ "$(pkg-config --modversion libattest)" = "$(sed -n 's/^project(libattest VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")" ]
# shellcheck disable=SC2046  # pkg-config's answer is a list of words
$CC -std=c99 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/consumer.c" \
  $(pkg-config --cflags --libs libattest) -o "$here/by_pkg_config"
"$here/by_pkg_config"
# shellcheck disable=SC2046
$CXX -std=c++17 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/consumer.cc" \
  $(pkg-config --cflags --libs libattest) -o "$here/by_pkg_config_cxx"
"$here/by_pkg_config_cxx"
