#!/bin/sh
# The ctypes declarations in python/credits are what tools/python_abi.py makes of the libraries as they are now.
set -eu
command -v abidw >/dev/null || { echo "SKIP no abidw (Debian: abigail-tools)"; exit 77; }
python=${PYTHON-/usr/bin/python3}
command -v "$python" >/dev/null || { echo "SKIP no $python"; exit 77; }
BUILD=${BUILD-build}; export BUILD
[ -e "$BUILD/libcredit.so" ] || { echo "SKIP no shared library"; exit 77; }
nm -D "$BUILD/libcredit.so" | grep -q __asan_init && { echo "SKIP a sanitized library describes itself as the others do"; exit 77; }
readelf -S "$BUILD/libcredit.so" | grep -q debug_info || { echo "SKIP libcredit was built without -g"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
"$python" tools/python_abi.py "$work"
failed=0
for made in "$work"/*.py; do
    committed=python/credits/$(basename "$made")
    diff -u "$committed" "$made" >"$work/diff" 2>&1 || { head -n 40 "$work/diff"; failed=1; }
done
[ $failed = 0 ] || echo "make the above again: python3 tools/python_abi.py"
exit $failed
