#!/bin/sh
# ./configure changes nothing but variables: with the same options, plain make and configured make give the same
# objects and the same exported names. Its options reach the Makefile.
set -eu
command -v autoconf >/dev/null || { echo "SKIP no autoconf"; exit 77; }
unset MAKEFLAGS MFLAGS MAKELEVEL
BUILD=${BUILD-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
cp -R Makefile configure.ac credits.pc.in include lib tools "$work"
cd "$work"
rm -f config.mak
run() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "failed: $*"; }; }

run autoconf -Wall
[ ! -s log ] || { cat log; fail "autoconf warns"; }
run ./configure CC="${CC-cc}" CFLAGS="${CFLAGS--O2 -g}" CPPFLAGS="${CPPFLAGS-}" LDFLAGS="${LDFLAGS-}" --prefix=/opt/c \
    --libdir=/opt/c/lib64 "$([ -n "${HAVE_SQLITE-}" ] && echo --with-sqlite || echo --without-sqlite)" \
    "$([ -n "${HAVE_POSTGRES-}" ] && echo --with-postgres || echo --without-postgres)"
made=$(ls -A | grep -vxE 'Makefile|configure.ac|credits.pc.in|include|lib|tools|log|autom4te.cache|configure|config\.(mak|log|status)' || true)
[ -z "$made" ] || fail "configure also made:" $made
run "${MAKE-make}" BUILD=build
for object in $(cd build/obj && find lib -name '*.o'); do
    objcopy -g "build/obj/$object" one.o
    objcopy -g "$BUILD/obj/$object" other.o
    cmp -s one.o other.o || fail "$object differs when configured"
done
nm -D --defined-only build/libcredit.so | awk '{ print $2, $3 }' >configured
nm -D --defined-only "$BUILD/libcredit.so" | awk '{ print $2, $3 }' | cmp -s - configured || fail "exported names differ"

run "${MAKE-make}" BUILD=build install-pc DESTDIR="$work/stage"
grep -qx 'libdir=${prefix}/lib64' stage/opt/c/lib64/pkgconfig/credits.pc || fail "--libdir does not reach credits.pc"

run ./configure CC="${CC-cc}" --disable-shared --without-sqlite --without-postgres
"${MAKE-make}" BUILD=other -n all install >log 2>&1 || { cat log; fail "make -n fails"; }
! grep -E -- '-shared|libcredit-(sqlite|postgres)\.a' log || fail "what was disabled would be built"
