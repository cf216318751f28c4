#!/bin/sh
# The sample program gl_export on the sample book, and on a year of a wholesaler's documents when OPEN_ITEMS=DIR has
# them: hledger, Ledger and Beancount agree with the library on every balance.
set -eu
BUILD=${BUILD-build}
[ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP no SQLite"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
. tests/support/gl_tools.sh

export_book() { # BOOK CSV
    "$BUILD/examples/reconcile_csv" --store "sqlite:$work/$1.db" "$2" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    for format in hledger ledger beancount balances; do
        "$BUILD/examples/gl_export" $format "$work/$1.db" >"$work/$1.$format" || exit 1
    done
    grep -q '^Assets:Receivable' "$work/$1.balances" || fail "the book of $1 has no receivable"
    agree "$1"
}

export_book sample examples/data/open-items.csv
[ -z "${OPEN_ITEMS-}" ] || export_book year "$OPEN_ITEMS/online-retail-invoices.csv"

# One customer, and what is not to be had.
"$BUILD/examples/gl_export" ledger "$work/sample.db" C-1003 >"$work/one"
grep -q '; customer: C-1003$' "$work/one" || fail "a customer has no postings"
if grep '; customer:' "$work/one" | grep -v 'C-1003$'; then fail "postings of another customer"; fi
if "$BUILD/examples/gl_export" ledger "$work/sample.db" nobody >"$work/none" 2>&1; then fail "nobody has postings"; fi
if "$BUILD/examples/gl_export" ledger "$work/absent.db" >"$work/none" 2>&1; then fail "there is no such book"; fi
[ ! -e "$work/absent.db" ] || fail "a book was made"
tell_missing
exit $failed
