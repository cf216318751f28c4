#!/bin/sh
# A few of the ledger's tests over PostgreSQL as well; with CREDIT_TEST_LONG all of them do so by themselves.
set -u
BUILD=${BUILD-build}
[ -n "${HAVE_POSTGRES-}" ] || { echo "SKIP built without PostgreSQL"; exit 77; }
[ -n "${CREDIT_TEST_CONNINFO-}" ] || { echo "SKIP no PostgreSQL server to test against (Debian: postgresql)"; exit 77; }
[ -z "${CREDIT_TEST_LONG-}" ] || exit 0
CREDIT_TEST_POSTGRES=only
export CREDIT_TEST_POSTGRES
# What is tested here is what the ledger does, not that a commit outlives a power cut.
CREDIT_TEST_CONNINFO="$CREDIT_TEST_CONNINFO options='-c synchronous_commit=off'"
status=0
for test in apply transfer undo; do
    "$BUILD/tests/ledger/test_$test" || status=1
done
exit $status
