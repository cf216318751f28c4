#!/bin/sh
# The binary interface is the committed one, or has grown at the end; hosts of older and newer versions run on the
# library; and the check itself catches what it is there for: broken variants of the library are made and must fail.
set -eu
command -v abidiff >/dev/null || { echo "SKIP no abidiff (Debian: abigail-tools)"; exit 77; }
BUILD=${BUILD-build} CC=${CC-cc}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0
wrong() { echo "$*"; failed=1; }

library=$BUILD/libcredit.so
readelf -S "$library" | grep -q '\.debug_info' || { echo "SKIP libcredit was built without -g"; exit 77; }
sh tests/abi/compare.sh include "$library" || failed=1

# ---- The same library as one translation unit, which is quick to make, from a tree that can be spoilt.
tree() { # NAME: a copy of the sources in $work/NAME
    mkdir "$work/$1"
    cp -R include lib tools "$work/$1"
}
build() ( # NAME
    cd "$work/$1"
    for source in lib/core/*.c lib/ledger/*.c lib/storage/memory*.c; do echo "#include \"$source\""; done >all.c
    sh tools/gen-version-script.sh credit lib/credit.sym >map
    $CC -std=c99 -g -O0 -w -fPIC -fvisibility=hidden -DCRD_BUILD -I. -Iinclude -Ilib -shared -Wl,--version-script=map \
        -Wl,-soname,libcredit.so.0 -o libcredit.so all.c
    ln -s libcredit.so libcredit.so.0
)
host() { # PROGRAM HEADERS LIBRARY-TREE SOURCE
    $CC -std=c99 -I"$2" -o "$work/$1" "$4" "$work/$3/libcredit.so" -Wl,-rpath,"$work/$3"
}

# Appends a member to every public struct: what the next version may do.
grow() {
    for header in "$work/$1"/include/credit/*.h; do
        sed 's/^} crd_[a-z_]*;/    uint64_t added_later;\n&/; /^struct crd_plan_account {/,/^};/s/^};/    uint64_t added_later;\n};/' \
            "$header" >"$work/h" && mv "$work/h" "$header"
    done
}
# Its sources then name the sizes of the version before as the least, where today's name their own.
keep_least() {
    for source in "$work/$1"/lib/*/*.c; do
        sed 's/\(struct_size < sizeof \*\{0,1\}[a-z>-]*\)\([^_a-z>-]\)/\1 - 8\2/; s/given < least)/given < least - 8)/' "$source" >"$work/c"
        mv "$work/c" "$source"
    done
}

tree today && build today
tree next && grow next && keep_least next && build next

host hosts include today tests/abi/hosts.c && "$work/hosts" || wrong "hosts of other versions are not served"
$CC -std=c99 -Iinclude -o "$work/smoke" tests/smoke/smoke.c "$work/today/libcredit.so" -Wl,-rpath,"$work/today"
"$work/smoke" 3 >"$work/expected"
host older include next tests/smoke/smoke.c
"$work/older" 3 | cmp -s - "$work/expected" || wrong "a host compiled with today's structs fails on a library with longer ones"
host newer "$work/next/include" today tests/smoke/smoke.c
"$work/newer" 3 | cmp -s - "$work/expected" || wrong "a host compiled with longer structs fails on today's library"

# ---- Variants that must be caught, and why each would hurt.
caught() { # NAME WHAT-THE-REPORT-SAYS
    if NATIVE_ONLY=1 sh tests/abi/compare.sh "$work/$1/include" "$work/$1/libcredit.so" >"$work/report" 2>&1; then
        wrong "not caught: $1"
    elif ! grep -q -- "$2" "$work/report"; then
        head -n 20 "$work/report"
        wrong "$1 is caught, but for another reason than: $2"
    fi
}
spoil() { # NAME FILE SED
    tree "$1"
    sed "$3" "$work/$1/$2" >"$work/spoilt"
    ! cmp -s "$work/spoilt" "$work/$1/$2" || { wrong "nothing to spoil for $1"; return; }
    mv "$work/spoilt" "$work/$1/$2"
    build "$1"
}
in_verify='/^typedef struct crd_verify_result {/,/^}/'
spoil removed include/credit/ledger.h "$in_verify{/uint32_t reserved/d;}" && caught removed 'data member.*removed\|broken'
grep -q 'lost: crd_verify_result.reserved' "$work/report" || wrong "the layout files do not miss a removed member"
spoil reordered include/credit/ledger.h "$in_verify{s/accounts;/swap;/;s/records;/accounts;/;s/swap;/records;/;}"
caught reordered 'changed: crd_verify_result.accounts'
grep -q 'binary interface is broken' "$work/report" || wrong "abidiff does not see members change places"
spoil constant include/credit/status.h 's/^#define CRD_E_STATE (-11)/#define CRD_E_STATE (-111)/'
caught constant 'changed: CRD_E_STATE -11 -> CRD_E_STATE -111'
spoil symbol lib/credit.sym '/^crd_left_text /d' && caught symbol 'crd_left_text'
# Appended only: nobody is hurt, but the baseline has to follow.
caught next 'make abi-baseline' && ! grep -q '^layout.* changed:\|^constants.* changed:\|lost:\|broken' "$work/report" || wrong "an appended member counts as broken"
# Written past the struct_size of the caller.
spoil overrun lib/ledger/arguments.c 's/if (room > size) room = size;/room = size;/'
host overrun-hosts include overrun tests/abi/hosts.c
! "$work/overrun-hosts" >"$work/report" 2>&1 || wrong "not caught: a library that writes past its caller's struct_size"
grep -q 'written behind' "$work/report" || wrong "the overrun is not named"
[ -n "${CREDIT_TEST_LONG-}" ] || exit $failed

spoil inserted include/credit/ledger.h '/^typedef struct crd_result {/,/^}/s/^    uint32_t repeated;/    uint64_t early;\n&/'
caught inserted 'changed: crd_result.amount'
spoil version lib/credit.sym 's/^crd_left_text 0.1/crd_left_text 0.2/' && caught version 'crd_left_text'
spoil type include/credit/ledger.h '/^typedef struct crd_request {/,/^}/s/int64_t instant/uint64_t instant/'
caught type 'broken'
# An unknown tail that is taken without a word.
spoil tail lib/ledger/arguments.c 's/for (uint32_t i = size; i < given; i++)/for (uint32_t i = size; i < 0; i++)/'
host tail-hosts include tail tests/abi/hosts.c
! "$work/tail-hosts" >"$work/report" 2>&1 || wrong "not caught: a library that ignores what a newer host asks"
exit $failed
