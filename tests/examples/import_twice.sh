#!/bin/sh
# Importing a file into a book that has it changes nothing: not a row of any table. A second run applies nothing.
# The same after an import that ended half-way, as after a crash between two units.
set -eu
[ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP built without SQLite"; exit 77; }
[ -x /usr/bin/python3 ] || { echo "SKIP no python3"; exit 77; }
program=${BUILD-build}/examples/reconcile_csv
book=examples/data/open-items.csv
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
dump() { /usr/bin/python3 -B tests/examples/dump_book.py "$@"; }
store=sqlite:$dir/book.db

"$program" --json --store "$store" $book >"$dir/first.json"
dump "$dir/book.db" >"$dir/first"
"$program" --json --store "$store" --applications "$dir/applications.csv" $book >"$dir/second.json"
dump "$dir/book.db" >"$dir/second"
cmp "$dir/first" "$dir/second" || fail "the second import changed the book"
[ "$(wc -l <"$dir/applications.csv")" = 1 ] || fail "the second run applied something"
sed 's/"applications":[0-9]*,"applied_minor":[0-9]*/"applications":0,"applied_minor":0/' "$dir/first.json" \
    >"$dir/expected.json"
/usr/bin/python3 -B tests/examples/same_json.py "$dir/expected.json" "$dir/second.json" || fail "the second run's figures"
"$program" --store "$store" $book >"$dir/shown" || fail "exit status $?"
grep -q 'EUR: APPLIED 0.00, in this order' "$dir/shown" || fail "the second run shows applications"
dump "$dir/book.db" >"$dir/third"
cmp "$dir/first" "$dir/third" || fail "the third import changed the book"

# The book's content, less what tells when it came, does not depend on how often the import was broken off.
rm -f "$dir"/book.db*
for rows in 1 7 20; do
    head -n $((rows + 1)) $book >"$dir/part.csv"
    cut -d, -f1-7 "$dir/part.csv" >"$dir/columns.csv" # and other columns beside it do not matter
    # as of a day before the first document: it is kept, and nothing can be applied yet
    "$program" --json --store "$store" --as-of 2024-01-01 "$dir/columns.csv" >"$dir/part.json" || fail "exit status $?"
    grep -q '"applications":[1-9]' "$dir/part.json" && fail "applied before its day"
done
"$program" --json --store "$store" --applications "$dir/applications.csv" $book >"$dir/resumed.json" || fail "exit status $?"
/usr/bin/python3 -B tests/examples/same_json.py "$dir/first.json" "$dir/resumed.json" || fail "resumed: other figures"
/usr/bin/python3 -B tests/examples/oracle.py --applications "$dir/expected.csv" $book >"$dir/oracle.json"
diff "$dir/expected.csv" "$dir/applications.csv" || fail "resumed: other applications"
dump --documents "$dir/book.db" >"$dir/resumed"
rm -f "$dir"/book.db*
"$program" --json --store "$store" $book >/dev/null
dump --documents "$dir/book.db" >"$dir/whole"
diff "$dir/whole" "$dir/resumed" || fail "resumed: other documents"

# What was reconciled stays, and more items are added to it.
rm -f "$dir"/book.db*
head -n 25 $book >"$dir/part.csv"
"$program" --json --store "$store" "$dir/part.csv" >"$dir/part.json"
"$program" --json --store "$store" --applications "$dir/applications.csv" $book >"$dir/resumed.json"
/usr/bin/python3 - "$dir" <<'PYTHON' || fail "a book that grew does not add up"
import csv, json, sys
part, whole = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("part", "resumed"))
part = {one["currency"]: one for one in part}
rows = {}
for row in csv.DictReader(open("examples/data/open-items.csv", encoding="utf-8")):
    rows[row["customer"], row["document"], row["kind"]] = row
for one in whole:
    kinds = [row for row in rows.values() if row["currency"] == one["currency"]]
    invoices = sum(int(r["amount_minor"]) for r in kinds if r["kind"] in ("invoice", "finance_charge", "debit_memo"))
    credits = sum(int(r["amount_minor"]) for r in kinds
                  if r["kind"] in ("credit_memo", "payment", "deposit", "goodwill", "promotional"))
    applied = one["applied_minor"] + part.get(one["currency"], {"applied_minor": 0})["applied_minor"]
    assert invoices == one["invoice_open_minor"] + applied, one
    assert credits == one["credit_remaining_minor"] + applied, one
PYTHON
