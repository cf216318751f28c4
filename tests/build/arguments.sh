#!/bin/sh
# Every public function of libcredit is called with bad arguments: the table of tests/ledger/test_every_call.c, and the
# first section of lib/credit.sym, name the same functions.
set -eu
LC_ALL=C; export LC_ALL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

awk '{ sub(/#.*/, "") } NF == 0 { next } /^\[/ { on = $1 == "[credit]"; next } on { print $1 }' lib/credit.sym >"$work/listed"
awk '/^} calls\[\] = \{/ { on = 1; next } /^\};/ { on = 0 } on' tests/ledger/test_every_call.c \
    | grep -o '"[^"]*"' | tr -d '"' | tr -s ' ' '\n' | grep . | sort >"$work/called"
[ -z "$(uniq -d "$work/called")" ] || { echo "called twice:" $(uniq -d "$work/called"); exit 1; }
missing=$(comm -23 "$work/listed" "$work/called") gone=$(comm -13 "$work/listed" "$work/called")
[ -z "$missing" ] || { echo "never called with bad arguments:" $missing; exit 1; }
[ -z "$gone" ] || { echo "not in lib/credit.sym:" $gone; exit 1; }
