#!/bin/sh
# Every kind of bad row is reported with line, field and reason before anything is kept: see bad_rows.py.
[ -x /usr/bin/python3 ] || { echo "SKIP no python3"; exit 77; }
exec /usr/bin/python3 -B tests/examples/bad_rows.py "${BUILD-build}/examples/reconcile_csv"
