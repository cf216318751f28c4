#!/bin/sh
# One truth about the interface: what the shared libraries export, what lib/credit.sym lists and what the public
# headers declare with CRD_API are the same names, library by library.
set -eu
LC_ALL=C; export LC_ALL
BUILD=${BUILD-build} CC=${CC-cc}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0

listed() { # LIBRARY: names in its section of lib/credit.sym, the first section being the default
    awk -v library="$1" 'BEGIN { section = "credit" } { sub(/#.*/, "") } NF == 0 { next }
        /^\[/ { section = substr($1, 2, length($1) - 2); next } section == library { print $1 }' lib/credit.sym
}

exported() { # LIBRARY: names of its dynamic symbols, without the version and the version nodes themselves
    nm -D --defined-only "$BUILD/lib$1.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

declared() { # HEADER…: names declared CRD_API in them, which the preprocessor shows by their visibility
    for header in "$@"; do echo "#include \"$header\""; done | $CC -std=c99 -E -P -Iinclude -x c - \
        | tr '\n' ' ' | tr ';{}' '\n\n\n' | grep 'visibility("default")' \
        | sed -n 's/^.*__attribute__((visibility("default")))//; s/^[^(]*[^a-z0-9_]\(crd_[a-z0-9_]*\) *(.*/\1/p' | sort -u
}

same() { # WHAT FILE WHAT FILE
    if ! cmp -s "$2" "$4"; then
        echo "only $1:" $(comm -23 "$2" "$4")
        echo "only $3:" $(comm -13 "$2" "$4")
        failed=1
    fi
}

core=$(cd include && ls credit.h credit/*.h | grep -v '/\(sqlite\|postgres\|testkit\)\.h$')
listed credit >"$work/listed"
sort -cu "$work/listed" || { echo "lib/credit.sym is not sorted, or names something twice"; exit 1; }
exported credit >"$work/exported"
declared $core >"$work/declared"
same "in lib/credit.sym" "$work/listed" "exported by libcredit" "$work/exported"
same "in lib/credit.sym" "$work/listed" "declared in the headers" "$work/declared"

if [ -n "${HAVE_SQLITE-}" ]; then
    listed credit-sqlite | sort >"$work/listed-sqlite"
    exported credit-sqlite >"$work/exported-sqlite"
    declared credit/sqlite.h | comm -23 - "$work/declared" >"$work/declared-sqlite"
    same "in [credit-sqlite] of lib/credit.sym" "$work/listed-sqlite" "exported by libcredit-sqlite" "$work/exported-sqlite"
    same "in [credit-sqlite] of lib/credit.sym" "$work/listed-sqlite" "declared in credit/sqlite.h" "$work/declared-sqlite"
fi
if [ -n "${HAVE_POSTGRES-}" ]; then
    listed credit-postgres | sort >"$work/listed-postgres"
    exported credit-postgres >"$work/exported-postgres"
    declared credit/postgres.h | comm -23 - "$work/declared" >"$work/declared-postgres"
    same "in [credit-postgres] of lib/credit.sym" "$work/listed-postgres" "exported by libcredit-postgres" \
        "$work/exported-postgres"
    same "in [credit-postgres] of lib/credit.sym" "$work/listed-postgres" "declared in credit/postgres.h" \
        "$work/declared-postgres"
fi

listed credit-testkit | sort >"$work/listed-testkit"
exported credit-testkit >"$work/exported-testkit"
declared credit/testkit.h | comm -23 - "$work/declared" >"$work/declared-testkit"
same "in [credit-testkit] of lib/credit.sym" "$work/listed-testkit" "exported by libcredit-testkit" "$work/exported-testkit"
same "in [credit-testkit] of lib/credit.sym" "$work/listed-testkit" "declared in credit/testkit.h" "$work/declared-testkit"

# The shape that programs and packagers rely on: the soname, the links, and no name without a version.
major=${VERSION%%.*}
readelf -d "$BUILD/libcredit.so" | grep -q "SONAME.*\[libcredit.so.$major\]" || { echo "soname is wrong"; failed=1; }
[ "$(readlink "$BUILD/libcredit.so")" = "libcredit.so.$major" ] || { echo "libcredit.so leads elsewhere"; failed=1; }
if nm -D --defined-only "$BUILD/libcredit.so" | awk '$2 != "A"' | grep -v '@@CREDIT_[0-9.]*$'; then
    echo "the names above have no version"
    failed=1
fi
exit $failed
