#!/bin/sh
# Writes the module definition of one DLL from the list of public symbols: its name and what it exports, nothing else.
#
#   gen-def.sh LIBRARY lib/credit.sym
#
# The sections of the list are those that gen-version-script.sh explains. The file is installed beside the import
# library, so that other compilers can make one of their own (lib /def:credit.def, dlltool -d credit.def).
set -eu

echo "LIBRARY $1.dll"
echo EXPORTS
awk -v library="$1" '
    BEGIN { section = "credit" }
    { sub(/#.*/, "") }
    NF == 0 { next }
    /^\[.*\]/ { section = substr($1, 2, length($1) - 2); next }
    section == library { print "    " $1 }
' "$2"
