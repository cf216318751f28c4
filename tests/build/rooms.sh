#!/bin/sh
# Who may call whom: the core includes nothing of the ledger, a storage nothing but public headers, examples and
# tools nothing but public headers, and no part of the library anything of the C library that does I/O or keeps
# state.
set -eu
failed=0
forbid() { # WHY PATTERN FILE…
    why=$1 pattern=$2
    shift 2
    for file in "$@"; do
        [ ! -e "$file" ] || ! grep -nHE "^ *# *include *$pattern" "$file" || { echo "  $why"; failed=1; }
    done
}
forbid "the core is the ground floor" '["<](\.\./)?(ledger|storage)/' lib/core/*.[ch]
forbid "the ledger knows no storage from inside" '["<](\.\./)?storage/' lib/ledger/*.[ch]
forbid "a storage sees public headers only" '["<](\.\./)*(lib/)?(core|ledger)/' lib/storage/*.[ch]
forbid "examples and tools use the public headers" '["<](\.\./)*(lib/)?(core|ledger|storage)/' examples/*.[ch] tools/*.[ch]
forbid "the program in tools borrows nothing" '["<](\.\./)*(examples|tests)/' tools/*.[ch]
forbid "public headers include public headers" '"' include/credit.h include/credit/*.h
forbid "the library does no I/O and keeps no state" '<(stdio|locale|errno|time|math|signal|setjmp|unistd|pthread)\.h>' \
    lib/core/*.[ch] lib/ledger/*.[ch] lib/storage/memory*.[ch] lib/storage/testkit*.[ch]
exit $failed
