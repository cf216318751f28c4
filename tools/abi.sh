#!/bin/sh
# The binary interface of a library, as XML of libabigail, to OUT: symbols, functions, and what the public headers
# define. Records are handed over as `const void *`, so types that no function names count as well.
#
#   sh tools/abi.sh OUT [LIBRARY]      LIBRARY: a shared one, built with -g; build/libcredit.so if not given
set -eu
abidw --suppressions "$(dirname "$0")/abi.suppr" --load-all-types --no-corpus-path --no-comp-dir-path --no-elf-needed \
    --no-show-locs --type-id-style hash --out-file "$1" "${2-${BUILD-build}/libcredit.so}"
