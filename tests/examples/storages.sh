#!/bin/sh
# The storages that examples show pass the conformance kit, under valgrind too where it is asked for by
# CREDIT_TEST_UNDER.
set -eu
BUILD=${BUILD-build}
failed=0
for name in array_storage keyed_storage; do
    said=$(${CREDIT_TEST_UNDER-} "$BUILD/examples/$name") || { echo "$name: $said"; failed=1; }
    case $said in *" claims hold, 0 fail, "*) ;; *) echo "$name says: $said"; failed=1 ;; esac
done
exit $failed
