#!/bin/sh
# What credits(1) and README.md show of the program runs as it is written there, line by line, on the sample book; and
# the page names every command, option and report that the program has.
set -eu
[ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP built without SQLite"; exit 77; }
top=$PWD BUILD=${BUILD-build}
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/build"
ln -s "$BUILD/credits" "$work/bin/credits"
ln -s "$BUILD/credits" "$work/build/credits"
PATH=$work/bin:$PATH
failed=0
fail() { echo "$*"; failed=1; }

book() { "$BUILD/examples/reconcile_csv" --json --store "sqlite:$1" $2 "$top/examples/data/open-items.csv" >/dev/null; }
run() { # SCRIPT OF: stops at the first command that fails
    (cd "$work" && sh -eu "$1" >"$work/output" 2>&1) || { fail "$2 does not run:"; cat "$work/output"; }
}

# All blocks of the page in one script: one exports what the next uses. A pipe hides no failure that matters: the next
# line needs what it wrote.
awk '/^\.Sh / { examples = $2 == "EXAMPLES" } /^\.Ed/ { inside = 0 }
    examples && inside { gsub(/\\e/, "\\"); print } examples && /^\.Bd -literal/ { inside = 1 }' man/credits.1 \
    >"$work/page"
[ "$(grep -c '^credits ' "$work/page")" -ge 8 ] || fail "credits(1) has few examples"
book "$work/book.db" "--as-of 2024-01-01"
run "$work/page" "the EXAMPLES of credits(1)"
grep -q 'C-1004  *EUR  *6  *4500.00$' "$work/output" || { fail "nothing was undone"; cat "$work/output"; }
[ -s "$work/2024.journal" ] || fail "nothing was exported"

awk '/^```sh$/ { inside = 1; next } /^```/ { inside = 0 } inside' README.md >"$work/readme"
grep -q 'build/credits ' "$work/readme" || fail "README.md does not show the program"
book "$work/build/demo.db" ""
run "$work/readme" "the shell of README.md"

"$BUILD/credits" help | sed -n 's/^Reports: //p' >"$work/told"
sed -n '/^\.It Cm report Ar kind/,/^\.El/s/^\.Cm \(.*\)/\1/p' man/credits.1 \
    | tr -d ',.' | tr '\n' ' ' | sed 's/ *$//; s/  */ /g' \
    | diff -b "$work/told" - || fail "credits(1) names other reports than credits help"
for option in $(sed -n '/option_names\[\]/,/^};/p' tools/credits.c | grep -o '"--[a-z-]*"' | tr -d '"-' | sort -u); do
    tr -d '\\-' <man/credits.1 | grep -qE "Fl $option( |$)|^\.(help|version)" || case $option in
    help | version) ;;
    *) fail "credits(1) does not name --$option" ;;
    esac
done
for command in $(sed -n '/commands\[\] = {/,/^};/s/^    {"\([a-z]*\)".*/\1/p' tools/credits.c); do
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' man/credits.1 | grep -qw "$command" \
        || fail "credits(1) does not name $command"
done
exit $failed
