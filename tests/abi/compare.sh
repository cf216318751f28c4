#!/bin/sh
# Compares an interface with the committed one: the binary by abidiff, layouts by data model, constants. Lost or changed
# is broken; added but not yet committed is behind (make abi-baseline). Either fails.
#
#   compare.sh INCLUDE [LIBRARY.so]          NATIVE_ONLY=1: the layout of this machine only
set -eu
LC_ALL=C; export LC_ALL
include=$1 library=${2-} CC=${CC-cc}; export CC
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0

facts() { # WHAT BASELINE NOW: facts by name; a struct's own size may grow
    awk -v what="$1" '
        NR == FNR { old[$1] = $0; next }
        { now[$1] = $0 }
        END {
            for (n in old) {
                if (!(n in now)) { print what ": lost: " old[n]; bad = 1; continue }
                if (old[n] == now[n]) continue
                split(old[n], a, " "); split(now[n], b, " ")
                if (what ~ /^layout/ && n !~ /\./ && b[2] > a[2]) { behind = behind " " n; continue }
                print what ": changed: " old[n] " -> " now[n]; bad = 1
            }
            for (n in now) if (!(n in old)) behind = behind " " n
            if (behind && !bad) { print what ": not in the baseline yet, make abi-baseline:" behind }
            exit bad || behind != ""
        }' "$2" "$3" || failed=1
}

sh tools/constants.sh "$CC" "$include" >"$work/constants"
facts constants tests/abi/constants.txt "$work/constants"

for model in lp64 llp64 ilp32 ilp32-i386; do
    [ -z "${NATIVE_ONLY-}" ] || [ "$model" = lp64 ] || continue
    status=0
    sh tools/layout.sh "$model" "$include" >"$work/$model" || status=$?
    case $status in
    0) facts "layout-$model" "tests/abi/layout-$model.txt" "$work/$model" ;;
    77) echo "SKIP layout $model: $(cat "$work/$model")" ;;
    *) echo "layout $model cannot be told"; failed=1 ;;
    esac
done

if [ -n "$library" ]; then
    sh tools/abi.sh "$work/now.abi" "$library"
    # Types that no function names take part: records are handed over through void pointers. What a suppression for
    # appended members lets pass, in libabigail 2.2, is any change of a struct to which nothing was added in between; so
    # the report is read instead. A member at the end and a new function leave none of these words in it.
    if ! abidiff --no-default-suppression --no-show-locs --non-reachable-types tests/abi/libcredit.abi "$work/now.abi" \
        >"$work/report" 2>&1; then
        if grep -qE "[1-9][0-9]* Removed|member deletion|offset changed|name changed from|entity changed from|SONAME|parameter .* (was|were) (added|removed)" \
            "$work/report"; then
            echo "the binary interface is broken:"
        else
            echo "libcredit.abi is behind, make abi-baseline:"
        fi
        head -n 60 "$work/report"
        failed=1
    fi
fi
exit $failed
