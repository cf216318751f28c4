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

# ---- The same library as two translation units, which are quick to make, from a tree that can be spoilt.
tree() { # NAME: a copy of the sources in $work/NAME
    mkdir "$work/$1"
    cp -R include lib tools "$work/$1"
}
compile() ( # NAME: what the host passes is read and written in one file, which has an object of its own
    cd "$work/$1"
    for source in lib/core/*.c lib/ledger/*.c lib/storage/memory*.c; do
        case $source in */arguments.c) ;; *) echo "#include \"$source\"" ;; esac
    done >most.c
    $CC $flags -c -o most.o most.c
)
flags='-std=c99 -g -O0 -w -fPIC -fvisibility=hidden -DCRD_BUILD -I. -Iinclude -Ilib'
link() ( # NAME
    cd "$work/$1"
    sh tools/gen-version-script.sh credit lib/credit.sym >map
    $CC $flags -c -o arguments.o lib/ledger/arguments.c
    $CC -shared -Wl,--version-script=map -Wl,-soname,libcredit.so.0 -o libcredit.so arguments.o most.o
    ln -s libcredit.so libcredit.so.0
)
host() { # PROGRAM HEADERS LIBRARY-TREE SOURCE…
    program=$1 headers=$2 in=$3
    shift 3
    $CC -std=c99 -I"$headers" -o "$work/$program" "$@" "$work/$in/libcredit.so" -Wl,-rpath,"$work/$in"
}

# Appends a member to every public struct, and a function: what the next version may do.
grow() {
    for header in "$work/$1"/include/credit/*.h; do
        sed 's/^} crd_[a-z_]*;/    uint64_t added_later;\n&/; /^struct crd_plan_account {/,/^};/s/^};/    uint64_t added_later;\n};/' \
            "$header" >"$work/h" && mv "$work/h" "$header"
    done
    echo 'CRD_API int32_t CRD_CALL crd_later(void);' >"$work/later"
    sed "/^CRD_BEGIN/r $work/later" "$work/$1/include/credit/version.h" >"$work/h"
    mv "$work/h" "$work/$1/include/credit/version.h"
    printf '#include <credit/version.h>\nint32_t CRD_CALL crd_later(void) { return 7; }\n' >"$work/$1/lib/core/later.c"
    sed 's/^\[credit\]$/&\ncrd_later 0.2/' "$work/$1/lib/credit.sym" >"$work/h" && mv "$work/h" "$work/$1/lib/credit.sym"
}
# Its sources then name the sizes of the version before as the least, where today's name their own.
keep_least() {
    for source in "$work/$1"/lib/*/*.c; do
        sed 's/\(struct_size < sizeof \*\{0,1\}[a-z>-]*\)\([^_a-z>-]\)/\1 - 8\2/; s/given < least)/given < least - 8)/' "$source" >"$work/c"
        mv "$work/c" "$source"
    done
}

tree today && compile today && link today
tree next && grow next && keep_least next && compile next && link next

host hosts include today tests/abi/hosts.c && "$work/hosts" || wrong "hosts of other versions are not served"
$CC -std=c99 -Iinclude -o "$work/smoke" tests/smoke/smoke.c "$work/today/libcredit.so" -Wl,-rpath,"$work/today"
"$work/smoke" 3 >"$work/expected"
host older include next tests/smoke/smoke.c
"$work/older" 3 | cmp -s - "$work/expected" || wrong "a host compiled with today's structs fails on a library with longer ones"
host newer "$work/next/include" today tests/smoke/smoke.c
"$work/newer" 3 | cmp -s - "$work/expected" || wrong "a host compiled with longer structs fails on today's library"

# What a minor version adds has a node of its own, behind the one before: whoever uses it cannot start on the older library.
readelf -V "$work/next/libcredit.so" >"$work/nodes"
grep -q 'Name: CREDIT_0\.1' "$work/nodes" && grep -A1 'Name: CREDIT_0\.2' "$work/nodes" | grep -q 'Parent 1: CREDIT_0\.1' \
    || wrong "a function of the next minor version has no version node of its own"
printf '#include <credit.h>\nint main(void) { return crd_later() != 7; }\n' >"$work/later.c"
host later "$work/next/include" next "$work/later.c"
"$work/later" || wrong "a function of the next version does not work"
! LD_LIBRARY_PATH=$work/today LD_PRELOAD=$work/today/libcredit.so "$work/later" 2>"$work/report" \
    && grep -q "version .CREDIT_0.2. not found" "$work/report" || wrong "a program for the next version starts on this one"

