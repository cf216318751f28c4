#!/bin/sh
# Writes the library as two files, credit.c and credit.h, for a host that would rather compile it than link it.
#
#   amalgamate.sh OUTDIR VERSION
#
# 1. The same sources give the same bytes: files go in by name, and nothing of the machine or the day gets in.
# 2. Every text is the sources' own but for #includes and one word: what is shared inside the library (crd__…) is
#    declared CRD__LOCAL, which is static unless defined otherwise, so that two copies do not meet at the linker.
# 3. Of what remains global, lib/credit.sym knows every name; with CRD_NAMESPACE defined each is another one.
# 4. The SQLite storage is there when CRD_WITH_SQLITE is defined.
set -eu
LC_ALL=C; export LC_ALL
out=$1 version=$2
mkdir -p "$out"

# Puts in place of an #include what it names: of ours once, of the C library's the line itself, once.
inline='
    function resolve(name, from,    path) {
        if (name ~ /^<credit/) path = "include/" substr(name, 2, length(name) - 2)
        else if (name ~ /^"/) {
            path = "lib/" substr(name, 2, length(name) - 2)
            if ((getline probe <path) < 0) { path = from; sub(/[^\/]*$/, "", path); path = path substr(name, 2, length(name) - 2) }
            close("lib/" substr(name, 2, length(name) - 2))
        }
        return path
    }
    function emit(path,    line, name, before) {
        before = "\n"
        while ((getline line <path) > 0) {
            if (line !~ /^# *include /) {
                # A declaration of a private header; a definition takes the word from it.
                if (path ~ /^lib\/.*\.h$/ && line ~ /^[a-z][A-Za-z0-9_ ]*[ *]crd__[a-z0-9_]*\(/ && line !~ /^(typedef|static) /)
                    line = "CRD__LOCAL " line
                print line
                continue
            }
            name = line
            sub(/^# *include */, "", name)
            sub(/[>"] .*$/, substr(name, 1, 1) == "<" ? ">" : "\"", name)
            if (name == "<sqlite3.h>") print "#include \"sqlite3.h\""
            else if (name !~ /^<credit/ && name ~ /^</) { if (!(name in seen)) print line; seen[name] = 1 }
            else insert(resolve(name, path))
        }
        close(path)
    }
    function insert(path) {
        if (path in seen || (path ~ /^include/ && !public)) return
        seen[path] = 1
        print "/* ---- " path " ---- */"
        emit(path)
    }'

{
    cat <<TEXT
/*
 * libcredit $version, the interface: with credit.c beside it, all there is. Made from the library's sources; change those.
 *
 *     cc -c credit.c                              core, ledger, storage in memory
 *     cc -c -DCRD_WITH_SQLITE credit.c            and the storage in SQLite; sqlite3.h is needed
 *
 * Define CRD_NAMESPACE, for credit.c and for whoever includes this, to live in one program with another copy: with
 * -DCRD_NAMESPACE=till_ every function is till_crd_… to the linker.
 */
#ifndef CREDIT_AMALGAMATION_H
#define CREDIT_AMALGAMATION_H

#if !defined(CRD_BUILD) && !defined(CRD_STATIC)
#define CRD_STATIC
#endif

#ifdef CRD_NAMESPACE
#define CRD__PASTE(space, name) space##name
#define CRD__EXPAND(space, name) CRD__PASTE(space, name)
TEXT
    sed -n 's/^\(crd_[a-z0-9_]*\) .*/#define \1 CRD__EXPAND(CRD_NAMESPACE, \1)/p' lib/credit.sym
    printf '#endif\n\n'
    awk "$inline"'
        BEGIN {
            public = 1
            insert("include/credit.h")
            print "#ifdef CRD_WITH_SQLITE"
            insert("include/credit/sqlite.h")
            print "#endif"
        }' </dev/null
    printf '\n#endif\n'
} >"$out/credit.h"

{
    cat <<TEXT
/*
 * libcredit $version, the whole of it. See credit.h. Made from the library's sources; change those.
TEXT
    sed 's/^/ * /; s/ *$//' COPYING
    cat <<'TEXT'
 */
#include "credit.h"

#ifndef CRD__LOCAL
#define CRD__LOCAL static
#endif

TEXT
    awk "$inline"'
        BEGIN {
            for (i = 1; i < ARGC; i++) {
                if (ARGV[i] ~ /\/sqlite/ && !sqlite) { print "#ifdef CRD_WITH_SQLITE"; sqlite = 1 }
                insert(ARGV[i])
            }
            if (sqlite) print "#endif"
        }' lib/core/*.c lib/ledger/*.c lib/storage/memory*.c lib/storage/sqlite*.c
} >"$out/credit.c"
