#!/bin/sh
# The .def file of each DLL lists what lib/credit.sym lists. CREDIT_TEST_LONG, and a mingw compiler: the DLLs export just
# that, need nothing but Windows, and are installed with import library and .def file where Windows programs look;
# uninstall takes all of it away. That programs run with them: make consumers.
set -eu
LC_ALL=C; export LC_ALL
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
listed() { # LIBRARY: its section of lib/credit.sym
    sed -n "/^\[$1\]/,/^\[/s/^\(crd_[a-z0-9_]*\) .*/\1/p" lib/credit.sym | sort
}

for part in credit credit-testkit credit-sqlite credit-postgres; do
    listed "$part" >"$work/$part.listed"
    [ -s "$work/$part.listed" ] || fail "lib/credit.sym has no [$part]"
    sh tools/gen-def.sh "$part" lib/credit.sym >"$work/$part.def"
    [ "$(sed -n 1,2p "$work/$part.def" | tr '\n' ' ')" = "LIBRARY $part.dll EXPORTS " ] || fail "$part.def does not name $part.dll"
    sed '1,2d; s/^    //' "$work/$part.def" | sort | diff "$work/$part.listed" - || fail "$part.def has other names"
done

[ -n "${CREDIT_TEST_LONG-}" ] || exit 0
host=x86_64-w64-mingw32
command -v "$host-gcc" >/dev/null || { echo "SKIP DLLs: no $host-gcc (Debian: gcc-mingw-w64-x86-64)"; exit 0; }
BUILD=${BUILD-build}/mingw
make_() { "${MAKE-make}" -s CC="$host-gcc" BUILD="$BUILD" CFLAGS='-O2 -g' WERROR=1 "$@" >"$work/log" 2>&1 \
    || { cat "$work/log"; fail "make $* fails"; }; }
make_ install DESTDIR="$work/stage" prefix=/p
tree=$work/stage/p
for part in credit credit-testkit; do
    for file in "bin/$part.dll" "lib/lib$part.dll.a" "lib/$part.def" "lib/lib$part.a"; do
        [ -f "$tree/$file" ] || fail "not installed: $file"
    done
    cmp "$work/$part.def" "$tree/lib/$part.def"
    "$host-objdump" -p "$tree/bin/$part.dll" >"$work/dump"
    sed -n '/Ordinal\/Name Pointer/,$s/.*[] ]\(crd_[a-z0-9_]*\)$/\1/p' "$work/dump" | sort \
        | diff "$work/$part.listed" - || fail "$part.dll exports other names"
    [ "$(sed -n 's/^Name[ 	]*[0-9a-f]* //p' "$work/dump")" = "$part.dll" ] || fail "$part.dll has another name inside"
    needs=$(sed -n 's/.*DLL Name: //p' "$work/dump" | grep -viE '^(kernel32|msvcrt|ucrtbase|api-ms-win-.*)\.dll$' | tr '\n' ' ')
    case $part:$needs in credit: | 'credit-testkit:credit.dll ') ;; *) fail "$part.dll needs $needs" ;; esac
    # Whoever links the archive exports nothing.
    ! "$host-objdump" -s -j .drectve "$tree/lib/lib$part.a" 2>/dev/null | grep -q 'Contents of section' || fail "lib$part.a makes programs export"
done
strays=$(find "$tree" ! -type d | grep -E '\.so|sqlite|postgres' || true)
[ -z "$strays" ] || fail "also installed:" $strays
make_ uninstall DESTDIR="$work/stage" prefix=/p
[ "$(find "$work/stage" | wc -l)" = 1 ] || fail "uninstall left" $(find "$work/stage")

# Either kind alone, beside files of others.
for kind in STATIC SHARED; do
    mkdir -p "$work/$kind/bin" "$work/$kind/lib"
    touch "$work/$kind/bin/other.dll" "$work/$kind/lib/libother.dll.a"
    make_ install prefix="$work/$kind" "ENABLE_$kind=no"
    found=$(cd "$work/$kind" && find bin lib -maxdepth 1 -name '*credit*' ! -name '*testkit*' -type f | sort | tr '\n' ' ')
    case $kind:$found in
    "STATIC:bin/credit.dll bin/credits.exe lib/credit.def lib/libcredit.dll.a " | "SHARED:bin/credits.exe lib/libcredit.a ") ;;
    *) fail "ENABLE_$kind=no installs $found" ;;
    esac
    make_ uninstall prefix="$work/$kind"
    [ "$(cd "$work/$kind" && find . -type f | sort | tr '\n' ' ')" = "./bin/other.dll ./lib/libother.dll.a " ] \
        || fail "uninstall left or took" $(find "$work/$kind" -type f)
done
echo "DLLs: exports, names, places"
