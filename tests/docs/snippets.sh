#!/bin/sh
# What the documents show is true: every C snippet of README.md and every SYNOPSIS of a manual page compiles against
# the headers, every program of README.md and of an EXAMPLES section also runs, and the README's test command is the one
# that is run.
set -eu
BUILD=${BUILD-build} CC=${CC-cc} PKG_CONFIG=${PKG_CONFIG-pkg-config}
command -v "${CC%% *}" >/dev/null || { echo "SKIP no $CC"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir "$work/run"
failed=0
fail() { echo "$*"; failed=1; }

strict='-std=c99 -Wall -Wextra -Werror -pedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wvla
    -Wcast-qual -Wswitch-enum -fno-common -Iinclude'
sqlite_libs=$("$PKG_CONFIG" --libs sqlite3 2>/dev/null || echo -lsqlite3)
postgres_libs=$("$PKG_CONFIG" --cflags --libs libpq 2>/dev/null || echo -lpq)

# Cuts the ```c blocks out of a Markdown page: README.1.c, README.2.c …
cut_markdown() {
    awk -v to="$work/README" '/^```c$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print >(to "." n ".c") }' "$1"
}

# Cuts the literal blocks that begin with an #include out of a page's EXAMPLES: NAME.1.c, NAME.2.c …
cut_examples() { # PAGE NAME
    awk -v to="$work/$2" '
        /^\.Sh / { examples = $2 == "EXAMPLES" }
        !examples { next }
        /^\.Bd / { block = 1; first = 1; next }
        /^\.Ed/ { block = 0; program = 0; next }
        block && first { first = 0; program = /^#include/; n += program }
        program { gsub(/\\&/, ""); gsub(/\\e/, "\\"); gsub(/\\-/, "-"); print >(to "." n ".c") }' "$1"
}

# Turns a page's SYNOPSIS into declarations, which the compiler holds against those of the header.
synopsis() { # PAGE
    awk '
        /^\.Sh / { synopsis = $2 == "SYNOPSIS"; next }
        !synopsis { next }
        /^\.In / { print "#include <" $2 ">" }
        /^\.Ft / { type = substr($0, 5) }
        /^\.Fn / {
            line = substr($0, 5)
            name = line; sub(/ .*/, "", name)
            rest = substr(line, length(name) + 2); list = ""
            while (rest != "") {
                if (substr(rest, 1, 1) == "\"") {
                    rest = substr(rest, 2)
                    end = index(rest, "\"")
                } else {
                    end = index(rest " ", " ")
                }
                list = list (list == "" ? "" : ", ") substr(rest, 1, end - 1)
                rest = substr(rest, end + 1)
                sub(/^ +/, "", rest)
            }
            print type " " name "(" list ");"
        }' "$1"
}

# Compiles; a program is run as well, in a directory of its own.
try() { # FILE FROM
    libs="$BUILD/libcredit.a" argument=
    if grep -q '<credit/testkit.h>' "$1"; then libs="$BUILD/libcredit-testkit.a $libs"; fi
    if grep -q '<credit/sqlite.h>' "$1"; then
        [ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP a snippet of $2: no SQLite"; return 0; }
        libs="$BUILD/libcredit-sqlite.a $libs $sqlite_libs"
    fi
    if grep -q '<credit/postgres.h>' "$1"; then
        [ -n "${HAVE_POSTGRES-yes}" ] || { echo "SKIP a snippet of $2: no PostgreSQL"; return 0; }
        libs="$BUILD/libcredit-postgres.a $libs $postgres_libs" argument=${CREDIT_TEST_CONNINFO-}
    fi
    if ! grep -q '^int main(' "$1"; then
        (grep -q '^#include <credit' "$1" || echo '#include <credit.h>'; cat "$1") \
            | $CC $strict ${CPPFLAGS-} -fsyntax-only -x c - || fail "a snippet of $2 does not compile"
        return 0
    fi
    case $libs:$argument in *libcredit-postgres*:) echo "SKIP a program of $2 has no PostgreSQL server to run with" ;; esac
    $CC $strict ${CPPFLAGS-} ${CFLAGS-} ${LDFLAGS-} -o "$work/program" "$1" $libs \
        || { fail "a program of $2 does not compile"; return 0; }
    (cd "$work/run" && "$work/program" ${argument:+"$argument"} >"$work/output" 2>&1) \
        || { fail "a program of $2 fails:"; cat "$work/output"; }
}

cut_markdown README.md
cmp "$work/README.1.c" examples/ten_lines.c || fail "the README's program is not examples/ten_lines.c"
grep -qxF "    $(grep 'apt-get.* make check$' .ci/run)" README.md || fail "the README's test command is not that of .ci/run"
for snippet in "$work"/README.*.c; do try "$snippet" README.md; done

for page in man/*.3; do
    name=$(basename "$page" .3)
    synopsis "$page" >"$work/synopsis.c"
    grep -q '^#include' "$work/synopsis.c" || fail "the SYNOPSIS of $page includes nothing"
    try "$work/synopsis.c" "the SYNOPSIS of $page"
    cat "$work/synopsis.c" >>"$work/synopses"
    cut_examples "$page" "$name"
    ls "$work/$name".*.c >/dev/null 2>&1 || fail "$page has no program under EXAMPLES"
    for snippet in "$work/$name".*.c; do
        [ ! -e "$snippet" ] || try "$snippet" "$page"
    done
done

# What mandoc.sh asks of any page, here of the synopses: each public function is declared in one of them, once.
sed -n 's/^\(crd_[a-z0-9_]*\) .*/\1/p' lib/credit.sym | sort >"$work/symbols"
sed -n 's/^[^#].*[ *]\(crd_[a-z0-9_]*\)(.*/\1/p' "$work/synopses" | sort >"$work/declared"
cmp -s "$work/symbols" "$work/declared" \
    || { fail "lib/credit.sym (<) and the synopses (>) differ:"; diff "$work/symbols" "$work/declared" || true; }
exit $failed
