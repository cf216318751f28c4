#!/bin/sh
# pip installs the package from the tree, without a network and without touching it, and what is installed works.
set -eu
python=${PYTHON-/usr/bin/python3} BUILD=${BUILD-build}
"$python" -c 'import setuptools, wheel, pip' 2>/dev/null \
    || { echo "SKIP no pip, setuptools or wheel for $python (Debian: python3-pip, python3-setuptools, python3-wheel)"; exit 77; }
[ -e "$BUILD/libcredit.so" ] || { echo "SKIP no shared library"; exit 77; }
nm -D "$BUILD/libcredit.so" | grep -q __asan_init && { echo "SKIP a sanitized library is tried by suite.sh"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
# setuptools writes beside the sources, so it gets its own.
cp -R python "$work/python"
PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE
"$python" -m pip install -q --no-build-isolation --no-index --no-deps --disable-pip-version-check --no-compile \
    --root-user-action=ignore --target "$work/site" "$work/python" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
(cd python/credits && ls *.py py.typed) >"$work/wanted"
(cd "$work/site/credits" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) >"$work/installed"
LC_ALL=C sort "$work/wanted" | diff - "$work/installed"

# The program of the package's own description, with the library found in each of the three ways.
cat >"$work/try.py" <<'EOF'
import sys, textwrap
import credits
if sys.argv[1]:
    credits.load(sys.argv[1])
doc = credits.__doc__
exec(textwrap.dedent(doc[doc.index("    from"):doc.index("Amounts are")]))
if len(sys.argv) < 3:
    with credits.SQLiteStorage(":memory:") as storage, credits.Ledger(storage, actor="a") as ledger:
        ledger.add_customer("ACME")
EOF
expected="ACME still owes 75.00 EUR"
run() { (cd "$work" && env -u CREDIT_LIBRARY PYTHONPATH="$work/site" "$@"); }
top=$PWD
alone=$([ -n "${HAVE_SQLITE-yes}" ] || echo without-sqlite)
for out in "$(run "$python" try.py "$top/$BUILD/libcredit.so" $alone)" \
    "$(run env CREDIT_LIBRARY="$top/$BUILD/libcredit.so" "$python" try.py "" $alone)" \
    "$(run env LD_LIBRARY_PATH="$top/$BUILD" "$python" try.py "" $alone)"; do
    [ "$out" = "$expected" ] || { echo "instead of '$expected': $out"; exit 1; }
done
