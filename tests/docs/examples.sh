#!/bin/sh
# Every public function is shown at work: it is called by a program of a manual page's EXAMPLES or of the README, which
# snippets.sh compiles and runs, or by a program of examples/ that a test names and so runs.
set -eu
LC_ALL=C; export LC_ALL
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0

# The literal blocks of EXAMPLES that begin with an #include, as in snippets.sh.
for page in man/*.3; do
    awk '/^\.Sh / { examples = $2 == "EXAMPLES" } !examples { next } /^\.Bd / { first = 1; next } /^\.Ed/ { program = 0; next }
        first { first = 0; program = /^#include/ } program' "$page"
done >"$work/shown.c"
awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' README.md >>"$work/shown.c"
for program in examples/*.c examples/till/*.c; do
    name=${program#examples/}
    case $name in */*) name=${name%%/*} ;; *) name=${name%.c} ;; esac
    case $name in s[1-5]_*) name='s\[1-5\]_' ;; esac # by systems.sh
    grep -rl --include='*.sh' "$name" tests >/dev/null || { echo "no test runs $program"; failed=1; continue; }
    cat "$program" >>"$work/shown.c"
done
cat examples/*.h >>"$work/shown.c"
grep -o 'crd_[a-z0-9_]* *(' "$work/shown.c" | sed 's/ *($//' | sort -u >"$work/called"
sed -n 's/^\(crd_[a-z0-9_]*\) .*/\1/p' lib/credit.sym | sort >"$work/symbols"
comm -23 "$work/symbols" "$work/called" >"$work/missing"
[ ! -s "$work/missing" ] || { echo "no example calls:" $(cat "$work/missing"); failed=1; }
echo "DID $(wc -l <"$work/symbols") public functions, each in an example that is run"
exit $failed
