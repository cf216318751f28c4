#!/bin/sh
# Where sqlite3.h or libpq-fe.h is missing, the core builds all the same, one line says what was left out, and nothing of
# that adapter is built or installed.
set -eu
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

# A header that cannot be compiled stands for one that is not there.
mkdir "$work/no-sqlite" "$work/no-postgres"
echo '#error not here' >"$work/no-sqlite/sqlite3.h"
echo '#error not here' >"$work/no-postgres/libpq-fe.h"
make_() { # CPPFLAGS …
    without=$1
    shift
    "${MAKE-make}" BUILD="$work/build" CC="${CC-cc}" CPPFLAGS="$without" CFLAGS=-O0 DESTDIR="$work/stage" prefix=/usr "$@" 2>&1
}

# One of them: what make would do.
[ -z "${HAVE_SQLITE-}" ] || [ -z "${HAVE_POSTGRES-}" ] || for pair in sqlite:postgres postgres:sqlite; do
    gone=${pair%:*} there=${pair#*:}
    make_ "-I$work/no-$gone" -n all install >"$work/log" || { cat "$work/log"; fail "make -n fails without $gone"; }
    [ "$(grep -c "left out" "$work/log")" = 1 ] || fail "without $gone, not one line says what is left out"
    ! grep -E "libcredit-$gone\.|credit_$gone\.3|credit/$gone\.h|storage/${gone}_" "$work/log" \
        || fail "without $gone, make would run the above"
    for file in "libcredit-$there.a" "libcredit-$there.so" "man/credit_$there.3" "credits-$there.pc" "credit/$there.h"; do
        grep -qF "$file" "$work/log" || fail "without $gone, $file is left out too"
    done
done

# Both: what it does.
without="-I$work/no-sqlite -I$work/no-postgres"
make_ "$without" install >"$work/log" || { cat "$work/log"; fail "the core does not build without adapters"; }
[ -e "$work/build/libcredit.so" ] && [ -e "$work/build/libcredit.a" ] || fail "libcredit was not built"
[ -e "$work/stage/usr/lib/libcredit.so" ] && [ -e "$work/stage/usr/include/credit.h" ] || fail "libcredit was not installed"
found=$(find "$work/build" "$work/stage" -name '*sqlite*' -o -name '*postgres*')
[ -z "$found" ] || fail "left in:" $found
make_ "$without" >"$work/log"
for line in SQLite PostgreSQL; do
    [ "$(grep -c "^$line: .* left out$" "$work/log")" = 1 ] || { cat "$work/log"; fail "not one line says that $line is left out"; }
done
for store in sqlite:x=SQLite postgres:=PostgreSQL; do
    ! "$work/build/credits" --store "${store%=*}" verify >"$work/said" 2>&1 || fail "credits opens what it was built without"
    [ "$(cat "$work/said")" = "credits: this program was built without ${store#*=}" ] || fail "credits says:" $(cat "$work/said")
done
! make_ "$without" WITH_SQLITE=yes >"$work/log" || fail "WITH_SQLITE=yes is no error without SQLite"
! make_ "$without" WITH_POSTGRES=yes >"$work/log" || fail "WITH_POSTGRES=yes is no error without PostgreSQL"
