#!/bin/sh
# ./configure changes nothing but variables: with the same options, plain make and configured make run the same commands,
# word by word, and so give the same objects and the same exported names. CREDIT_TEST_LONG: build, and compare those too.
# --host names a cross compiler, which comes with its own ar and finds no library of this machine.
set -eu
command -v autoconf >/dev/null || { echo "SKIP no autoconf"; exit 77; }
unset MAKEFLAGS MFLAGS MAKELEVEL
BUILD=${BUILD-build} CC=${CC-cc} CFLAGS=${CFLAGS--O2 -g} CPPFLAGS=${CPPFLAGS-} LDFLAGS=${LDFLAGS-}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
cp -R Makefile configure.ac credits.pc.in include lib man tools "$work"
cd "$work"
rm -f config.mak
ls -A >before
run() { "$@" >log 2>&1 || { cat log; fail "failed: $*"; }; }
make_() { run "${MAKE-make}" "$@"; }

run autoconf -Wall
[ ! -s log ] || { cat log; fail "autoconf warns"; }
configure() { run ./configure CC="$CC" CFLAGS="$CFLAGS" CPPFLAGS="$CPPFLAGS" LDFLAGS="$LDFLAGS" "$@"; }
same() { # VARIABLES OPTIONS: what make would run to build and install is the same
    configure $2
    make_ -n all install BUILD=out
    mv log configured
    mv config.mak off
    make_ -n all install BUILD=out AR=ar CC="$CC" CFLAGS="$CFLAGS" CPPFLAGS="$CPPFLAGS" LDFLAGS="$LDFLAGS" $1
    mv off config.mak
    grep -q -- ' -c -o ' log || fail "make -n tells nothing"
    diff log configured >differ || { head -n 20 differ; fail "configured by $2, make runs other commands than with $1"; }
}
same '' ''
made=$(ls -A | grep -vxF -f before | grep -vxE \
    'before|log|configured|differ|autom4te.cache|configure|config\.(mak|log|status)' || true)
[ -z "$made" ] || fail "configure also made:" $made
same 'prefix=/opt/c libdir=/opt/c/lib64 bindir=/opt/bin mandir=/opt/man WITH_POSTGRES=no ENABLE_STATIC=no' \
    '--prefix=/opt/c --libdir=/opt/c/lib64 --bindir=/opt/bin --mandir=/opt/man --without-postgres --disable-static'
same 'prefix=/usr WITH_SQLITE=no WITH_POSTGRES=no ENABLE_SHARED=no' \
    '--prefix=/usr --without-sqlite --without-postgres --disable-shared'
! grep -E -- ' -shared |libcredit-(sqlite|postgres)\.|storage/(sqlite|postgres)_' configured || fail "what was disabled would be built"

# What was asked for and is not there is an error.
configure --with-sqlite --with-postgres
for header in sqlite3.h libpq-fe.h; do
    mkdir "no-$header"
    echo '#error not here' >"no-$header/$header"
    ! "${MAKE-make}" -n CPPFLAGS="-I$PWD/no-$header" all >log 2>&1 || fail "--with-… is no error without $header"
    grep -q "finds no $header" log || { cat log; fail "without $header, another error"; }
done

cross() ( # HOST: CC and ar are that machine's, and the adapters are there when its libraries are
    command -v "$1-gcc" >/dev/null || { echo "SKIP --host=$1: no $1-gcc"; return 0; }
    run env -u CC -u AR -u PKG_CONFIG -u CFLAGS -u CPPFLAGS -u LDFLAGS ./configure --host="$1"
    [ "$(sed -n 's/^CC = //p; s/^AR = //p' config.mak | tr '\n' ' ')" = "$1-gcc $1-ar " ] \
        || fail "--host=$1 is not heard: $(grep -E '^(CC|AR) ' config.mak)"
    make_ -n all BUILD=out
    mv log configured
    mv config.mak off
    unset CFLAGS CPPFLAGS LDFLAGS
    make_ -n all BUILD=out CC="$1-gcc"
    mv off config.mak
    sed 's/^[^ ]*ar qcs/ar qcs/' configured >one
    sed 's/^[^ ]*ar qcs/ar qcs/' log | diff - one >differ || { head -n 20 differ; fail "--host=$1 differs from CC=$1-gcc"; }
    [ -n "${CREDIT_TEST_LONG-}" ] || return 0
    make_ BUILD="$1" CFLAGS=-O0
    for library in "$1"/libcredit*.a; do
        "$1-nm" -s "$library" | grep -q '^crd_.* in ' || fail "$library has no index"
    done
    mkdir "$1/one"
    (cd "$1/one" && "$1-ar" x ../libcredit.a)
    formats=$("$1-objdump" -f "$1"/one/*.o | sed -n 's/.*file format //p' | sort -u)
    echo "$1: objects are $formats"
    case $1:$formats in aarch64-*:elf64-littleaarch64 | x86_64-w64-*:pe-x86-64) ;; *) fail "not for $1: $formats" ;; esac
)
cross aarch64-linux-gnu
cross x86_64-w64-mingw32

[ -n "${CREDIT_TEST_LONG-}" ] || exit 0
configure "$([ -n "${HAVE_SQLITE-}" ] && echo --with-sqlite || echo --without-sqlite)" \
    "$([ -n "${HAVE_POSTGRES-}" ] && echo --with-postgres || echo --without-postgres)"
make_ BUILD=build
for object in $(cd build/obj && find lib -name '*.o'); do
    objcopy -g "build/obj/$object" one.o
    objcopy -g "$BUILD/obj/$object" other.o
    cmp -s one.o other.o || fail "$object differs when configured"
done
for library in build/libcredit*.so; do
    nm -D --defined-only "$library" | awk '{ print $2, $3 }' >one
    nm -D --defined-only "$BUILD/${library##*/}" | awk '{ print $2, $3 }' | cmp -s - one || fail "$library exports other names"
done
