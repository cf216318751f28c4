#!/bin/sh
# Writes what the ABI check compares with into tests/abi, from the headers and libraries as they are now: for a member, a
# constant or a function that was added. git diff then shows that nothing else changed.
set -eu
BUILD=${BUILD-build}; export BUILD
CC=${CC-cc}; export CC
sh tools/abi.sh tests/abi/libcredit.abi
sh tools/constants.sh "$CC" >tests/abi/constants.txt
for model in lp64 llp64 ilp32 ilp32-i386; do
    if sh tools/layout.sh "$model" >"tests/abi/layout-$model.new"; then
        mv "tests/abi/layout-$model.new" "tests/abi/layout-$model.txt"
    else
        echo "SKIP layout-$model.txt: $(cat "tests/abi/layout-$model.new")"
        rm "tests/abi/layout-$model.new"
    fi
done
