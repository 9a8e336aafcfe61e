#!/bin/sh -eu
# Who includes what: the arrows between libattest's folders, and the one folder of each dependency; and
# which of OpenStack's plug-ins imports which.
# usage: layers.sh SOURCE_DIR
cd "$1"
bad=0
complain() { echo "not allowed: $1"; bad=1; }

# Each layer's arrows, with all that they lead to.
allowed() {
  case $1 in
    base) echo base ;;
    crypto) echo crypto base ;;
    tpm) echo tpm crypto base ;;
    eventlog) echo eventlog tpm crypto base ;;
    ima) echo ima tpm crypto base ;;
    json) echo json base ;;
    policy) echo policy json tpm crypto base ;;
    verify) echo verify policy eventlog ima json tpm crypto base ;;
    boot | vtpm | cache) echo "$1" base ;;
    net) echo net json crypto base ;;
    api) echo api verify policy eventlog ima boot vtpm cache net json tpm crypto base ;;
  esac
}
# The one layer that may include headers beginning so.
owner() {
  case $1 in
    openssl) echo crypto ;;
    tss2 | zlib.h) echo tpm ;;
    rapidjson) echo json ;;
    re2) echo policy ;;
    curl) echo net ;;
  esac
}

includes=$(mktemp)
trap 'rm -f "$includes"' EXIT
find libattest bindings examples \( -name '*.h' -o -name '*.c' -o -name '*.cc' -o -name '*.hpp' \) \
  -exec grep -HoE '^ *# *include *[<"][^>"]*[>"]' {} + |
  sed -E 's/: *# *include *[<"]([^>"]*)[>"]/ \1/' | sort -u >"$includes"
[ "$(grep -c '^libattest/' "$includes")" -gt 50 ] || complain "no includes were found in $1"

while read -r file header; do
  layer=$(echo "$file" | cut -d/ -f2)
  case $file in
    libattest/*)
      case $header in
        libattest/*/*)
          to=$(echo "$header" | cut -d/ -f2)
          case " $(allowed "$layer") " in
            *" $to "*) ;;
            *) complain "$file includes $header: $layer -> $to" ;;
          esac ;;
        libattest/*)
          [ "$layer" = api ] || complain "$file includes the public $header" ;;
        *)
          only=$(owner "${header%%/*}")
          [ -z "$only" ] || [ "$layer" = "$only" ] || complain "$file includes <$header>: only $only/ may" ;;
      esac ;;
    *)
      case $header in
        libattest/*/* | ../*) complain "$file includes $header: only include/ is for it" ;;
      esac ;;
  esac
done <"$includes"

# The plug-ins of OpenStack: Ironic's and Nova's do not know each other, and what both have knows neither.
plugins=bindings/openstack
knows() { # FOLDER PACKAGES
  [ -d "$plugins/$1" ] || complain "there is no $plugins/$1"
  found=$(grep -rEn --include='*.py' "^ *(from|import) ($2)\\b" "$plugins/$1") || return 0
  complain "$found"
}
knows libattest_ironic 'libattest_nova|nova'
knows libattest_nova 'libattest_ironic|ironic'
knows libattest_openstack 'libattest_nova|libattest_ironic|ironic|nova'
exit $bad
