#!/bin/sh -eu
# The functions of the headers, the version script and the library are the same set, and every one
# of them has its version. Each number of the headers is in header_test.c.
# usage: symbols.sh SOURCE_DIR LIBRARY
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
cat "$1"/include/libattest/*.h | tr '\n' ' ' | sed 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' |
  grep -oE '\battest_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$t/header"
grep -oE '^ *attest_[a-z0-9_]+;' "$1/libattest/libattest.map" | tr -d ' ;' | sort >"$t/map"
nm -D --defined-only "$2" | awk '$2 != "A" { print $3 }' >"$t/exported"
sed 's/@.*//' "$t/exported" | sort >"$t/library"
[ -s "$t/header" ] || { echo "no functions were found in $1/include"; exit 1; }
diff -u "$t/header" "$t/map"
diff -u "$t/map" "$t/library"
if grep -v '@@LIBATTEST_[0-9.]*$' "$t/exported"; then
  echo "these have no version"
  exit 1
fi
cat "$1"/include/libattest/*.h | grep -oE '^  ATTEST_[A-Z0-9_]+' | tr -d ' ' | sort -u |
  while read -r name; do
    grep -q "^SAME($name," "$1/tests/abi/header_test.c" || { echo "header_test.c lacks $name"; exit 1; }
  done