# ---- Variants that must be caught, and why each would hurt.
caught() { # NAME WHAT-THE-REPORT-SAYS…
    spoilt=$1
    shift
    [ -e "$work/$spoilt/libcredit.so" ] && so=$work/$spoilt/libcredit.so || so=
    if NATIVE_ONLY=1 sh tests/abi/compare.sh "$work/$spoilt/include" $so >"$work/report" 2>&1; then
        wrong "not caught: $spoilt"
        return
    fi
    for what in "$@"; do
        grep -q -- "$what" "$work/report" && continue
        head -n 20 "$work/report"
        wrong "$spoilt is caught, but for another reason than: $what"
    done
}
spoil() { # NAME FILE SED
    [ -d "$work/$1" ] || tree "$1"
    sed "$3" "$work/$1/$2" >"$work/spoilt"
    ! cmp -s "$work/spoilt" "$work/$1/$2" || { wrong "nothing to spoil for $1"; return; }
    mv "$work/spoilt" "$work/$1/$2"
}
relink() { cp "$work/today/most.o" "$work/$1" && link "$1"; } # what is spoilt is the list of symbols, or arguments.c
in_verify='/^typedef struct crd_verify_result {/,/^}/'
in_credit='/^typedef struct crd_credit_record {/,/^}/'

# A member that is gone, two that changed places and a symbol that is lost, in one library: each has a report of its own.
spoil moved include/credit/ledger.h "$in_verify{/uint32_t reserved/d;}"
spoil moved include/credit/record.h "$in_credit{s/ original;/ swap;/;s/ remaining;/ original;/;s/ swap;/ remaining;/;}"
spoil moved lib/credit.sym '/^crd_left_text /d'
compile moved && link moved
caught moved 'lost: crd_verify_result.reserved' 'changed: crd_credit_record.original' 'binary interface is broken' \
    'data member deletion' 'offset changed' '1 Removed' 'crd_left_text'
# The headers are enough to see a constant that means something else.
spoil constant include/credit/status.h 's/^#define CRD_E_STATE (-11)/#define CRD_E_STATE (-111)/'
caught constant 'changed: CRD_E_STATE -11 -> CRD_E_STATE -111'
# Appended only: nobody is hurt, but the baseline has to follow.
caught next 'make abi-baseline' && ! grep -q '^layout.* changed:\|^constants.* changed:\|lost:\|broken' "$work/report" \
    || wrong "an appended member counts as broken"
# Written past the struct_size of the caller.
spoil overrun lib/ledger/arguments.c 's/if (room > size) room = size;/room = size;/' && relink overrun
host overrun-hosts include overrun tests/abi/hosts.c
! "$work/overrun-hosts" >"$work/report" 2>&1 || wrong "not caught: a library that writes past its caller's struct_size"
grep -q 'written behind' "$work/report" || wrong "the overrun is not named"
# An unknown tail that is taken without a word.
spoil tail lib/ledger/arguments.c 's/for (uint32_t i = size; i < given; i++)/for (uint32_t i = size; i < 0; i++)/' && relink tail
host tail-hosts include tail tests/abi/hosts.c
! "$work/tail-hosts" >"$work/report" 2>&1 || wrong "not caught: a library that ignores what a newer host asks"
[ -n "${CREDIT_TEST_LONG-}" ] || exit $failed

# Each alone.
spoil symbol lib/credit.sym '/^crd_left_text /d' && relink symbol && caught symbol 'crd_left_text' 'binary interface is broken'
spoil removed include/credit/ledger.h "$in_verify{/uint32_t reserved/d;}" && compile removed && link removed
caught removed 'lost: crd_verify_result.reserved' 'broken'
spoil reordered include/credit/ledger.h "$in_verify{s/accounts;/swap;/;s/records;/accounts;/;s/swap;/records;/;}"
compile reordered && link reordered && caught reordered 'changed: crd_verify_result.accounts' 'binary interface is broken'
spoil inserted include/credit/ledger.h '/^typedef struct crd_result {/,/^}/s/^    uint32_t repeated;/    uint64_t early;\n&/'
compile inserted && link inserted && caught inserted 'changed: crd_result.amount'
spoil version lib/credit.sym 's/^crd_left_text 0.1/crd_left_text 0.2/' && relink version && caught version 'crd_left_text'
spoil type include/credit/ledger.h '/^typedef struct crd_request {/,/^}/s/int64_t instant/uint64_t instant/'
compile type && link type && caught type 'broken'
exit $failed
