#!/bin/sh
# What the core library is made of: it needs nothing but memory and string
# functions of libc, keeps no writable static data, asks for memory in one file only, and stays small.
set -eu
LC_ALL=C; export LC_ALL
BUILD=${BUILD-build}
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

# Objects of the library, by source, so that what an earlier build left behind does not count.
for source in lib/core/*.c lib/ledger/*.c lib/storage/memory*.c lib/storage/testkit*.c; do
    object=$BUILD/obj/${source%.c}.o

    # .data.rel.ro holds constants that contain addresses; the loader makes it read-only.
    writable=$(objdump -h "$object" | awk '$1 ~ /^[0-9]+$/ && $2 ~ /^\.(data|bss|tdata|tbss)/ &&
        $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ { print $2 }')
    common=$(nm "$object" | awk '$2 == "C" { print $3 }')
    if [ -n "$writable$common" ]; then
        echo "$source has writable static data ($(echo $writable $common)):" \
            $(objdump -t "$object" | awk '/ (\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $NF !~ /^\./ && !/\.data\.rel\.ro/ { print $NF }')
        failed=1
    fi
    # No floating point. The names are those of x86-64's instructions; what merely moves bytes is not among them.
    if objdump -d --no-show-raw-insn "$object" | grep -qE '\s(cvt[a-z0-9]*|(add|sub|mul|div|sqrt|ucomi|comi)s[sd])\s'; then
        echo "$source computes with floating point"
        failed=1
    fi
    # Object by object: what the linker drops or another library would give counts as well.
    for name in $(nm -u "$object" | awk '{ print $NF }'); do
        case $name in crd_* | __asan_* | __ubsan_*) continue ;; esac
        case " $(echo $allowed) " in
        *" $name "*) ;;
        *) echo "$source needs $name"; failed=1 ;;
        esac
    done
    case $source in */alloc.c | */testkit_alloc.c) continue ;; esac
    for name in $(nm -u "$object" | awk '{ print $NF }'); do
        case $name in
        malloc | calloc | realloc | free) echo "$source calls $name, not the host's allocator"; failed=1 ;;
        esac
    done
done

work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
strip -o "$work/stripped" "$BUILD/libcredit.so"
size=$(wc -c <"$work/stripped")
echo "libcredit.so stripped: $size bytes"
[ "$size" -lt 280000 ] || { echo "libcredit.so stripped must stay under 280000 bytes"; failed=1; }
exit $failed
