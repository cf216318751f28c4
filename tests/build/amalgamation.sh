#!/bin/sh
# credit.c and credit.h: made alike on any machine, compiled without a warning, small, C++11-clean, and doing what the
# library does. More compilers and machines: make portability.
set -eu
BUILD=${BUILD-build} CC=${CC-cc} CXX=${CXX-c++}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
warnings='-Wall -Wextra -Werror -pedantic-errors'
copy=$work/copy

sh tools/amalgamate.sh "$copy" "$VERSION"
(umask 077; LC_ALL=C.UTF-8 TZ=Asia/Tokyo sh "$PWD/tools/amalgamate.sh" "$work/again" "$VERSION")
cmp "$copy/credit.c" "$work/again/credit.c" && cmp "$copy/credit.h" "$work/again/credit.h" || fail "made twice, and different"

# The journal must be the library's, to the byte.
$CC -std=c99 -Iinclude -o "$work/smoke" tests/smoke/smoke.c "$BUILD/libcredit.a"
"$work/smoke" 5 >"$work/expected"

# Takes CC, its options, and what to call the object: compiles, links the smoke test, compares what it does and what is global.
take() { # NAME CC OPTIONS
    name=$1 cc=$2 options=$3 space=
    case $options in *CRD_NAMESPACE=*) space=${options##*CRD_NAMESPACE=} space=${space%% *} ;; esac
    began=$(date +%s)
    $cc -std=c99 $warnings $options -c -o "$work/$name.o" "$copy/credit.c" || fail "$cc $options does not take credit.c"
    took=$(($(date +%s) - began))
    $cc -std=c99 $warnings $options -I"$copy" -Dmain="${space}main" -c -o "$work/$name-smoke.o" tests/smoke/smoke.c \
        || fail "$cc $options does not take the smoke test"
    nm -g --defined-only "$work/$name.o" | awk '{ print $3 }' | LC_ALL=C sort >"$work/global"
    awk -v space="$space" '/^\[/ { on = $1 == "[credit]"; next } on && $1 ~ /^crd_/ { print space $1 }' lib/credit.sym \
        | LC_ALL=C sort | cmp -s - "$work/global" || fail "$cc $options: credit.o has other global names than lib/credit.sym"
    set -- $(size "$work/$name.o" | tail -n 1)
    bytes=$4
    echo "credit.o by $cc $options: $bytes bytes, $took s"
}
does() { # NAME CC: what the library does
    $2 -o "$work/$1" "$work/$1.o" "$work/$1-smoke.o" || fail "$1 does not link"
    "$work/$1" 5 | cmp -s - "$work/expected" || fail "$1 with $2 writes another journal: $("$work/$1" 5)"
}

take small "$CC" -Os
does small "$CC"
# Clang inlines more at -Os; the promise is gcc's figure.
case $($CC --version) in
*clang*) ;;
*)
    echo "DID credit.o for $(uname -m) by $CC -Os: $bytes bytes of object code in $took s"
    [ "$(uname -m)" != x86_64 ] || [ "$bytes" -lt 250000 ] || fail "credit.o must stay under 250 KB"
    ;;
esac

# Two copies in one program, each in a namespace of its own: by two compilers, where there are two.
other=clang
command -v clang >/dev/null || { other=$CC; echo "SKIP amalgamation with clang: not installed"; }
take one "$other" "-O0 -DCRD_NAMESPACE=one_"
take two "$CC" "-O0 -DCRD_NAMESPACE=two_"
$CC -o "$work/both" tests/smoke/two.c "$work"/one*.o "$work"/two*.o
cat "$work/expected" "$work/expected" >"$work/twice"
"$work/both" 5 | cmp -s - "$work/twice" || fail "two copies in one program do not do what one does"
if [ -n "${CREDIT_TEST_LONG-}" ] && command -v clang >/dev/null; then
    for options in -Os -O3; do
        take "clang$options" clang "$options"
        does "clang$options" clang
    done
fi

# As C++11: the header under hostile warnings, and a host.
if command -v $CXX >/dev/null; then
    echo '#include "credit.h"' | $CXX -std=c++11 $warnings -Wconversion -Wshadow -Wundef -Wold-style-cast -Wcast-qual \
        -Wzero-as-null-pointer-constant -I"$copy" -fsyntax-only -x c++ - || fail "credit.h is no clean C++11"
    $CXX -std=c++11 $warnings -I"$copy" -o "$work/plus" -x c++ tests/smoke/smoke.c -x none "$work/small.o"
    "$work/plus" 5 | cmp -s - "$work/expected" || fail "another journal from C++"
else
    echo "SKIP amalgamation as C++: no $CXX"
fi

# With SQLite beside it: two files and a flag. And the unit tests of the core and one of the ledger on that object;
# CREDIT_TEST_LONG: all there are.
flags='' sqlite='' lib=$BUILD/obj/tests/support
if [ -n "${HAVE_SQLITE-}" ]; then
    flags=-DCRD_WITH_SQLITE sqlite="$(${PKG_CONFIG-pkg-config} --cflags --libs sqlite3 2>/dev/null || echo -lsqlite3)"
fi
# What the tests use beside: the conformance kit's shims, and PostgreSQL, where their worlds may lie.
others=$BUILD/libcredit-testkit.a
if [ -n "${HAVE_POSTGRES-}" ]; then
    others="$BUILD/libcredit-postgres.a $others $(${PKG_CONFIG-pkg-config} --libs libpq 2>/dev/null || echo -lpq)"
fi
$CC -std=c99 $warnings -O0 $flags -DCRD__LOCAL= -c -o "$work/open.o" "$copy/credit.c" \
    || fail "credit.c does not compile with $flags"
check=$(${PKG_CONFIG-pkg-config} --libs check 2>/dev/null || echo -lcheck)
if [ -n "${CREDIT_TEST_LONG-}" ]; then tests=$(ls "$BUILD"/obj/tests/*/test_*.o)
else tests=$(ls "$BUILD"/obj/tests/core/test_*.o "$BUILD"/obj/tests/ledger/test_apply.o); fi
ran=0
for test in $tests; do
    # What an earlier build left behind does not count.
    source=${test#"$BUILD"/obj/}
    [ -e "${source%.o}.c" ] || continue
    $CC -o "$work/test" "$test" "$lib"/*.o "$work/open.o" -Wl,--as-needed $others $check $sqlite 2>"$work/log" \
        || { cat "$work/log"; fail "$source does not link with credit.c"; }
    "$work/test" >"$work/log" 2>&1 || { cat "$work/log"; fail "$source fails with credit.c"; }
    ran=$((ran + 1))
done
echo "DID $ran test programs on credit.c"
