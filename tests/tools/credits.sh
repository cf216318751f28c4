#!/bin/sh
# The command-line program on the sample book, against figures worked out without the library: see credits.py.
[ -n "${HAVE_SQLITE-yes}" ] || { echo "SKIP built without SQLite"; exit 77; }
[ -x /usr/bin/python3 ] || { echo "SKIP no python3"; exit 77; }
exec /usr/bin/python3 -B tests/tools/credits.py
