#!/bin/sh
# The Python package on the libraries as they are built: tests/python/test_*.py, by pytest and Hypothesis of the system.
# In long mode Hypothesis draws anew and longer, and says how to repeat a failure; else it is the same every time.
set -eu
python=${PYTHON-/usr/bin/python3} BUILD=${BUILD-build}
command -v "$python" >/dev/null || { echo "SKIP no $python"; exit 77; }
"$python" -c 'import pytest, hypothesis' 2>/dev/null \
    || { echo "SKIP no pytest or no Hypothesis for $python (Debian: python3-pytest, python3-hypothesis)"; exit 77; }
[ -e "$BUILD/libcredit.so" ] || { echo "SKIP no shared library"; exit 77; }
if nm -D "$BUILD/libcredit.so" | grep -q __asan_init; then
    asan=$(${CC-cc} -print-file-name=libasan.so) ubsan=$(${CC-cc} -print-file-name=libubsan.so)
    [ -e "$asan" ] && [ -e "$ubsan" ] || { echo "SKIP no libasan.so and libubsan.so to load before Python"; exit 77; }
    LD_PRELOAD="$asan $ubsan" ASAN_OPTIONS=detect_leaks=0; export LD_PRELOAD ASAN_OPTIONS
fi
CREDIT_LIBRARY=$PWD/$BUILD/libcredit.so PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1
export CREDIT_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
status=0
if [ "${CREDIT_TEST_LONG-}" = 1 ]; then
    seed=${HYPOTHESIS_SEED-$(date +%s)}
    echo "repeat with HYPOTHESIS_SEED=$seed CREDIT_TEST_LONG=1"
    set -- --hypothesis-seed="$seed" ${1+"$@"}
fi
"$python" -m pytest -q -p no:cacheprovider --basetemp="$work/tmp" -W error --junitxml="$work/junit.xml" \
    ${1+"$@"} tests/python || status=$?
"$python" - "$work/junit.xml" <<'EOF'
import sys, xml.etree.ElementTree as ET
suite = ET.parse(sys.argv[1]).getroot().find("testsuite")
n, failed, errors, skipped = (int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped"))
print(f"{100 if not failed + errors else 0}%: Checks: {n - skipped}, Failures: {failed}, Errors: {errors}")
for case in suite.iter("skipped"):
    print("SKIP", ((case.text or "") if "collection" in case.get("message") else case.get("message")).splitlines()[-1])
EOF
exit $status
