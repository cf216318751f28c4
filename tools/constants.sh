#!/bin/sh
# Prints every constant of the public headers, a name and its value a line: a compiled program keeps the number, and no
# description of a binary knows where it came from.
#
#   constants.sh CC [INCLUDE]
set -eu
LC_ALL=C; export LC_ALL
cc=$1 include=${2-include}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
{
    for header in "$include"/credit/*.h; do echo "#include <credit/${header##*/}>"; done
    echo '#include <stdio.h>'
} >"$work/constants.h"
{
    cat "$work/constants.h"
    echo 'int main(void) {'
    # The version is said elsewhere, and is meant to change.
    $cc -std=c99 -I"$include" -dM -E "$work/constants.h" | sort \
        | awk '$1 == "#define" && $2 ~ /^CRD_[A-Z0-9_]*$/ && NF > 2 && $2 !~ /^CRD_(API|CALL|BEGIN|END|VERSION.*|STORAGE_INIT)$/ {
            if ($3 ~ /^"/) printf "printf(\"%s %%s\\n\", %s);\n", $2, $2
            else printf "printf(\"%s %%lld\\n\", (long long)(%s));\n", $2, $2 }'
    echo 'return 0; }'
} >"$work/constants.c"
$cc -std=c99 -I"$include" -o "$work/constants" "$work/constants.c"
"$work/constants"
