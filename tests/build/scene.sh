#!/bin/sh
# Every public function that changes something is in the scene (tests/support/scene.c), whose walk gives it the tests of
# request keys, conflicts, units, kills, failing storage calls and failing allocations. A function changes something when
# it takes a request; crd_acknowledge() is the one that needs none.
set -eu
LC_ALL=C; export LC_ALL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

{
    echo crd_acknowledge
    cat include/credit/*.h | tr '\n' ' ' | tr ';{}' '\n\n\n' \
        | sed -n 's/^.*CRD_API[^(]*[ *]\(crd_[a-z0-9_]*\)(\(.*\)$/\1 \2/p' | grep 'const crd_request \*request' | cut -d' ' -f1
} | sort -u >"$work/changing"
awk '/scene_functions\[\] = \{/ { on = 1; next } /^\};/ { on = 0 } on' tests/support/scene.c \
    | sed -n 's/.*{"\(crd_[a-z0-9_]*\)", CRD_COMMAND_.*/\1/p' >"$work/scene"
sort -cu "$work/scene" || { echo "scene_functions is not sorted, or names something twice"; exit 1; }
[ "$(wc -l <"$work/changing")" -ge 27 ] || { echo "the headers are read wrongly"; exit 1; }
awk '{ sub(/#.*/, "") } NF && !/^\[/ { print $1 }' lib/credit.sym | sort >"$work/listed"
comm -23 "$work/changing" "$work/listed" >"$work/unlisted"
comm -23 "$work/changing" "$work/scene" >"$work/missing"
comm -13 "$work/changing" "$work/scene" >"$work/odd"
[ ! -s "$work/unlisted" ] || { echo "not in lib/credit.sym:" $(cat "$work/unlisted"); exit 1; }
[ ! -s "$work/missing" ] || { echo "no row in the scene:" $(cat "$work/missing"); exit 1; }
[ ! -s "$work/odd" ] || { echo "in the scene, but it changes nothing:" $(cat "$work/odd"); exit 1; }
