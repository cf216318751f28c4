#!/bin/sh
# hledger, Ledger and Beancount accept what the library exports, and their balances are the library's to the last
# decimal: for books of odd ids, of great amounts in currencies of 0 to 4 decimals, and of every command there is.
set -eu
BUILD=${BUILD-build}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
. tests/support/gl_tools.sh

GL_BOOKS=$work CK_RUN_CASE=books "$BUILD/tests/ledger/test_postings" >"$work/log" || { cat "$work/log"; exit 1; }
ls "$work"/*.balances >/dev/null # there is something to compare
for list in "$work"/*.balances; do agree "$(basename "$list" .balances)"; done
tell_missing
exit $failed
