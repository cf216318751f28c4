#!/bin/sh
# The public headers give web pages without a warning.
set -eu
command -v doxygen >/dev/null || { echo "SKIP no doxygen"; exit 77; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL
"${MAKE-make}" -s docs BUILD="$work/build"
