#!/bin/sh
# What the core library is made of: it needs nothing but memory and string functions of libc, keeps no writable static
# data, computes with integers, asks for memory in one file only, and stays small. And the test itself: an object that does
# all it should not is found out.
set -eu
LC_ALL=C; export LC_ALL
BUILD=${BUILD-build} CC=${CC-cc}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
failed=0

# libcredit-testkit may ask for the same, and for what libcredit exports.
# Undefined symbols against the list of what a C compiler and linker may ask for.
allowed='memcpy memmove memset memcmp memchr strchr strlen strcmp strncmp malloc realloc free
    __stack_chk_fail __cxa_finalize __gmon_start__ _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable
    __memcpy_chk __memmove_chk __memset_chk _GLOBAL_OFFSET_TABLE_'
for library in libcredit libcredit-testkit; do
    for name in $(nm -D --undefined-only "$BUILD/$library.so" | awk '{ sub(/@.*/, "", $NF); print $NF }'); do
        case $library:$name in libcredit-testkit:crd_*) continue ;; esac
        case " $(echo $allowed) " in
        *" $name "*) ;;
        *) echo "$library needs $name"; failed=1 ;;
        esac
    done
done
needed=$(readelf -d "$BUILD/libcredit.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^libc\.' || true)
[ -z "$needed" ] || { echo "libcredit is linked with $needed"; failed=1; }

# Reads objects, and says what is wrong with them, a line each: OBJECT WHAT.
look() {
    # Static data that can be written. .data.rel.ro holds constants that contain addresses; the loader makes it read-only.
    objdump -h "$@" | awk '/^[^ ].*: +file format/ { sub(/:.*/, ""); file = $0 }
        $1 ~ /^[0-9]+$/ && $2 ~ /^\.(data|bss|tdata|tbss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ {
            print file " has writable static data in " $2 }'
    nm -A "$@" | awk '{ sub(/:.*/, "", $1) } $(NF - 1) == "C" { print $1 " has writable static data: " $NF }'
    # Floating point, by the names of x86-64's instructions; what merely moves bytes is not among them.
    objdump -d --no-show-raw-insn "$@" | awk '/^[^ ].*: +file format/ { sub(/:.*/, ""); file = $0 }
        $2 ~ /^v?(cvt[a-z0-9]*|(add|sub|mul|div|sqrt|max|min|ucomi|comi)[sp][sd])$|^f(ild|ist|add|sub|mul|div)[a-z]*$/ {
            print file " computes with floating point: " $2 }' | sort -u
    # What each needs, object by object: what the linker drops or another library would give counts as well.
    nm -A -u "$@" | awk -v allowed=" $(echo $allowed) " '
        { sub(/:.*/, "", $1); if ($NF ~ /^(crd_|__asan_|__ubsan_)/) next }
        !index(allowed, " " $NF " ") { print $1 " needs " $NF }
        $NF ~ /^(malloc|calloc|realloc|free)$/ && $1 !~ /\/(testkit_)?alloc\.o$/ {
            print $1 " calls " $NF ", not the host'\''s allocator" }'
}

# Objects of the library, by source, so that what an earlier build left behind does not count.
objects=
for source in lib/core/*.c lib/ledger/*.c lib/storage/memory*.c lib/storage/testkit*.c; do
    objects="$objects $BUILD/obj/${source%.c}.o"
done
look $objects >"$work/said"
[ ! -s "$work/said" ] || { cat "$work/said"; failed=1; }

cat >"$work/bad.c" <<'C'
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int common;
static int calls;
static const char *names[] = {"a", "b"};
const char *bad(double x, int n);
const char *bad(double x, int n) {
    if (++calls + common > n) names[n] = getenv("LANG");
    errno = (int)(x * 1.5);
    if (time(NULL) == 7) setlocale(LC_ALL, malloc(4));
    puts(names[0]);
    return names[n];
}
C
$CC -O1 -fcommon -fPIC -c -o "$work/bad.o" "$work/bad.c"
look "$work/bad.o" >"$work/said"
for word in 'static data in .bss' 'static data in .data' 'static data: common' 'floating point' 'needs getenv' \
    'needs time' 'needs setlocale' 'needs puts' 'needs __errno_location' 'calls malloc'; do
    grep -q -- "$word" "$work/said" || { cat "$work/said"; echo "not found in an object that has it: $word"; failed=1; }
done

strip -o "$work/stripped" "$BUILD/libcredit.so"
size=$(wc -c <"$work/stripped")
echo "libcredit.so stripped: $size bytes"
[ "$size" -lt 280000 ] || { echo "libcredit.so stripped must stay under 280000 bytes"; failed=1; }
exit $failed
