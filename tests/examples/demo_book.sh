#!/bin/sh
# The sample book that comes with the library, reconciled in memory and on SQLite, against an oracle that knows
# nothing of the library (oracle.py): the figures per currency, and every application in its order.
set -eu
[ -x /usr/bin/python3 ] || { echo "SKIP no python3"; exit 77; }
program=${BUILD-build}/examples/reconcile_csv
book=examples/data/open-items.csv
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

stores=memory
[ -z "${HAVE_SQLITE-yes}" ] || stores="memory sqlite:$dir/book.db"
for as_of in "" 2024-11-30 2025-06-30; do
    /usr/bin/python3 -B tests/examples/oracle.py ${as_of:+--as-of $as_of} --applications "$dir/expected.csv" $book \
        >"$dir/expected.json"
    for store in $stores; do
        rm -f "$dir"/book.db*
        "$program" --json --store "$store" ${as_of:+--as-of $as_of} --applications "$dir/got.csv" $book \
            >"$dir/got.json" || fail "$store: exit status $?"
        /usr/bin/python3 -B tests/examples/same_json.py "$dir/expected.json" "$dir/got.json" || fail "$store, as of '$as_of'"
        diff "$dir/expected.csv" "$dir/got.csv" || fail "$store, as of '$as_of': other applications"
    done
done

# R69 R70 R71: what an office sees: every part of it is there, the reasons, and an aging that adds up.
"$program" $book >"$dir/shown" 2>"$dir/errors" || fail "exit status $?"
[ ! -s "$dir/errors" ] || fail "it complains: $(cat "$dir/errors")"
for part in 'PRESCAN as of 2025-01-31' 'Posting: .*100 %' 'EUR: APPLIED' 'USD: LEFT OPEN' 'JPY: AGING' \
    'reserved' 'C-1010 .*AZ-9001 .*deposit .*1,500.00 .*reserved' 'C-1010 .*A-9001 .*order .*5,000.00' \
    'C-1012 .*A-9017 .*order .*640.00 .*not yet posted' 'C-1008 .*KG-3 .*F-0032 .*6.255' 'C-1007 .*東京-7 .*800,000$' 'C-1003 .*Müller-Nr. 4'; do
    grep -q -e "$part" "$dir/shown" || fail "not shown: $part"
done
"$program" $book >"$dir/again"
cmp "$dir/shown" "$dir/again" || fail "a second run on a new book shows something else"
/usr/bin/python3 -B tests/examples/check_aging.py $book "$dir/shown" || fail "aging"
