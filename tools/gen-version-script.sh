#!/bin/sh
# Writes the linker's version script of one library from the list of public symbols.
#
#   gen-version-script.sh LIBRARY lib/credit.sym
#
# The list has a section per library, "[credit]" being the first and the default; a line is a symbol, the version
# that introduced it and, if any, the one that deprecated it. A deprecated symbol is exported like any other. Each
# minor version gets a node that holds what it added and inherits from the one before; a symbol in no node stays
# hidden, so nothing is exported by accident.
set -eu

awk -v library="$1" '
    BEGIN { section = "credit"; prefix = toupper(library); gsub(/-/, "_", prefix) }
    { sub(/#.*/, "") }
    NF == 0 { next }
    /^\[.*\]/ { section = substr($1, 2, length($1) - 2); next }
    section != library { next }
    $2 !~ /^[0-9]+\.[0-9]+(\.[0-9]+)?$/ {
        printf "%s:%d: %s has no version\n", FILENAME, FNR, $1 > "/dev/stderr"
        print "error"
        exit
    }
    { split($2, v, "."); print v[1], v[2], prefix "_" v[1] "." v[2], $1 }
' "$2" | LC_ALL=C sort -k1,1n -k2,2n -k4,4 | awk '
    function finish() { print "}" (before ? " " before : "") ";"; before = node }
    $1 == "error" { failed = 1; exit }
    $3 != node {
        if (node) finish()
        node = $3
        print node " {\n  global:"
    }
    { print "    " $4 ";" }
    END {
        if (failed) exit 1
        if (!node) print "{"
        print "  local:\n    *;"
        finish()
    }
'
