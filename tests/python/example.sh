#!/bin/sh
# The Python programs of README.md run, and examples/python_host.py prints what its head worked out, keeps it in a file that another run finds, and stays short.
set -eu
python=${PYTHON-/usr/bin/python3} BUILD=${BUILD-build}
command -v "$python" >/dev/null || { echo "SKIP no $python"; exit 77; }
[ -e "$BUILD/libcredit.so" ] || { echo "SKIP no shared library"; exit 77; }
nm -D "$BUILD/libcredit.so" | grep -q __asan_init && { echo "SKIP a sanitized library is tried by suite.sh"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
CREDIT_LIBRARY=$PWD/$BUILD/libcredit.so PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1
export CREDIT_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE
awk -v to="$work/readme" '/^```python$/ { n++; inside = 1; next } /^```/ { inside = 0 } inside { print >(to "." n ".py") }' README.md
for program in "$work"/readme.*.py; do "$python" -W error "$program" >>"$work/readme"; done
[ "$(cat "$work/readme")" = "ACME still owes 75.00 EUR" ] || { echo "README.md:"; cat "$work/readme"; exit 1; }

"$python" -W error examples/python_host.py "$work/shop.db" >"$work/out"
diff -u tests/examples/expected/python_host.txt "$work/out"
[ "$(wc -l <examples/python_host.py)" -lt 150 ] || { echo "examples/python_host.py has 150 lines or more"; exit 1; }
"$python" - "$work/shop.db" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
bills = [row[0] for row in db.execute("SELECT number FROM bill ORDER BY number")]
assert bills == [1, 2, 3], bills  # the refused one took none
assert db.execute("SELECT sum(open) FROM crd_invoice").fetchone() == (3000,)
EOF
