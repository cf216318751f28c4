#!/bin/sh
# The manual pages are well-formed, and every public symbol is in one of them.
set -eu
command -v mandoc >/dev/null || { echo "SKIP no mandoc"; exit 77; }
set -- man/*.[13]
[ -e "$1" ] || { echo "there are no manual pages"; exit 1; }
failed=0

# Pages of ours that are not installed yet, and of others that are not installed here, are no mistake.
if mandoc -T lint "$@" | grep -v 'STYLE: referenced manual not found'; then failed=1; fi

for name in $(sed -n 's/^\(crd_[a-z0-9_]*\) .*/\1/p' lib/credit.sym); do
    grep -qw "$name" man/*.3 || { echo "$name is in no manual page"; failed=1; }
done
exit $failed
