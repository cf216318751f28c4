#!/bin/sh
# Where libpq-fe.h is missing, the core builds all the same, one line says what was left out, and nothing of
# libcredit-postgres is installed; where it was asked for, make says what is missing instead.
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

# A libpq-fe.h that cannot be compiled stands for one that is not there.
mkdir "$work/include"
echo '#error not here' >"$work/include/libpq-fe.h"
make_() {
    "${MAKE-make}" BUILD="$work/build" CC="${CC-cc}" CPPFLAGS="-I$work/include" CFLAGS=-O0 DESTDIR="$work/stage" \
        prefix=/usr "$@" 2>&1
}
make_ >"$work/log" || { cat "$work/log"; fail "the core does not build without libpq"; }
[ "$(grep -c '^PostgreSQL: .* left out$' "$work/log")" = 1 ] || { cat "$work/log"; fail "not one line says what is left out"; }
[ -e "$work/build/libcredit.so" ] && [ -e "$work/build/libcredit.a" ] || fail "libcredit was not built"
! "$work/build/credits" --store postgres: verify >"$work/said" 2>&1 || fail "the program credits opens what it was built without"
[ "$(cat "$work/said")" = "credits: this program was built without PostgreSQL" ] || fail "credits says:" $(cat "$work/said")
make_ install >"$work/log" || { cat "$work/log"; fail "install fails without libpq"; }
found=$(find "$work/build" "$work/stage" -name '*postgres*')
[ -z "$found" ] || fail "left in:" $found
! make_ WITH_POSTGRES=yes >"$work/log" || fail "WITH_POSTGRES=yes is no error without libpq"
