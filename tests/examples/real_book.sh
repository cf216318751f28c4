#!/bin/sh
# The sample program on a year of a wholesaler's invoices and credit memos: OPEN_ITEMS=DIR names the directory that
# has online-retail-invoices.csv. Its figures are compared with the oracle's and with the published control totals.
set -eu
[ -n "${OPEN_ITEMS-}" ] || { echo "SKIP: OPEN_ITEMS is not set"; exit 77; }
[ -x /usr/bin/python3 ] || { echo "SKIP no python3"; exit 77; }
program=${BUILD-build}/examples/reconcile_csv
oracle="/usr/bin/python3 -B tests/examples/oracle.py"
book=$OPEN_ITEMS/online-retail-invoices.csv
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

stores=memory
[ -z "${HAVE_SQLITE-yes}" ] || stores="memory sqlite:$dir/book.db"
$oracle --applications "$dir/expected.csv" "$book" >"$dir/expected.json"
for store in $stores; do
    "$program" --json --store "$store" --applications "$dir/got.csv" "$book" >"$dir/got.json" \
        || fail "$store: exit status $?"
    /usr/bin/python3 -B tests/examples/same_json.py "$dir/expected.json" "$dir/got.json" || fail "$store: other figures"
    cmp "$dir/expected.csv" "$dir/got.csv" || fail "$store: other applications"
done

# 4,371 customers; invoices and credit memos: how many, and their sum. What was applied left both sides alike.
/usr/bin/python3 - "$dir/got.json" <<'PYTHON' || fail "the control totals"
import json, sys
got = json.load(open(sys.argv[1]))
assert got["customers"] == 4371, got
assert (got["invoices"], got["credits"]) == (18532, 3654), got
assert got["invoice_open_minor"] + got["applied_minor"] == 891140790, got
assert got["credit_remaining_minor"] + got["applied_minor"] == 61134209, got
assert 0 < got["applications"] <= 18532 + 3654, got
PYTHON

for store in $stores; do
    [ "$store" != memory ] || continue
    "$program" --json --store "$store" --applications "$dir/again.csv" "$book" >"$dir/again.json"
    [ "$(wc -l <"$dir/again.csv")" = 1 ] || fail "a second run applied something"
    sed 's/"applications":[0-9]*,"applied_minor":[0-9]*/"applications":0,"applied_minor":0/' "$dir/got.json" \
        | cmp - "$dir/again.json" || fail "a second run changed the figures"
done
"$program" "$book" >"$dir/shown" || fail "exit status $?"
grep -q '… and [0-9]* more (--all shows them)' "$dir/shown" || fail "a long list is not cut"
/usr/bin/python3 -B tests/examples/check_aging.py "$book" "$dir/shown" || fail "aging"
