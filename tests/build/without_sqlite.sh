#!/bin/sh
# Where sqlite3.h is missing, the core builds all the same, one line says what was left out, and nothing of
# libcredit-sqlite is installed; where it was asked for, make says what is missing instead.
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

# An sqlite3.h that cannot be compiled stands for one that is not there.
mkdir "$work/include"
echo '#error not here' >"$work/include/sqlite3.h"
make_() {
    "${MAKE-make}" BUILD="$work/build" CC="${CC-cc}" CPPFLAGS="-I$work/include" CFLAGS=-O0 DESTDIR="$work/stage" \
        prefix=/usr "$@" 2>&1
}
make_ >"$work/log" || { cat "$work/log"; fail "the core does not build without SQLite"; }
[ "$(grep -c '^SQLite: .* left out$' "$work/log")" = 1 ] || { cat "$work/log"; fail "not one line says what is left out"; }
[ -e "$work/build/libcredit.so" ] && [ -e "$work/build/libcredit.a" ] || fail "libcredit was not built"
! "$work/build/credits" --store sqlite:x verify >"$work/said" 2>&1 || fail "the program credits opens what it was built without"
[ "$(cat "$work/said")" = "credits: this program was built without SQLite" ] || fail "credits says:" $(cat "$work/said")
make_ install >"$work/log" || { cat "$work/log"; fail "install fails without SQLite"; }
found=$(find "$work/build" "$work/stage" -name '*sqlite*')
[ -z "$found" ] || fail "left in:" $found
! make_ WITH_SQLITE=yes >"$work/log" || fail "WITH_SQLITE=yes is no error without SQLite"
