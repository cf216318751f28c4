#!/bin/sh
# The five hosts examples/s1_… to s5_… print what was worked out on paper beforehand: the files in
# tests/examples/expected, whose figures the head of each program derives. Each stays short enough to be read in one go.
set -eu
BUILD=${BUILD-build}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0 count=0
for source in examples/s[1-5]_*.c; do
    name=$(basename "$source" .c)
    count=$((count + 1))
    [ "$(wc -l <"$source")" -lt 150 ] || { echo "$source has 150 lines or more"; failed=1; }
    "$BUILD/examples/$name" >"$work/$name" 2>&1 || { echo "$name failed"; cat "$work/$name"; failed=1; continue; }
    diff -u "tests/examples/expected/$name.txt" "$work/$name" || failed=1
done
[ "$count" = 5 ] || { echo "$count hosts instead of five"; failed=1; }
exit $failed
