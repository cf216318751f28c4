#!/bin/sh
# Writes what the ABI check compares with into tests/abi, from the headers and libraries as they are now: for a member, a
# constant or a function that was added. git diff then shows that nothing else changed.
set -eu
BUILD=${BUILD-build}; export BUILD
CC=${CC-cc}
sh tools/abi.sh tests/abi/libcredit.abi
sh tools/constants.sh "$CC" >tests/abi/constants.txt
for pair in lp64:"$CC" llp64:x86_64-w64-mingw32-gcc ilp32:arm-linux-gnueabihf-gcc ilp32-i386:i686-linux-gnu-gcc; do
    if command -v "${pair#*:}" >/dev/null; then sh tools/layout.sh "${pair#*:}" >"tests/abi/layout-${pair%%:*}.txt"
    else echo "SKIP layout-${pair%%:*}.txt: no ${pair#*:}"; fi
done
