#!/bin/sh
# R61: examples/till, with the library vendored as two files: what it prints is what was worked out on paper; a power cut at
# any write loses nothing that was acknowledged, and the same lines sent again give the same end; a damaged file and a
# second till on it are refused; and the till's journal passes the conformance kit.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
till=$work/till lines=examples/till/day.txt book=$work/book

sh tools/amalgamate.sh "$work/vendor" "${VERSION:-0.0.0}" >/dev/null
compile() { ${CC:-cc} -std=c99 -O0 -Wall -Wextra -pedantic -Werror -I"$work/vendor" "$@"; }
compile -c -o "$work/credit.o" "$work/vendor/credit.c" || fail "credit.c does not compile"
compile -o "$till" examples/till/till.c examples/till/journal.c "$work/credit.o" || fail "the till does not compile"
nm "${BUILD-build}/libcredit-testkit.a" | grep -q __asan_init && sanitizers=-fsanitize=address,undefined || sanitizers=
compile $sanitizers -Iinclude -o "$work/conforms" examples/till/conforms.c examples/till/journal.c \
    "${BUILD-build}/libcredit-testkit.a" "$work/credit.o" || fail "the till's journal does not compile with the kit"
"$work/conforms" "$work/kit" >"$work/said" || { cat "$work/said"; fail "the till's journal does not conform"; }
tail -n 1 "$work/said"
[ "$(sed -n '$s/.* claims hold, \([0-9]*\) fail.*/\1/p' "$work/said")" = 0 ] || fail "the kit did not come to its end"

# C1 bought for 119.00 and 25.00, brought 49.00 back, used 30.00 of that and paid 100.00: 14.00 are open, 19.00 are left;
# 14.00 of them paid the rest. C2 bought for 600.00, brought 15.00 back and paid 700.00: 115.00 are left.
cat >"$work/expected" <<'END'
line 10 refused: credit M1: not found
C1 owes 1400, has credit of 1900
line 13 refused: credit M1: more than the credit has available; available is 19.00 EUR, asked for 50.00 EUR
C1 owes 0, has credit of 500
C2 owes 0, has credit of 11500
END
"$till" "$book" "$lines" >"$work/said" || fail "the till ends with $?"
diff "$work/expected" "$work/said" || fail "the till does not say what it should"
cp "$book" "$work/whole"
"$till" "$book" "$lines" | tail -n 2 >"$work/said"
tail -n 2 "$work/expected" | diff - "$work/said" || fail "the same lines sent twice count twice"
cmp -s "$book" "$work/whole" || fail "lines that were sent before were written again"

size=$(wc -c <"$work/whole") cut=0 cuts=0 step=97
[ -z "${CREDIT_TEST_LONG-}" ] || step=1
while [ "$cut" -lt "$size" ]; do
    rm -f "$book"
    # the cut must kill it; the shell would say so
    (TILL_CUT=$cut "$till" "$book" "$lines" >/dev/null; exit $?) 2>/dev/null && fail "no power cut at byte $cut"
    "$till" "$book" "$lines" >"$work/all" || fail "after a power cut at byte $cut the book is not whole"
    tail -n 2 "$work/all" >"$work/said"
    tail -n 2 "$work/expected" | diff - "$work/said" || fail "after a power cut at byte $cut the end is another"
    cut=$((cut + step)) cuts=$((cuts + 1))
done
[ "$cuts" -gt 50 ] || fail "only $cuts power cuts were tried"
echo "DID $cuts power cuts, one every $step bytes of $size"

# In the changes of a frame, and in its length, which says where the next begins.
for at in 300 1; do
    cp "$work/whole" "$book"
    printf 'X' | dd of="$book" bs=1 seek=$at conv=notrunc 2>/dev/null
    "$till" "$book" "$lines" 2>"$work/said" && fail "a file damaged at byte $at was taken"
    grep -q "damaged in the middle" "$work/said" || fail "damage is not told: $(cat "$work/said")"
    [ "$(wc -c <"$book")" = "$size" ] || fail "a damaged file was cut"
done
# Zeros behind the last frame: a file system that knew the size before the bytes.
cp "$work/whole" "$book"
dd if=/dev/zero bs=64 count=3 2>/dev/null >>"$book"
"$till" "$book" "$lines" | tail -n 2 >"$work/said"
tail -n 2 "$work/expected" | diff - "$work/said" || fail "zeros at the end of the file hide what is before them"

cp "$work/whole" "$book"
mkfifo "$work/keys"
"$till" "$book" "$work/keys" >/dev/null &
exec 3>"$work/keys" # which waits until the first till reads its lines: by then it has the book
echo | "$till" "$book" 2>"$work/said" && fail "two tills have the book open"
grep -q "another till" "$work/said" || fail "the second till is told: $(cat "$work/said")"
exec 3>&-
wait
