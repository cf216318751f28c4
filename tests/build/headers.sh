#!/bin/sh
# Every public header can be included alone and twice, as C99, as C11 and as C++11, by a host that has most
# warnings on and all of them fatal.
set -eu
CC=${CC-cc} CXX=${CXX-c++}
failed=0
common='-Wall -Wextra -Werror -pedantic-errors -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual -Wcast-align
    -Wredundant-decls -Wmissing-declarations -Wswitch-enum -Wwrite-strings -Iinclude -fsyntax-only'
for header in $(cd include && ls credit.h credit/*.h); do
    source=$(printf '#include <%s>\n#include <%s>\nint main(void);\n' "$header" "$header")
    for std in c99 c11; do
        echo "$source" | $CC -std=$std $common -Wstrict-prototypes -Wold-style-definition -Wc++-compat -x c - \
            || { echo "$header is no clean $std"; failed=1; }
    done
    if command -v $CXX >/dev/null; then
        echo "$source" | $CXX -std=c++11 $common -Wold-style-cast -Wzero-as-null-pointer-constant -x c++ - \
            || { echo "$header is no clean C++11"; failed=1; }
    fi
done
command -v $CXX >/dev/null || echo "SKIP headers as C++: no $CXX"
exit $failed
